/// The ways to find what a shadow maps of a canonical page, by the date of their posting.
public enum ReverseMapPolicyName: String, CaseIterable, Sendable {
  /// Linux 7.3.4: no reverse map; every shadow is unmapped completely.
  case none
  /// The first posting, 2026-03-30.
  case v1
  /// The second posting, 2026-04-11, to the letter.
  case v2
  /// The third posting, 2026-05-10, as far as its cover letter tells.
  case v3
  /// What the kernel of the captures in `patched` does: v2's insertion without its holes.
  case repaired
  /// An exact multimap: removes what has to go, and nothing else.
  case ideal

  /// The policy itself.
  var policy: any ReverseMapPolicy {
    switch self {
    case .none: NoReverseMap()
    case .v1: RangeMap.v1
    case .v2: RangeMap.v2
    case .v3: RangeMap.v3
    case .repaired: RangeMap.repaired
    case .ideal: ExactMap()
    }
  }
}
