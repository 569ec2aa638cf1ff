import Engine

extension Step {
  /// Steps of a realm's memory.
  var realmExplanation: Explanation? {
    switch action {
    case .granule:
      let state = GranuleState(rawValue: value) ?? .undelegated
      return Explanation(
        "GPT", "PA \(Phrase.address(extra)) becomes \(state.name)", state.meaning,
        .rmm("granule state"))
    case .realmEntry:
      return Explanation(
        "RTT entry",
        "level \(level) at \(Phrase.address(address)): \(Phrase.realmEntry(extra, level: level)) → "
          + Phrase.realmEntry(value, level: level),
        "One edit, and CPUs and devices lose it alike: they walk the same table.",
        .rmm("RTT entry"))
    case .pageZeroed:
      return Explanation(
        "zero", "PA \(Phrase.address(extra)) is filled with zeros",
        "The host must not read what the realm left there.", .rmm("RMI_DATA_DESTROY"))
    case .granuleFault:
      return Explanation(
        "GPF", "the host is stopped at PA \(Phrase.address(value))",
        "The granule is not the host's: the hardware checks every access against its protection table.",
        .architecture("RME, granule protection check"))
    default: return nil
    }
  }
}

extension GranuleState {
  /// Its name in the specification.
  public var name: String {
    switch self {
    case .undelegated: "UNDELEGATED"
    case .delegated: "DELEGATED"
    case .data: "DATA"
    case .table: "RTT"
    }
  }

  var meaning: String {
    switch self {
    case .undelegated: "It is the host's again."
    case .delegated: "It is the RMM's, and the host cannot reach it any more."
    case .data: "It is memory of the realm, at one address only."
    case .table: "It is a page of the realm's table."
    }
  }
}

extension Phrase {
  /// What an entry of a realm's table is.
  static func realmEntry(_ bits: UInt64, level: Int) -> String {
    if bits & 1 != 0 { return entry(bits, level: level) }
    let state = ["EMPTY", "RAM", "DESTROYED", "?"][Int(bits >> 5 & 3)]
    return bits & 4 == 0
      ? "unassigned, \(state)" : "assigned \(address(bits & Descriptor.addressMask)), \(state)"
  }
}

extension RealmOperation {
  /// The operation as a sentence.
  var sentence: String {
    switch self {
    case .delegate(let range): "The host delegates the memory behind \(Self.span(range))."
    case .undelegate(let range): "The host takes the memory behind \(Self.span(range)) back."
    case .createTable(let ipa, let level):
      "The host has a level \(level) table made at \(Phrase.address(ipa)) (RMI_RTT_CREATE)."
    case .fold(let ipa, let level):
      "The host has the level \(level) table at \(Phrase.address(ipa)) folded (RMI_RTT_FOLD)."
    case .destroyTable(let ipa, let level):
      "The host has the level \(level) table at \(Phrase.address(ipa)) destroyed."
    case .createData(let ipa):
      "The host gives the realm a page at \(Phrase.address(ipa)) (RMI_DATA_CREATE_UNKNOWN)."
    case .destroyData(let ipa):
      "The host takes the realm's page at \(Phrase.address(ipa)) (RMI_DATA_DESTROY)."
    case .setState(let range, let state):
      "The realm wants \(Self.span(range)) to be \(Phrase.name(of: state))."
    }
  }

  private static func span(_ range: Range<UInt64>) -> String {
    "\(Phrase.size(range.upperBound - range.lowerBound)) at \(Phrase.address(range.lowerBound))"
  }
}
