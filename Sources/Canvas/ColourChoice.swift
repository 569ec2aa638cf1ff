/// The user's choice about colour (`--color`).
public enum ColourChoice: String, CaseIterable, Sendable {
  /// Colour where the environment and the output allow it.
  case auto
  /// Colour everywhere, also in files.
  case always
  /// No colour.
  case never

  /// Decides how many colours to use; the first rule that applies wins:
  ///
  /// 1. the choice itself, unless it is ``auto``;
  /// 2. `NO_COLOR`, set and not empty: none;
  /// 3. `TERM`, unset or `dumb`: none;
  /// 4. `CLICOLOR_FORCE`, not empty and not `0`: colour, whatever the output is;
  /// 5. what the terminal can show; none if the output is not a terminal.
  ///
  /// Forced colour on a terminal that claims to have none means the basic eight.
  ///
  /// - Parameters:
  ///   - environment: The value of an environment variable, nil if it is unset.
  ///   - isTerminal: Whether the output is a terminal.
  ///   - capability: What the terminal of that name can show.
  public func depth(
    environment: (String) -> String?, isTerminal: Bool, capability: ColourDepth
  ) -> ColourDepth {
    let forced = capability == .mono ? ColourDepth.eight : capability
    switch self {
    case .always: return forced
    case .never: return .mono
    case .auto: break
    }
    if environment("NO_COLOR").map({ !$0.isEmpty }) ?? false { return .mono }
    if Self.isDumb(environment("TERM")) { return .mono }
    if let force = environment("CLICOLOR_FORCE"), force != "", force != "0" { return forced }
    return isTerminal ? capability : .mono
  }

  /// Whether a value of `TERM` names a terminal on which the cursor cannot be moved, so that there
  /// is neither colour nor a screen.
  public static func isDumb(_ term: String?) -> Bool {
    term == nil || term == "" || term == "dumb"
  }
}
