import Engine

/// The kinds of event, as the timeline shows them.
package enum EventKind: Int, CaseIterable, Comparable, Encodable, Sendable {
  case other, slot, l1, l2, context, invalidate, device, owner, host

  package init(_ event: Event) {
    switch event {
    case .addMemslot: self = .slot
    case .host, .otherVM, .otherProcess: self = .host
    case .access(.l1, _, _, _, _), .run, .wait: self = .l1
    case .access(.l2, _, _, _, _): self = .l2
    case .context, .vncr: self = .context
    case .iommu, .dma, .pkvm(.snapshot): self = .device
    case .pkvm(.memory): self = .slot
    case .pkvm(.hostAccess): self = .host
    case .pkvm(.guestAccess): self = .l1
    case .rmp, .realm, .pkvm(.createGuest), .pkvm(.tearDownGuest), .pkvm(.call): self = .owner
    case .pause, .resume, .failReverseMap: self = .other
    case .invalidate, .l2Invalidate: self = .invalidate
    }
  }

  /// The character that stands for it.
  package var letter: String {
    switch self {
    case .other: "o"
    case .slot: "m"
    case .l1: "1"
    case .l2: "2"
    case .context: "c"
    case .invalidate: "i"
    case .device: "d"
    case .owner: "p"
    case .host: "h"
    }
  }

  /// Its name in a filter.
  package var name: String {
    switch self {
    case .other: "other"
    case .slot: "slot"
    case .l1: "l1"
    case .l2: "l2"
    case .context: "context"
    case .invalidate: "tlbi"
    case .device: "device"
    case .owner: "owner"
    case .host: "host"
    }
  }

  /// What kind of event it is.
  package var title: String {
    switch self {
    case .other: "pauses, failures and other things"
    case .slot: "memory is added"
    case .l1: "L1, or a guest of pKVM, accesses memory"
    case .l2: "L2 accesses memory"
    case .context: "L1 points to another table of its own"
    case .invalidate: "a guest invalidates"
    case .device: "a device accesses memory, or its table changes"
    case .owner: "pages change hands: calls of pKVM and of a realm, the RMP"
    case .host: "the host uses or changes its memory"
    }
  }

  package static func < (a: EventKind, b: EventKind) -> Bool { a.rawValue < b.rawValue }
}
