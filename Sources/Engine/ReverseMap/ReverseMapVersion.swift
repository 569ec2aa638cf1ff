/// The ways to find a shadow's mappings of a canonical page, by date of posting.
///
/// This is the only list of them: `policy revmap=`, `--policies`, the comparison and their texts follow
/// from it. A new version needs its code, and a case here.
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
  /// In no kernel; a baseline for comparison.
  case ideal

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
        summary: "an exact multimap, which removes the leaves that map taken memory and no others",
        policy: ExactMap())
    }
  }

  /// Its name, as it is typed.
  public var name: String { rawValue }
  /// A one-line description, without a full stop.
  public var summary: String { facts.summary }
  /// Its implementation.
  var policy: any ReverseMapPolicy { facts.policy }
  /// How to read the words of its tree.
  public var encoding: ReverseMapEncoding { policy.encoding }

  /// The names of all, with commas.
  public static var names: String { allCases.map(\.name).joined(separator: ", ") }
}

/// How a version writes an entry of its tree into a word.
public struct ReverseMapEncoding: Equatable, Sendable {
  /// The bit set in an entry whose address is known, or nil if there is none.
  public let validBit: Int?
  /// Whether the tree is sorted by nested IPA, with canonical ones in the words; else the reverse.
  public let isKeyedByNested: Bool
}
