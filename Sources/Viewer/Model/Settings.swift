import Inquiry

/// The user's settings when the screen opens.
public struct Settings: Equatable, Sendable {
  /// The keys of all actions.
  public var keyMap: KeyMap
  /// The level of detail.
  public var detailLevel: DetailLevel
  /// Whether the mouse is used from the start.
  public var usesMouse: Bool
  /// The file and moment at the last close, to resume there.
  public var lastPlace: LastTime.Place?
  /// A file with unsaved work from the last time, when the program was killed.
  public var unsaved: String?
  /// Whether the layout is that for a projector.
  public var isPresenting: Bool
  /// Whether the screen opens with the list of what can be opened.
  public var showsStart: Bool

  /// Settings; without arguments, the defaults.
  public init(
    keyMap: KeyMap = KeyMap(), detailLevel: DetailLevel = .engineer, usesMouse: Bool = false,
    lastPlace: LastTime.Place? = nil, isPresenting: Bool = false, showsStart: Bool = false
  ) {
    self.keyMap = keyMap
    self.detailLevel = detailLevel
    self.usesMouse = usesMouse
    self.lastPlace = lastPlace
    self.isPresenting = isPresenting
    self.showsStart = showsStart
  }
}
