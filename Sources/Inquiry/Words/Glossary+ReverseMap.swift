extension Glossary {
  /// The reverse map, its policies, and the rules that are checked.
  static let reverseMap: [Entry] = [
    Entry(
      "reverse map", also: ["revmap"],
      "For one shadow, which nested IPA a canonical range is mapped at: canonical IPA range to nested "
        + "IPA. With it a notifier unmaps what it must, and not all.",
      shows: "the reverse map pane; revmap<N> of `pagewalk run --dump-dir`",
      see: ["direct map", "range tree", "known", "unknown", "broken", "policy"]),
    Entry(
      "direct map",
      "The other way round, nested IPA range to canonical IPA, kept in step with the reverse map so that "
        + "a TLBI by nested IPA finds the entries to forget.",
      shows: "the reverse map pane, under the policies that have it",
      see: ["reverse map", "forget", "revmap-mirror"]),
    Entry(
      "range tree", also: ["maple tree", "node", "pivot", "pivots"],
      "The balanced tree that holds a reverse map's ranges, in nodes of 256 bytes. A pivot is the last "
        + "address of a slot's range.",
      shows: "the reverse map pane", see: ["reverse map", "payload"]),
    Entry(
      "payload", also: ["VALID_ENTRY", "UNKNOWN_IPA"],
      "The word that a range holds: the nested IPA with a flag that it is valid, or the flag that it is "
        + "unknown. Versions encode it differently.",
      shows: "the reverse map pane; steps at the level bits", see: ["known", "unknown", "v1", "v2"]),
    Entry(
      "known", "A range of a reverse map of which the nested IPA is recorded.",
      shows: "the reverse map pane", see: ["unknown", "record", "stale entry"]),
    Entry(
      "unknown", also: ["unknown IPA", "polluted"],
      "A range that is mapped somewhere in the shadow, and nobody knows where: when it is taken, all of the "
        + "shadow is unmapped. The postings call it polluted; pagewalk calls it unknown.",
      shows: "? in the reverse map pane; filter unknown", see: ["fuse", "full unmap", "known"]),
    Entry(
      "gap",
      "Canonical addresses of which a reverse map says nothing: no leaf of the shadow reaches them.",
      shows: "the reverse map pane, between ranges", see: ["known", "unknown", "broken"]),
    Entry(
      "record", also: ["insert", "keep"],
      "To write into the reverse map where a canonical range is about to be mapped: a new known entry, or "
        + "none because it is there already.",
      shows: "steps", see: ["reverse map", "fuse", "no record"]),
    Entry(
      "no record",
      "Nothing is recorded: the map is broken, or L1 has stage 2 off and this version does not.",
      shows: "steps", see: ["broken", "HCR.VM", "record"]),
    Entry(
      "fuse", also: ["widening", "overlap"],
      "Ranges that overlap become one, of which the nested IPA is unknown: an entry can hold one address "
        + "only.",
      shows: "steps", see: ["unknown", "alias", "record"]),
    Entry(
      "look up", "To ask the reverse map which nested range leads to a canonical one.",
      shows: "steps",
      see: ["reverse map", "known", "unknown", "notifier"]),
    Entry(
      "forget", also: ["mapping removal"],
      "To remove entries of nested IPAs that L1 invalidated, since their leaves are unmapped.",
      shows: "steps",
      see: ["direct map", "stale entry", "TLBI"]),
    Entry(
      "reset", also: ["complete", "whole"],
      "To empty the map of a shadow whose leaves are all about to be removed; the map then counts as complete "
        + "again.",
      shows: "steps", see: ["broken", "full unmap"]),
    Entry(
      "broken", also: ["nested_revmap_broken"],
      "An insertion failed, so that the absence of an entry proves nothing: whatever is taken, all of the "
        + "shadow is unmapped.",
      shows: "the reverse map pane; filter broken; steps",
      see: ["no memory", "reset", "GFP_NOWAIT"]),
    Entry(
      "no memory", also: ["ENOMEM", "fail"],
      "A tree needed a node and there was none. A scenario says when, by `revmap fail`.",
      shows: "steps",
      see: ["broken", "GFP_NOWAIT"]),
    Entry(
      "GFP_NOWAIT",
      "To allocate without sleeping, as one must under a spinlock. It can fail.",
      shows: "steps named fail",
      see: ["no memory", "revmap-sleep"]),
    Entry(
      "alias", also: ["aliases"],
      "One page that several nested IPAs lead to. An entry of a reverse map holds one address, so the "
        + "range becomes unknown.",
      shows: "a count on a leaf; the answer Aliases; filter alias",
      see: ["unknown", "fuse", "linked cursor"]),
    Entry(
      "stale entry",
      "A known entry of a reverse map without a leaf. Legal; it costs, since it may fuse with others.",
      shows: "the reverse map pane; `pagewalk compare`", see: ["forget", "stale", "known"]),
    Entry(
      "stale",
      "Not what the tables say any more, and legal so until a TLBI: a shadow leaf that L1's entry has "
        + "changed under, or a TLB entry.",
      shows: "~ after a row; filter stale", see: ["TLBI", "TLB", "stale entry"]),
    Entry(
      "policy", also: ["policies"],
      "The version of the reverse map that runs. The same events can be run under each.",
      shows: "the header; --policy; `pagewalk compare`",
      see: ["none", "v1", "v2", "v3", "repaired", "ideal"]),
    Entry(
      "none",
      "Linux 7.3.4: no reverse map; a notifier unmaps every shadow completely.",
      shows: "policy revmap=none", see: ["policy", "full unmap"]),
    Entry(
      "v1",
      "The posting of 2026-03-30: no valid flag, so nested IPA 0 is lost; no lock of its own; a failed "
        + "insertion fails the vCPU's run.",
      shows: "policy revmap=v1", see: ["policy", "v2"]),
    Entry(
      "v2",
      "The posting of 2026-04-11, to the letter: one tree for each shadow, and nothing forgotten at L1's "
        + "TLBI.",
      shows: "policy revmap=v2", see: ["policy", "v3", "stale entry"]),
    Entry(
      "v3",
      "The posting of 2026-05-10: v2 with a direct map, and entries forgotten at L1's TLBI. Known by its "
        + "cover letter.",
      shows: "policy revmap=v3", see: ["policy", "direct map", "repaired"]),
    Entry(
      "repaired",
      "v2's insertion with what its reviews found put right; keeps every rule that is checked.",
      shows: "policy revmap=repaired", see: ["policy", "v2", "ideal"]),
    Entry(
      "ideal",
      "Any number of nested IPAs for each canonical page, and no failure: it unmaps no leaf needlessly.",
      shows: "policy revmap=ideal", see: ["policy", "needed"]),
    Entry(
      "invariant", also: ["rules", "rule", "violation", "violations"],
      "A rule that must hold after every event. Where one does not, the event is marked.",
      shows: "the header; the timeline; filter violation; expect violation",
      see: [
        "leaf-outlives-page", "shadow-composition", "table-counts", "stale-tlb", "revmap-coverage",
      ]),
    Entry(
      "leaf-outlives-page",
      "Rule: a leaf maps a page that the VMM has at that place now.",
      shows: "violations", see: ["invariant", "notifier"]),
    Entry(
      "writable-leaf",
      "Rule: a leaf is writable only if the VMM's page is. Linux 7.3.4 breaks it where L1 changes an "
        + "entry without a TLBI and L2 writes.",
      shows: "violations", see: ["invariant", "relax", "stale"]),
    Entry(
      "shadow-composition",
      "Rule: a shadow leaf, when it is made, is L1's entry composed with canonical memory.",
      shows: "violations", see: ["invariant", "derivation", "stale"]),
    Entry(
      "table-counts", "Rule: the counts of table pages and of their entries are right.",
      shows: "violations", see: ["invariant", "table"]),
    Entry(
      "stale-shadow",
      "Rule: what L1's TLBI covers is in none of its shadows when it returns, and a shadow that is taken "
        + "over holds nothing of what it held for others.",
      shows: "violations", see: ["invariant", "stale"]),
    Entry(
      "stale-tlb",
      "Rule: no TLB entry leads to a page that its table no longer maps there, or permits what its leaf no "
        + "longer does, once the TLBI is done.",
      shows: "violations", see: ["invariant", "TLB"]),
    Entry(
      "revmap-coverage", also: ["uncovered"],
      "Rule: every shadow leaf is found when its page is taken: by a known entry, an unknown range, or a "
        + "broken map.",
      shows: "violations", see: ["invariant", "reverse map", "broken"]),
    Entry(
      "revmap-mirror", "Rule: reverse and direct map hold the same known entries.",
      shows: "violations", see: ["invariant", "direct map"]),
    Entry(
      "revmap-tree", "Rule: the trees of the reverse map are well formed.", shows: "violations",
      see: ["invariant", "range tree"]),
    Entry(
      "revmap-lock", "Rule: no map is changed under a lock that other vCPUs may hold too.",
      shows: "violations", see: ["invariant", "mmu_lock", "v1"]),
    Entry(
      "revmap-sleep", "Rule: no allocation may sleep while mmu_lock is held.", shows: "violations",
      see: ["invariant", "GFP_NOWAIT", "v1"]),
    Entry(
      "vncr rule", also: ["vncr-page"],
      "Rule (vncr): KVM's translation of L1's VNCR page leads to the page that the VMM has there now.",
      shows: "violations", see: ["invariant", "VNCR"]),
  ]
}
