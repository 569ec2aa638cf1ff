/// What a dump of a real kernel's table showed: no step of a kernel.
package enum SightStep: StepFamily {
  /// So many entries were seen, of which this is the first.
  case seen(Descriptor, count: UInt64)
  /// What a range is was not told.
  case unseen
  /// A shadow serves registers of L1.
  case serves(VTTBR, VTCR, isOn: Bool)
  /// A shadow serves nobody.
  case unused
  /// A reverse map has an entry; its nested IPA is nil if unknown.
  case entry(nested: UInt64?)
  /// A reverse map has no entry in a range.
  case noEntry
  /// What a reverse map has in a range was not told.
  case mapUnseen

  package var facts: Step.Facts {
    switch self {
    case .seen: Step.Facts(.seen, .sight, weight: 2)
    case .unseen: Step.Facts(.seen, .sight, weight: 1)
    case .serves, .unused: Step.Facts(.setting, .sight, .none, weight: 2)
    case .entry, .noEntry, .mapUnseen: Step.Facts(.setting, .sight, .canonical, weight: 2)
    }
  }

  /// The entry, or the first of the entries, that the step leaves in the table; nil where it stores none.
  package var result: Descriptor? {
    switch self {
    case .seen(let first, _): first
    case .unseen: Descriptor(Descriptor.unseen)
    case .serves, .unused, .entry, .noEntry, .mapUnseen: nil
    }
  }

  /// Whether it is what a dump of a reverse map showed.
  package var isOfReverseMap: Bool {
    switch self {
    case .entry, .noEntry, .mapUnseen: true
    case .seen, .unseen, .serves, .unused: false
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .seen(let first, let count):
      return Explanation(
        "seen",
        "level \(step.level) at \(step.at) in \(Phrase.table(step.table)): "
          + Phrase.entry(first, level: step.level)
          + (count > 1 ? ", \(count) entries of \(Phrase.size(step.size))" : ""),
        "The dump shows it. When it came to be, and by what, is not known.", Self.dump)
    case .unseen:
      return Explanation(
        "not told", "\(step.span) of \(Phrase.table(step.table))",
        "No dump has a row for it at this moment, so nobody knows what is there.", Self.dump)
    case .serves(let vttbr, let vtcr, let isOn):
      return Explanation(
        "seen",
        "\(Phrase.table(step.table)): VTTBR_EL2 = \(Phrase.address(vttbr.bits)), "
          + "VTCR_EL2 = \(Phrase.address(vtcr.bits)), stage 2 \(isOn ? "on" : "off")",
        "The dump shows the registers of L1 that the shadow serves.", Self.dump)
    case .unused:
      return Explanation(
        "seen", "\(Phrase.table(step.table)) serves nobody",
        "The dump is empty, as for an unused shadow.", Self.dump)
    case .entry(let nested):
      return Explanation(
        "seen",
        "canonical \(step.span) in the reverse map of \(Phrase.table(step.table)): nested "
          + (nested.map(Phrase.address) ?? "unknown"),
        "The dump shows it. When it was recorded is not known.", Self.mapDump)
    case .noEntry:
      return Explanation(
        "seen",
        "no entry for canonical \(step.span) in the reverse map of \(Phrase.table(step.table))",
        "The dump has no such row any more. When it went is not known.", Self.mapDump)
    case .mapUnseen:
      return Explanation(
        "not told", "canonical \(step.span) in the reverse map of \(Phrase.table(step.table))",
        "No dump of the map was read at this moment, or it broke off, so nobody knows what is there.",
        Self.mapDump)
    }
  }

  /// Linux 7.3.4 has no reverse map.
  private static let mapDump = Source.project("dump of a reverse map")
  private static let dump = Source("arch/arm64/kvm/ptdump.c", "kvm_ptdump_visitor")
}
