/// How much is said at once.
public enum DetailLevel: String, CaseIterable, Sendable {
  /// What happens and why, in words.
  case plain
  /// Also what it cost and where the rule comes from.
  case engineer
  /// Also every word that changed, and entries as numbers.
  case bits
}
