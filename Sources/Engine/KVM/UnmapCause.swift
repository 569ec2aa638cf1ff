/// Why addresses are unmapped from a stage-2 context.
package struct UnmapCause: Hashable, Sendable {
  /// The origin of the unmap.
  package enum Kind: UInt64, CaseIterable, Sendable {
    /// The MMU notifier: the VMM's memory changes.
    case notifier
    /// A memory slot is deleted.
    case memslot
    /// Pages are unpinned that notifiers skipped.
    case unpin
    /// Pages become private to a guest, or shared with it.
    case conversion
    /// L1 invalidates nested IPAs.
    case guestInvalidation
    /// A shadow is taken for another context.
    case recycling
    /// A recording contains the unmap, but not its cause.
    case recorded
    /// KVM split an RMP entry: the CPUs' leaves there may be too large.
    case splitOwner
  }

  /// The origin of the unmap.
  package let kind: Kind
  /// The canonical IPAs to unmap; empty for nested IPAs or a whole context.
  package let canonical: Range<UInt64>

  init(_ kind: Kind, _ canonical: Range<UInt64> = 0..<0) {
    self.kind = kind
    self.canonical = canonical
  }

  /// Whether the VM loses the memory, so that no table may map it any more.
  package var takesMemory: Bool {
    switch kind {
    case .notifier, .memslot: true
    case .unpin, .conversion, .guestInvalidation, .recycling, .recorded, .splitOwner: false
    }
  }
}

/// A cause as three words, as a pending task stores it.
extension UnmapCause {
  var words: [UInt64] { [kind.rawValue, canonical.lowerBound, canonical.upperBound] }

  init(words: ArraySlice<UInt64>) {
    let words = Array(words)
    guard let kind = Kind(rawValue: words[0]) else {
      preconditionFailure("no cause of an unmap has the number \(words[0])")
    }
    self.init(kind, words[1]..<words[2])
  }
}

extension UnmapCause {
  private var span: String {
    "\(Phrase.address(canonical.lowerBound))+"
      + Phrase.size(canonical.size)
  }

  /// A clause that follows "because".
  var clause: String {
    switch kind {
    case .notifier: "a notifier names canonical \(span)"
    case .memslot: "the slot at canonical \(span) is deleted"
    case .unpin: "canonical \(span) is unpinned"
    case .conversion: "canonical \(span) is converted"
    case .guestInvalidation: "L1 invalidates it"
    case .recycling: "another context gets it"
    case .recorded: "the recording has it"
    case .splitOwner: "the RMP entry of canonical \(span) was split"
    }
  }

  /// Why a range of a context is unmapped, as a sentence.
  var sentence: String {
    switch kind {
    case .notifier: "A notifier says that the host's mapping of canonical \(span) changes."
    case .memslot: "The memory slot at canonical \(span) is deleted."
    case .unpin: "Canonical \(span) is unpinned, and notifiers had passed it over."
    case .conversion:
      "The guest converts canonical \(span): private or shared, it is mapped anew by faults."
    case .guestInvalidation: "L1 invalidated these nested IPAs."
    case .recycling: "The shadow is emptied for another context."
    case .recorded: "The recording has it, and does not say why."
    case .splitOwner:
      "After PSMASH KVM unmaps 512 pages from the faulting one on; faults map them anew, in the RMP's size."
    }
  }
}
