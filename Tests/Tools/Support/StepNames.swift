import Engine

extension Step.Action {
  private var family: Any { Mirror(reflecting: self).children.first?.value ?? self }

  /// Name of the family's type.
  package var familyName: String { "\(type(of: family))" }

  /// Name of the case in its family.
  package var caseName: String {
    Mirror(reflecting: family).children.first?.label ?? "\(family)"
  }
}
