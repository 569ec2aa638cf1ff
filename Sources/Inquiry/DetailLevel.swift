/// The level of detail.
public enum DetailLevel: String, CaseIterable, Sendable {
  /// The names of all, with commas.
  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

  /// What happens and why, in words.
  case plain
  /// Also the cost and the source of the rule.
  case engineer
  /// Also every word that changed, and entries as numbers.
  case bits
}
