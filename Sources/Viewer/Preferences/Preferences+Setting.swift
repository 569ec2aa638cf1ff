import Canvas
import Inquiry

extension Preferences {
  /// A name of the configuration that has a value.
  public enum Setting: String, CaseIterable, Sendable {
    case theme, color, ascii, mouse, detail, remember

    /// The values that it may have.
    public var values: [String] {
      switch self {
      case .theme: Theme.allCases.map(\.rawValue)
      case .color: ColourChoice.allCases.map(\.rawValue)
      case .ascii, .mouse, .remember: ["on", "off"]
      case .detail: DetailLevel.allCases.map(\.rawValue)
      }
    }
  }

  /// The value of a setting, one of its `values`, and its origin.
  func value(of setting: Setting) -> (text: String, origin: Origin) {
    func text(_ choice: Choice<Bool>) -> (String, Origin) {
      (choice.value ? "on" : "off", choice.origin)
    }
    return switch setting {
    case .theme: (theme.value.rawValue, theme.origin)
    case .color: (colour.value.rawValue, colour.origin)
    case .ascii: text(ascii)
    case .mouse: text(mouse)
    case .detail: (detail.value.rawValue, detail.origin)
    case .remember: text(remember)
    }
  }

  /// Chooses one of the `values` of a setting; any other text chooses nothing.
  mutating func choose(_ text: String, for setting: Setting, _ origin: Origin) {
    let isOn = ["on": true, "off": false][text]
    switch setting {
    case .theme: theme.choose(Theme(rawValue: text), origin)
    case .color: colour.choose(ColourChoice(rawValue: text), origin)
    case .ascii: ascii.choose(isOn, origin)
    case .mouse: mouse.choose(isOn, origin)
    case .detail: detail.choose(DetailLevel(rawValue: text), origin)
    case .remember: remember.choose(isOn, origin)
    }
  }
}
