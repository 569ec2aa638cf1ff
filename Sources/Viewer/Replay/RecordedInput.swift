import Canvas
import Recording

/// The text of an input in a recording. A key's command is recorded by the name of its action, so that it
/// means the same with other key bindings.
extension Model {
  /// The input as text, before it is done; nil if it is not recorded.
  public func recorded(_ input: Input) -> String? {
    switch input {
    case .key(let key):
      guard prompt == nil, pending == nil, let command = keyMap.command(for: key) else {
        return "key \(key)"
      }
      return "do \(command.action.rawValue)"
        + (command.argument.isEmpty ? "" : " " + command.argument)
    case .paste(let text): return "paste " + RecordingWords.quoted(text)
    case .mouse(let mouse): return "mouse \(mouse.action.name) \(mouse.point.x) \(mouse.point.y)"
    case .resize(let width, let height): return "size \(width) \(height)"
    case .tick, .end: return nil
    }
  }

  /// Carries out a recorded input. Returns the effects left for the program; nil if the text is not an input.
  mutating func update(recorded text: String) -> [Effect]? {
    var words = RecordingWords(text)
    switch words.next() {
    case "key": return Key(spelling: words.takeRemainder()).map { updateSession(.key($0)) }
    case "do":
      guard let action = words.next().flatMap({ Action(rawValue: $0) }) else { return nil }
      message = nil
      let effects = begin(Command(action, words.takeRemainder()))
      settle()
      return effects
    case "paste": return words.next().map { updateSession(.paste($0)) }
    case "mouse":
      guard let action = words.next().flatMap({ Mouse.Action(name: $0) }),
        let x = words.next().flatMap({ Int($0) }), let y = words.next().flatMap({ Int($0) })
      else { return nil }
      return updateSession(.mouse(Mouse(action, at: Point(x, y))))
    case "size":
      guard let width = words.next().flatMap({ Int($0) }),
        let height = words.next().flatMap({ Int($0) }), width > 0, height > 0
      else { return nil }
      return updateSession(.resize(width: width, height: height))
    default: return nil
    }
  }
}

extension Mouse.Action {
  private static let names: [(Mouse.Action, String)] = [
    (.click, "click"), (.doubleClick, "double-click"), (.wheelUp, "wheel-up"),
    (.wheelDown, "wheel-down"),
  ]

  fileprivate var name: String { Self.names.first { $0.0 == self }?.1 ?? "" }

  fileprivate init?(name: String) {
    guard let action = Self.names.first(where: { $0.1 == name })?.0 else { return nil }
    self = action
  }
}
