/// What L1, as a hypervisor, does to the machine.
package enum GuestStep: StepFamily {
  /// L1 writes its registers.
  case context(VTTBR, VTCR)
  /// L1 invalidates under a virtual VMID.
  case invalidation(vmid: UInt16?)
  /// A number of granules takes several instructions: `ranges` range ones, and perhaps a single one.
  case rangeTaken(granules: UInt64, ranges: Int, single: Bool)
  /// L2 invalidates its stage 1.
  case stage1Invalidation
  /// L1 writes VNCR_EL2; the address is a canonical IPA.
  case vncrSet
  /// KVM translates L1's VNCR page to a physical address.
  case vncrTranslated(to: UInt64)
  /// L1's VNCR page lies in no memory slot.
  case vncrOutside
  /// The VMM has no memory for L1's VNCR page.
  case vncrUnbacked
  /// KVM drops that translation, to a physical address.
  case vncrDropped(UInt64)

  package var facts: Step.Facts {
    switch self {
    case .context: Step.Facts(.setting, .guestContext, .none, weight: 2)
    case .invalidation: Step.Facts(.trigger, .guestInvalidation, .none, weight: 2)
    case .rangeTaken: Step.Facts(.plan, .guestInvalidation)
    case .stage1Invalidation: Step.Facts(.setting, .stage1Invalidation, .none)
    case .vncrSet, .vncrTranslated, .vncrDropped: Step.Facts(.setting, .vncr)
    case .vncrOutside, .vncrUnbacked: Step.Facts(.injection, .vncr, weight: 3)
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .context(let vttbr, let vtcr):
      return Explanation(
        "registers",
        "VTTBR_EL2 = \(Phrase.address(vttbr.bits)), VTCR_EL2 = \(Phrase.address(vtcr.bits))",
        "L1 sets up stage 2 for its guest. KVM chooses a shadow when that guest next runs.",
        .nested("lookup_s2_mmu"))
    case .invalidation(nil):
      return Explanation(
        "TLBI", "L1 invalidates under all of its VMIDs; this applies to every shadow",
        "To L1 the shadow tables are its TLB: what it invalidates must be removed from them.",
        .sysRegs("handle_alle1is"))
    case .invalidation(let vmid?):
      return Explanation(
        "TLBI",
        "L1 invalidates under its VMID \(vmid); this applies to every shadow with that VMID",
        "To L1 the shadow tables are its TLB: what it invalidates must be removed from them.",
        .nested("kvm_s2_mmu_iterate_by_vmid"))
    case .rangeTaken(let granules, let ranges, let single):
      let parts = [
        ranges > 0 ? "\(ranges) of RIPAS2E1IS" : nil,
        single ? "1 of IPAS2E1IS for the \(ranges > 0 ? "last" : "granule")" : nil,
      ]
      return Explanation(
        "TLBI",
        "\(granules) granule\(granules == 1 ? "" : "s"): \(parts.compactMap { $0 }.joined(separator: ", "))",
        "An operand of RIPAS2E1IS holds (NUM + 1) << (5 * SCALE + 1) granules, so L1 needs these "
          + "instructions, one after the other.",
        .architecture("C5.5, TLBI RIPAS2E1IS"))
    case .stage1Invalidation:
      return Explanation(
        "TLBI", "L2 invalidates its stage 1: no stage-2 table changes",
        "Stage-1 translations are not in a shadow table.", .sysRegs("handle_tlbi_el1"))
    case .vncrSet:
      return Explanation(
        "registers", "VNCR_EL2 = canonical \(step.at)",
        "L1 keeps a guest hypervisor's registers in this page.", .nested("kvm_map_l1_vncr"))
    case .vncrTranslated(let page):
      return Explanation(
        "VNCR", "canonical \(step.at) → PA \(Phrase.address(page))",
        "KVM keeps this translation itself. It is not a table entry, but must be invalidated like one.",
        .nested("kvm_translate_vncr"))
    case .vncrOutside:
      return Self.vncrAbort(step, "is in no memory slot")
    case .vncrUnbacked:
      return Self.vncrAbort(step, "has no memory of the VMM")
    case .vncrDropped:
      return Explanation(
        "VNCR", "the translation of canonical \(step.at) is dropped",
        "Another page may be mapped there soon.", .nested("kvm_invalidate_vncr_ipa"))
    }
  }

  private static func vncrAbort(_ step: Step, _ why: String) -> Explanation {
    Explanation(
      "VNCR", "canonical \(step.at) \(why): L1 is given an external abort",
      "L2 uses a register that is kept in the page. The syndrome says VNCR, so that L1 knows it is not L2's own "
        + "access.",
      .nested("kvm_handle_vncr_abort"))
  }
}
