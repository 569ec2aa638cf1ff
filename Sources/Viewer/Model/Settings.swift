import Inquiry

/// What a person has chosen before the screen opens.
public struct Settings: Equatable, Sendable {
  /// Which key does what.
  public var keyMap: KeyMap
  /// How much is said at once.
  public var detailLevel: DetailLevel
  /// Whether the mouse is used from the start.
  public var usesMouse: Bool

  /// A choice; without arguments what is chosen for whoever has chosen nothing.
  public init(
    keyMap: KeyMap = KeyMap(), detailLevel: DetailLevel = .engineer, usesMouse: Bool = false
  ) {
    self.keyMap = keyMap
    self.detailLevel = detailLevel
    self.usesMouse = usesMouse
  }
}
