import Engine

extension Step.Action {
  /// Name of the case in its family.
  package var caseName: String {
    guard let family = Mirror(reflecting: self).children.first?.value else { return "\(self)" }
    return Mirror(reflecting: family).children.first?.label ?? "\(family)"
  }
}
