/// What a reverse map records, answers and forgets.
extension ReferenceCard {
  private static let thread =
    "[PATCH v2 1/1] KVM: arm64: nv: Avoid full shadow s2 unmap (2026-04-11), "

  static let recording = ReferenceCard(
    "Recording the way back",
    [
      "Just before a leaf is mapped into a shadow, under mmu_lock and the tree's own lock, the canonical "
        + "range is recorded with the nested IPA.",
      "No recorded range overlaps: a known entry is stored. Exactly this entry is there: it stays. "
        + "Anything else fuses.",
    ],
    sources: [Self.thread + "kvm_record_nested_revmap"], see: ["record", "known", "fuse"])

  static let fusing = ReferenceCard(
    "Ranges that overlap become unknown",
    [
      "An entry has room for one nested IPA. If the new range overlaps others, or the same range is "
        + "mapped elsewhere, one range takes the place of all of them, as wide as their union, and says "
        + "unknown.",
      "Unknown never becomes known again, except when the whole map is reset. Two aliases are enough; so "
        + "is a page inside a recorded block, as dirty logging makes it.",
      "Example: [1000, 2000) at A and [5000, 7000) at B; [1800, 6000) comes: one range [1000, 7000), "
        + "unknown.",
    ],
    sources: [Self.thread + "kvm_record_nested_revmap"],
    see: ["fuse", "unknown", "alias", "full unmap"])

  static let brokenMap = ReferenceCard(
    "When there is no memory",
    [
      "An insertion can fail, since under the lock nothing may sleep. v1 failed the vCPU's run; later "
        + "versions call the map broken and go on without recording.",
      "From then on the absence of an entry proves nothing, so any removal empties the whole shadow, "
        + "and then the map counts as complete again.",
      "That clearing is a trap: if the sweep before it dropped mmu_lock, a leaf may have come behind it "
        + "while recording was still off. repaired clears first.",
    ],
    sources: [Self.thread + "nested_revmap_broken", "its review: no failure under the lock"],
    see: ["broken", "GFP_NOWAIT", "reset", "repaired"])

  static let stage2Off = ReferenceCard(
    "Stage 2 of L1 is off",
    [
      "L2 then runs on a shadow that maps canonical IPAs as they are. v2 records only if there is a leaf "
        + "of L1, so these leaves are in no map, and a notifier that trusts it leaves them behind.",
      "repaired records them too, each at its own address.",
    ],
    sources: [Self.thread + "if (s2fd->nested)"], see: ["HCR.VM", "no record", "repaired"])

  static let lookingUp = ReferenceCard(
    "What must go with canonical memory",
    [
      "For every valid shadow the map is asked for entries that overlap the range. A known one is erased "
        + "and its nested range unmapped, in its full length. At the first unknown one, or if the map is "
        + "broken, the map is reset and the whole shadow is unmapped.",
      "Nothing recorded means nothing to do. Under none there is no map, and every shadow goes "
        + "completely, each time.",
    ],
    sources: [
      Self.thread + "unmap_mmu_ipa_range, reset_revmap_and_unmap",
      "arch/arm64/kvm/mmu.c: kvm_unmap_gfn_range (7.3.4: the full unmap)",
    ],
    see: ["look up", "known", "unknown", "broken", "none"])

  static let sharedSweep = ReferenceCard(
    "Two sweeps of one shadow",
    [
      "One unmapper finds an unknown range, empties the map, sweeps the shadow and drops mmu_lock on the "
        + "way. Another one that comes in between finds an empty map and would return while its page is "
        + "still mapped further on.",
      "So while a sweep of a shadow is under way, repaired lets every other one sweep, too.",
    ],
    sources: ["pagewalk: policy repaired", "scenario bugs/two-unmappers"],
    see: ["sweep", "drop lock", "repaired"])

  static let forgetting = ReferenceCard(
    "What L1 invalidates is forgotten",
    [
      "A TLBI of L1 removes shadow leaves. If the map keeps their entries they are stale: harmless, but "
        + "when L1 maps the memory elsewhere they overlap it, and fuse to unknown.",
      "The map is ordered by canonical address and the TLBI names a nested one: v3 finds the entries by "
        + "a direct map kept beside it. Unknown ranges cannot be found that way and stay.",
    ],
    sources: [
      "the review of v2: drift", "v3 (2026-05-10), cover letter: direct map, removal at TLBI",
    ],
    see: ["forget", "direct map", "stale entry", "v3"])
}
