/// A realm's memory. The address is the realm's; physical addresses are operands.
package enum RealmStep: StepFamily {
  /// A granule gets a state.
  case granule(GranuleState, page: UInt64)
  /// An RMI call replaces an entry that is not a table's, or by one that is not.
  case entry(Descriptor, from: Descriptor, by: RealmCall)
  /// A page of the realm is filled with zeros.
  case zeroed(page: UInt64)
  /// The realm uses an address whose RIPAS is DESTROYED.
  case destroyedAccess
  /// Granule protection blocks the host's access to a page; the address is the VMM's.
  case granuleFault(page: UInt64)

  package var facts: Step.Facts {
    switch self {
    case .granule, .zeroed: Step.Facts(.ownership, .realm)
    case .entry(let new, _, _) where new.isValid: Step.Facts(.leafMade, .realm, weight: 2)
    case .entry: Step.Facts(.entryReplaced, .realm)
    case .destroyedAccess: Step.Facts(.remark, .realm, weight: 3)
    case .granuleFault: Step.Facts(.refusal, .realm)
    }
  }

  /// The entry that the step stores in the table; nil if it stores none.
  package var result: Descriptor? {
    switch self {
    case .entry(let new, _, _): new
    case .granule, .zeroed, .destroyedAccess, .granuleFault: nil
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .granule(let state, let page):
      Explanation(
        "granule", "PA \(Phrase.address(page)) becomes \(state.name)", state.meaning,
        .rmm("granule state"))
    case .entry(let new, let old, let call):
      Explanation(
        "RTT entry",
        "level \(step.level) at \(step.at): \(Self.entry(old, level: step.level)) → "
          + Self.entry(new, level: step.level),
        "\(call.name). \(call.meaning)", .realmManager(call.function))
    case .zeroed(let page):
      Explanation(
        "zero", "PA \(Phrase.address(page)) is filled with zeros",
        "The host must not read what the realm left there.",
        .realmManager(RealmCall.destroyData.function))
    case .destroyedAccess:
      Explanation(
        "EFAULT", "the realm exits: the RIPAS of \(step.at) is DESTROYED",
        "The host took memory away that the realm relied on. The RMM does not let it be replaced.",
        .rmm("RIPAS DESTROYED, realm entry exit"))
    case .granuleFault(let page):
      Explanation(
        "GPF", "the host is stopped at PA \(Phrase.address(page))",
        "The granule is not the host's: the hardware checks every access against the granule protection table.",
        .architecture("RME, granule protection check"))
    }
  }

  /// A phrase for an entry of a realm's table.
  static func entry(_ entry: Descriptor, level: Int) -> String {
    if entry.isValid || entry.isLocked { return Phrase.entry(entry, level: level) }
    let realmEntry = RealmEntry(entry)
    let state = Phrase.name(of: realmEntry.state)
    return realmEntry.isAssigned
      ? "assigned \(Phrase.address(entry.address)), \(state)" : "unassigned, \(state)"
  }
}

extension GranuleState {
  fileprivate var meaning: String {
    switch self {
    case .undelegated: "It is the host's again, in the granule protection table also."
    case .delegated: "It is the RMM's: the granule protection table keeps the host from it."
    case .data:

      "It is the realm's memory, at exactly one address. The GPT does not change."
    case .table:

      "It is a page of the realm's table. The host delegates it before; here in one step."
    }
  }
}
