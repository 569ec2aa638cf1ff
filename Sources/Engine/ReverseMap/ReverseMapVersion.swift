/// The ways to find what a shadow maps of a canonical page, by the date of their posting.
///
/// This is the one list of them: `policy revmap=`, `--policies`, the comparison and their texts follow
/// from it. To add a version takes its code, and a case here.
public enum ReverseMapVersion: String, CaseIterable, Sendable {
  /// Linux 7.3.4.
  case none
  /// The first posting.
  case v1
  /// The second posting.
  case v2
  /// The third posting.
  case v3
  /// The kernel of the captures in `patched`.
  case repaired
  /// What no kernel has, to compare with.
  case ideal

  /// What is known of a version.
  private struct Facts {
    let summary: String
    let policy: any ReverseMapPolicy
  }

  private var facts: Facts {
    switch self {
    case .none:
      Facts(
        summary: "Linux 7.3.4, every shadow is emptied", policy: NoReverseMap())
    case .v1: Facts(summary: "the first posting of a reverse map, 2026-03-30", policy: RangeMap.v1)
    case .v2: Facts(summary: "the second posting, 2026-04-11", policy: RangeMap.v2)
    case .v3:
      Facts(
        summary: "the third posting, 2026-05-10, as far as its cover letter tells",
        policy: RangeMap.v3)
    case .repaired:
      Facts(
        summary: "v2's insertion without its holes, as in the captures in patched",
        policy: RangeMap.repaired)
    case .ideal:
      Facts(
        summary: "an exact multimap, which removes what has to go and nothing else",
        policy: ExactMap())
    }
  }

  /// Its name, as it is typed.
  public var name: String { rawValue }
  /// What it is, in a line, without a full stop.
  public var summary: String { facts.summary }
  /// The version itself.
  var policy: any ReverseMapPolicy { facts.policy }
  /// How the words of its tree are to be read.
  public var encoding: ReverseMapEncoding { policy.encoding }

  /// The names of all, with commas.
  public static var names: String { allCases.map(\.name).joined(separator: ", ") }
}

/// How a version writes an entry of its tree into a word.
public struct ReverseMapEncoding: Equatable, Sendable {
  /// The bit that is set in an entry whose address is known, or nil if there is none.
  public let validBit: Int?
  /// Whether the tree is sorted by nested IPA, with canonical ones in the words; else it is the other
  /// way round.
  public let isKeyedByNested: Bool
}
