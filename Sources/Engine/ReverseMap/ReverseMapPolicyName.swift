/// The ways to find what a shadow maps of a canonical page.
public enum ReverseMapPolicyName: String, CaseIterable, Sendable {
  /// Linux 7.3.4: no reverse map; every shadow is unmapped completely.
  case none
}
