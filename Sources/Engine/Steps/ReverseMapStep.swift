/// A reverse map of a shadow is changed or looked up. Addresses are canonical IPAs unless noted otherwise.
package enum ReverseMapStep: StepFamily {
  /// A leaf is about to be mapped at a nested IPA: what is recorded for its memory?
  case record(nested: UInt64)
  /// A known entry is stored.
  case recordKnown(nested: UInt64)
  /// The entry is already there.
  case recordKept(nested: UInt64)
  /// `replacing` overlapping ranges fuse into one whose nested IPA is unknown.
  case recordUnknown(replacing: Int)
  /// The insertion fails for want of memory.
  case recordFailed
  /// The map is broken, so nothing is recorded.
  case recordSkipped(nested: UInt64)
  /// With stage 2 off, nothing is recorded.
  case recordOff(nested: UInt64)
  /// A lookup of a range finds an entry with a nested IPA, an unknown one, or none.
  case lookUpKnown(nested: UInt64, asked: Range<UInt64>)
  case lookUpUnknown
  case lookUpNothing
  /// A lookup is useless: the map is broken, or the shadow is being swept.
  case lookUpBroken
  case lookUpSwept
  /// An erasure fails for want of memory.
  case eraseFailed
  /// All entries are dropped.
  case resetMap
  /// The map counts as intact again.
  case brokenCleared
  /// Entries of nested IPAs are removed, if there are any.
  case forget(isEmpty: Bool)
  /// The next insertions and erasures will fail: the number of each.
  case failuresArmed(insertions: UInt64, erasures: UInt64)

  package var facts: Step.Facts {
    switch self {
    case .record, .recordKnown, .recordKept: Step.Facts(.record, .recording, .canonical)
    case .recordUnknown: Step.Facts(.recordLost, .fusing, .canonical, weight: 3)
    case .recordFailed: Step.Facts(.recordLost, .brokenMap, .canonical, weight: 4)
    case .recordSkipped: Step.Facts(.recordLost, .brokenMap, .canonical)
    case .recordOff: Step.Facts(.recordLost, .stage2Off, .canonical)
    case .lookUpKnown: Step.Facts(.lookUp, .lookingUp, .canonical)
    case .lookUpUnknown: Step.Facts(.lookUpFailure, .lookingUp, .canonical, weight: 4)
    case .lookUpNothing: Step.Facts(.lookUpMiss, .lookingUp, .canonical)
    case .lookUpBroken: Step.Facts(.lookUpFailure, .brokenMap, .canonical, weight: 4)
    case .lookUpSwept: Step.Facts(.lookUpFailure, .sharedSweep, .canonical)
    case .eraseFailed: Step.Facts(.record, .brokenMap, .canonical)
    case .resetMap: Step.Facts(.mapState, .lookingUp, .none)
    case .brokenCleared, .failuresArmed: Step.Facts(.mapState, .brokenMap, .none)
    case .forget: Step.Facts(.mapState, .forgetting)
    }
  }

  func explanation(of step: Step) -> Explanation {
    let span = "canonical \(step.span)"
    let shadow = Phrase.table(step.table)
    switch self {
    case .record(let nested):
      return Explanation(
        "record", "\(span) is about to be mapped at nested \(Phrase.address(nested))",
        "It is recorded first under which nested IPA. Does a recorded range overlap it?",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordKnown(let nested):
      return Explanation(
        "insert", "\(span) → nested \(Phrase.address(nested))",
        "No recorded range overlaps it. When that memory is taken away, only this nested range is unmapped.",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordKept(let nested):
      return Explanation(
        "keep", "\(span) → nested \(Phrase.address(nested)) is recorded already",
        "The same leaf is mapped again, with other permissions.",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordUnknown(let count):
      return Explanation(
        "fuse",
        "\(span), in place of \(Phrase.count(UInt64(count), "range", "ranges")) → unknown nested IPA",
        "It overlaps recorded ranges. An entry cannot hold two nested IPAs, so they all become one entry that "
          + "only says: somewhere in this shadow.",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordFailed:
      return Explanation(
        "no memory", "\(span) cannot be recorded",
        "The tree needed a node and there was none without sleeping.",
        .reverseMap("mas_store_gfp"))
    case .recordSkipped(let nested):
      return Explanation(
        "no record", "\(span) → nested \(Phrase.address(nested)) is not recorded",
        "The map is broken: whatever is taken away, all of the shadow is unmapped.",
        .reverseMap("nested_revmap_broken"))
    case .recordOff:
      return Explanation(
        "no record", "\(span) is not recorded",
        "L1 has stage 2 off, so there is no leaf of L1, and this version records only with one.",
        .reverseMap("if (s2fd->nested)"))
    case .lookUpKnown(let nested, let asked):
      let part = asked.clamped(to: step.address..<step.address &+ step.size)
      let size = part.size
      return Explanation(
        "look up",
        "\(span) → nested \(Phrase.address(nested)): the entry is removed, then its leaf",
        size == step.size
          ? "Only this nested range leads to that memory."
          : "The whole entry is removed, although only \(Phrase.size(size)) of it was asked for.",
        .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpUnknown:
      return Explanation(
        "look up", "\(span) is unknown: all of \(shadow) must be unmapped",
        "It was mapped somewhere in this shadow, and it is not recorded where.",
        .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpNothing:
      return Explanation(
        "look up", "\(span): nothing is recorded in \(shadow)",
        "KVM takes it that no leaf of this shadow maps it, and unmaps nothing here.",
        .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpBroken:
      return Explanation(
        "look up", "the map of \(shadow) is broken: all of the shadow must be unmapped",
        "There may be a leaf that could not be recorded.", .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpSwept:
      return Explanation(
        "look up", "\(shadow) is being swept already: it is swept from here as well",
        "The other sweep emptied the map first and has dropped mmu_lock. Leaves that it has not reached are in "
          + "no map.",
        .project("repaired"))
    case .eraseFailed:
      return Explanation(
        "no memory", "the entry of \(span) stays",
        "Erasing can need a node as well. A superfluous entry is harmless, it only costs time.",
        .reverseMap("unmap_mmu_ipa_range"))
    case .resetMap:
      return Explanation(
        "reset", "the map of \(shadow) is emptied",
        "Every leaf of the shadow is about to be removed.",
        .reverseMap("reset_revmap_and_unmap"))
    case .brokenCleared:
      return Explanation(
        "complete", "the map of \(shadow) counts as complete again",
        "The shadow is empty, so nothing is missing.", .reverseMap("reset_revmap_and_unmap"))
    case .forget(isEmpty: true):
      return Explanation(
        "forget", "\(shadow) has no entry for nested \(step.span)",
        "L1 invalidated these addresses, and the map is asked before they are unmapped.",
        .project("guest TLB invalidation, v3 and repaired"))
    case .forget(isEmpty: false):
      return Explanation(
        "forget", "entries for nested \(step.span) of \(shadow)",
        "L1 invalidated them: their leaves are removed, and stale entries would only fuse with others.",
        .project("guest TLB invalidation, v3 and repaired"))
    case .failuresArmed(let insertions, let erasures):
      return Explanation(
        "fail",
        "the next "
          + [(insertions, "insertion"), (erasures, "erasure")].filter { $0.0 > 0 }
          .map { Phrase.count($0.0, $0.1, $0.1 + "s") }.joined(separator: " and ") + " will fail",
        "GFP_NOWAIT may find no memory; the scenario says when.", .reverseMap("GFP_NOWAIT"))
    }
  }
}
