/// The kinds of event, as filters name them and the timeline shows them.
public enum EventKind: Int, CaseIterable, Comparable, Encodable, Sendable {
  case other, slot, l1, l2, context, invalidate, device, owner, host

  /// Its one-character abbreviation.
  public var letter: String {
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
  public var name: String {
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

  /// The kind in words.
  public var title: String {
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

  /// Ordered by weight: of the events in one column of the timeline, the heaviest is shown.
  public static func < (a: EventKind, b: EventKind) -> Bool { a.rawValue < b.rawValue }
}

extension Event {
  /// The facts about an event before it is carried out.
  public struct Facts: Sendable {
    /// The kind of the event.
    public let kind: EventKind
    /// Where it happens; nil if it concerns no place of a table, or many.
    public let place: Place?

    fileprivate init(_ kind: EventKind, _ place: Place? = nil) {
      self.kind = kind
      self.place = place
    }
  }

  /// An input address of a table.
  public enum Place: Equatable, Sendable {
    case table(TableID, UInt64)
    /// A nested IPA, in whichever shadow serves it.
    case nested(UInt64)

    fileprivate static func canonical(_ address: UInt64?) -> Place? {
      address.map { .table(.canonical, $0) }
    }
  }

  /// The event's kind, and where it happens. A new event needs a row here.
  public var facts: Facts {
    switch self {
    case .addMemslot: Facts(.slot)
    case .host(let operation): Facts(.host, .canonical(operation.address))
    case .otherVM, .otherProcess: Facts(.host)
    case .access(.l1, _, _, let address, _): Facts(.l1, .canonical(address))
    case .access(.l2, _, _, let address, _): Facts(.l2, .nested(address))
    case .run, .wait: Facts(.l1)
    case .context: Facts(.context)
    case .vncr(_, let address): Facts(.context, .canonical(address))
    case .invalidate(_, .address(let address, _)), .invalidate(_, .range(let address, _, _)):
      Facts(.invalidate, .nested(address))
    case .invalidate, .l2Invalidate: Facts(.invalidate)
    case .dma(let device, let address, _): Facts(.device, .table(.iommu(device), address))
    case .iommu(let device, .map(let range, _, _)), .iommu(let device, .unmap(let range)):
      Facts(.device, .table(.iommu(device), range.lowerBound))
    case .iommu(_, .pin(let range)): Facts(.device, .canonical(range.lowerBound))
    case .iommu: Facts(.device)
    case .rmp(let operation): Facts(.owner, .canonical(operation.address))
    case .realm(let operation): Facts(.owner, .canonical(operation.address))
    case .pkvm(.memory(let range)): Facts(.slot, .table(.pkvmHost, range.lowerBound))
    case .pkvm(.hostAccess(_, let address, _)): Facts(.host, .table(.pkvmHost, address))
    case .pkvm(.guestAccess(let guest, _, let address, _)):
      Facts(.l1, .table(.protectedGuest(guest), address))
    case .pkvm(.call(let call)):
      Facts(.owner, .table(call.place.0, call.place.1))
    case .pkvm(.createGuest), .pkvm(.tearDownGuest): Facts(.owner)
    case .pkvm(.snapshot): Facts(.device)
    case .recorded(let call):
      Facts(call.kind, call.place.map { .table($0.table, $0.address) })
    case .pause, .resume, .failReverseMap: Facts(.other)
    }
  }
}

extension RecordedCall {
  /// The kind, by who caused the call.
  fileprivate var kind: EventKind {
    switch self {
    case .map(.shadow, _, _, _, _, _), .relax(.shadow, _, _): .l2
    case .map, .relax: .l1
    case .unmap, .take, .writeProtect, .split, .age: .host
    case .context: .context
    case .invalidate, .invalidateRange, .emptyShadows: .invalidate
    case .seen, .unseen, .unused, .seenEntry, .seenNoEntry, .unseenMap: .other
    }
  }
}

extension HostOperation {
  /// The first canonical IPA that it concerns.
  fileprivate var address: UInt64? {
    switch self {
    case .touch(let range, _), .discard(let range), .unmap(let range), .protect(let range, _),
      .hugePages(let range, _), .collapse(let range), .merge(let range), .noHugePages(let range):
      range.lowerBound
    case .idle(let address), .testIdle(let address), .dirtyLog(let address, _),
      .getDirtyLog(let address), .deleteMemslot(let address):
      address
    case .fork, .eagerSplit: nil
    }
  }
}
