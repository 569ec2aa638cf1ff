import Inquiry

/// What a person has chosen before the screen opens.
public struct Settings: Equatable, Sendable {
  /// Which key does what.
  public var keyMap: KeyMap
  /// How much is said at once.
  public var detailLevel: DetailLevel
  /// Whether the mouse is used from the start.
  public var usesMouse: Bool
  /// What was open when the screen closed last, for whoever wants to go on there.
  public var lastPlace: LastTime.Place?
  /// A file with what was not saved the last time, because the program was ended by force.
  public var unsaved: String?
  /// Whether the layout is that for a projector.
  public var isPresenting: Bool
  /// Whether the list of what can be opened lies over the screen at first.
  public var showsStart: Bool

  /// A choice; without arguments what is chosen for whoever has chosen nothing.
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
