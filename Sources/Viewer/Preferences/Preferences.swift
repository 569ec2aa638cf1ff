import Canvas
import Inquiry

/// The user's choices, and their origins: on the command line, in the environment, in the user's file or
/// in the system's, in this order.
public struct Preferences: Sendable {
  /// Where a value comes from.
  public enum Origin: Equatable, Sendable {
    /// The default.
    case standard
    /// A line of the configuration.
    case file(String, line: Int)
    /// It was chosen on the screen, the last time.
    case lastTime
    /// A variable of the environment.
    case environment(String)
    /// An option of the command.
    case option(String)
  }

  /// A value that can be chosen.
  public struct Choice<Value: Sendable & Equatable>: Sendable {
    /// The value.
    public private(set) var value: Value
    /// Where it comes from.
    public private(set) var origin = Origin.standard

    init(_ value: Value) { self.value = value }

    /// Chooses another value, if there is one.
    public mutating func choose(_ value: Value?, _ origin: Origin) {
      guard let value else { return }
      self.value = value
      self.origin = origin
    }

    /// Changes the value of the same choice.
    mutating func amend(_ value: Value) { self.value = value }
  }

  /// The colours of the roles.
  public var theme = Choice(Theme.dark)
  /// Whether there are colours.
  public var colour = Choice(ColourChoice.auto)
  /// Whether only ASCII is drawn.
  public var ascii = Choice(false)
  /// Whether the mouse is used from the start.
  public var mouse = Choice(false)
  /// The level of detail.
  public var detail = Choice(DetailLevel.engineer)
  /// Whether the file and the moment at which the screen closes are kept for the next time.
  public var remember = Choice(true)
  /// The file and moment at the last close, if kept and usable.
  public private(set) var lastPlace: LastTime.Place?
  /// The keys of actions whose keys are not the default.
  public internal(set) var keys: [Action: Choice<[Key]>] = [:]

  /// The defaults.
  public init() {}

  /// Reads the environment's variables: `PAGEWALK_THEME`; `NO_COLOR`, which overrides a file's colour;
  /// and `CLICOLOR_FORCE`, unless that or a dumb terminal overrides it.
  ///
  /// - Parameter value: The value of a variable, nil if it is unset.
  /// - Throws: what was expected, if a value is invalid.
  public mutating func read(environment value: (String) -> String?) throws(PreferenceError) {
    if let name = value("PAGEWALK_THEME"), !name.isEmpty {
      guard let theme = Theme(rawValue: name) else {
        throw PreferenceError(
          message: "PAGEWALK_THEME: expected \(Theme.names), not '\(SafeText(name))'")
      }
      self.theme.choose(theme, .environment("PAGEWALK_THEME"))
    }
    if let text = value("NO_COLOR"), !text.isEmpty {
      colour.choose(.never, .environment("NO_COLOR"))
    } else if let force = value("CLICOLOR_FORCE"), force != "", force != "0",
      !ColourChoice.isDumb(value("TERM"))
    {
      colour.choose(.always, .environment("CLICOLOR_FORCE"))
    }
  }

  /// Takes over the kept place, and the last time's choices on the screen, unless something else was
  /// chosen.
  public mutating func read(_ lastTime: LastTime) {
    guard remember.value else { return }
    lastPlace = lastTime.place
    if detail.origin == .standard { detail.choose(lastTime.detail, .lastTime) }
  }

  /// The keys of all actions.
  public var keyMap: KeyMap {
    var map = KeyMap()
    for action in keys.keys { map.unbind(action) }
    for action in Action.allCases {
      for key in keys[action]?.value ?? [] { map.bind(key, to: action) }
    }
    return map
  }

  /// The settings with which the screen opens.
  public var settings: Settings {
    Settings(keyMap: keyMap, detailLevel: detail.value, usesMouse: mouse.value)
  }
}

/// An error in an environment variable.
public struct PreferenceError: Error {
  /// What was expected.
  public let message: SafeText
}

extension Theme {
  /// The names of all themes, for messages.
  static var names: SafeText {
    SafeText(allCases.map(\.rawValue).joined(separator: ", "))
  }
}

extension Preferences.Origin: CustomStringConvertible {
  /// The origin in a word or two: `default`, `FILE:LINE`, `environment NAME` or `option NAME`.
  public var description: String {
    switch self {
    case .standard: "default"
    case .file(let name, let line): "\(name):\(line)"
    case .lastTime: "last time"
    case .environment(let name): "environment \(name)"
    case .option(let name): "option \(name)"
    }
  }
}
