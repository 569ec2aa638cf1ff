import Engine

extension Step {
  private var at: String { Phrase.address(address) }
  private var span: String { "canonical \(Phrase.span(self))" }

  /// Steps that change or ask a reverse map.
  var reverseMapExplanation: Explanation? {
    switch action {
    case .record:
      return Explanation(
        "record", "\(span) is about to be mapped at nested \(Phrase.address(value))",
        "The way back is recorded first. What do the recorded ranges that overlap say?",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordKnown:
      let nested = Phrase.address(value & ReverseMapEntry.addressMask)
      return Explanation(
        "insert", "\(span) → nested \(nested)",
        "No recorded range overlaps it. When that memory goes, only this nested range must.",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordKept:
      return Explanation(
        "keep", "\(span) → nested \(Phrase.address(value)) is there already",
        "The same leaf is mapped again, with other permissions.",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordUnknown:
      return Explanation(
        "fuse",
        "\(span), in place of \(extra == 1 ? "1 range" : "\(extra) ranges") → unknown nested IPA",
        "It overlaps what is recorded. One entry cannot hold two nested IPAs, so all the ranges it "
          + "touches become one that says only: somewhere in this shadow.",
        .reverseMap("kvm_record_nested_revmap"))
    case .recordFailed:
      return Explanation(
        "no memory", "\(span) cannot be recorded",
        "The tree needed a node and there was none without sleeping.",
        .reverseMap("mas_store_gfp"))
    case .recordSkipped:
      return Explanation(
        "no record", "\(span) → nested \(Phrase.address(value)) is not recorded",
        "The map is broken: whatever goes, all of the shadow goes.",
        .reverseMap("nested_revmap_broken"))
    case .recordOff:
      return Explanation(
        "no record", "\(span) is not recorded",
        "L1 has stage 2 off, so there is no leaf of L1, and this version records only with one.",
        .reverseMap("if (s2fd->nested)"))
    case .noMemory:
      return Explanation(
        "ENOMEM", "the fault at \(at) fails", "This version hands the failure to the VMM.",
        .reverseMap("v1, kvm_record_nested_revmap"))
    case .lookUpKnown:
      return Explanation(
        "look up", "\(span) → nested \(Phrase.address(value)): the entry goes, and its leaf",
        "The whole entry goes, even if less of it was asked for.",
        .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpUnknown:
      return Explanation(
        "look up", "\(span) is unknown: all of \(Phrase.table(table)) must go",
        "It is mapped somewhere in this shadow, and nobody knows where.",
        .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpNothing:
      return Explanation(
        "look up", "\(span): nothing is recorded in \(Phrase.table(table))",
        "So no leaf of this shadow reaches it.", .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpBroken:
      return Explanation(
        "look up", "the map of \(Phrase.table(table)) is broken: all of it must go",
        "A leaf may be there that could not be recorded.", .reverseMap("unmap_mmu_ipa_range"))
    case .lookUpSwept:
      return Explanation(
        "look up", "\(Phrase.table(table)) is being swept: it is swept from here, too",
        "The other sweep emptied the map first and has dropped mmu_lock: leaves it has not come to "
          + "are in no map.",
        .project("repaired"))
    case .eraseFailed:
      return Explanation(
        "no memory", "the entry of \(span) stays",
        "Erasing can need a node too. An entry too many only costs.",
        .reverseMap("unmap_mmu_ipa_range"))
    case .resetMap:
      return Explanation(
        "reset", "the map of \(Phrase.table(table)) is emptied",
        "Every leaf of the shadow is about to go.", .reverseMap("reset_revmap_and_unmap"))
    case .brokenCleared:
      return Explanation(
        "whole", "the map of \(Phrase.table(table)) counts as whole again",
        "The shadow is empty, so nothing is missing.", .reverseMap("reset_revmap_and_unmap"))
    case .forget:
      return Explanation(
        "forget", "entries for nested \(Phrase.span(self)) of \(Phrase.table(table))",
        "L1 invalidated them: their leaves go, and stale entries would only fuse with others.",
        .project("guest TLB invalidation, v3 and repaired"))
    case .failuresArmed:
      return Explanation(
        "fail", "the next \(value) insertions and \(extra) erasures will fail",
        "GFP_NOWAIT may find no memory; the scenario says when.", .reverseMap("GFP_NOWAIT"))
    default: return nil
    }
  }

  /// Steps that pause an event, and those of L1's VNCR page.
  var pausingExplanation: Explanation? {
    switch action {
    case .pauseArmed:
      return Explanation(
        "pause", "the next event that can be stopped stops there, at or above \(at)",
        "Other events can then run in between.", .mmu("stage2_apply_range"))
    case .pauseUnused:
      return Explanation(
        "resume", "no event came to a place where it can be stopped: the pause is taken back",
        "A sweep stops at a gigabyte border only; a device's event, or a hypercall, between two actions.",
        .mmu("stage2_apply_range"))
    case .parked:
      return value == 1
        ? Explanation(
          "drop lock", "mmu_lock is dropped before \(at) of \(Phrase.table(table))",
          "A long sweep lets others run: a vCPU may fault, or another unmap start.",
          .mmu("cond_resched_rwlock_write"))
        : Explanation(
          "stop", "the event stops before \(at) of \(Phrase.table(table))",
          "Whoever is not in the middle of it goes on meanwhile: DMA gets what is there at this instant.",
          .project("pause"))
    case .resumed:
      return Explanation(
        "resume", "the paused event goes on where it stopped",
        "What it has looked at may have changed. A sweep takes mmu_lock again.",
        .mmu("stage2_apply_range"))
    case .vncrSet:
      return Explanation(
        "registers", "VNCR_EL2 = canonical \(at)",
        "L1 keeps a guest hypervisor's registers in this page.", .nested("kvm_map_l1_vncr"))
    case .vncrTranslated:
      return Explanation(
        "VNCR", "canonical \(at) → PA \(Phrase.address(value))",
        "KVM keeps this translation itself: it is no entry of a table, but must go like one.",
        .nested("kvm_translate_vncr"))
    case .vncrDropped:
      return Explanation(
        "VNCR", "the translation of canonical \(at) is dropped",
        "The page behind it may be another one soon.", .nested("kvm_invalidate_vncr_ipa"))
    default: return nil
    }
  }
}
