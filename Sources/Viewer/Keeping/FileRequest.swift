/// A file operation for the program, since the model has no effects outside itself.
public enum FileRequest: Equatable, Sendable {
  /// Save the session in a file, or without a name in the one from which it came.
  case write(String?)
  /// Record from now on into a new file; nil to stop.
  case record(String?)
  /// Write the history on the screen as a scenario.
  case exportScenario(String)
  /// Write the current frame; the extension of the name gives the format.
  case shot(String)
}

/// A file request with its conditions.
public struct FileWish: Equatable, Sendable {
  /// The request.
  public let request: FileRequest
  /// Whether an existing file may be replaced.
  public let replaces: Bool
  /// Whether the program ends afterwards.
  public let thenQuits: Bool

  init(_ request: FileRequest, replaces: Bool = false, thenQuits: Bool = false) {
    self.request = request
    self.replaces = replaces
    self.thenQuits = thenQuits
  }
}
