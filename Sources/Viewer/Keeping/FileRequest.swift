/// Something that the program has to do with a file, because the model does nothing outside itself.
public enum FileRequest: Equatable, Sendable {
  /// Keep the session in a file, or without a name in the one that it came from.
  case write(String?)
  /// Record what is done from now on into a new file; nil to end that.
  case record(String?)
  /// Write the history on the screen as a scenario.
  case exportScenario(String)
  /// Write the frame as it is now; the end of the name says as what.
  case shot(String)
}

/// What a program needs to know besides to do what a file is wanted for.
public struct FileWish: Equatable, Sendable {
  /// What is to be done.
  public let request: FileRequest
  /// Whether a file that is there may be replaced by another.
  public let replaces: Bool
  /// Whether the program ends when it is done.
  public let thenQuits: Bool

  init(_ request: FileRequest, replaces: Bool = false, thenQuits: Bool = false) {
    self.request = request
    self.replaces = replaces
    self.thenQuits = thenQuits
  }
}
