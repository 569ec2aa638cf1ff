/// Something that happened at the terminal.
public enum Input: Hashable, Sendable {
  /// A key was pressed.
  case key(Key)
  /// A text was pasted, with `\n` between its lines; must be made safe before it is shown.
  case paste(String)
  /// The mouse was used.
  case mouse(Mouse)
  /// The screen now has this many columns and rows, or must be redrawn.
  case resize(width: Int, height: Int)
  /// The time to wait for input has passed.
  case tick
  /// The terminal is gone: no input will follow.
  case end
}

/// A use of the mouse, which happens when a button goes down.
public struct Mouse: Hashable, Sendable {
  /// What was done.
  public enum Action: Hashable, Sendable {
    /// The first press of the left button, or one that is not part of a double click.
    case click
    /// The second press of the left button in the same cell, soon after the first.
    case doubleClick
    /// The wheel, away from the user.
    case wheelUp
    /// The wheel, towards the user.
    case wheelDown
  }

  /// What was done.
  public var action: Action
  /// The cell under the pointer.
  public var point: Point
  /// The keys held down meanwhile.
  public var modifiers: Key.Modifiers

  /// Makes a use of the mouse.
  public init(_ action: Action, at point: Point, modifiers: Key.Modifiers = []) {
    self.action = action
    self.point = point
    self.modifiers = modifiers
  }
}
