import Canvas
import Viewer

/// The note for debugging pagewalk if a fault ends it: the open file, the moment, and the
/// keys that led there.
struct FaultNote {
  private static let inputsAtMost = 40

  private var scenario: SafeText
  private let terminal: SafeText
  private var inputs: [String] = []

  init(scenario: String, terminal: String) {
    self.scenario = SafeText(scenario)
    self.terminal = SafeText(terminal)
  }

  /// Notes what is open now.
  mutating func opened(_ scenario: String) { self.scenario = SafeText(scenario) }

  /// Notes a user input.
  mutating func add(_ input: Input) {
    switch input {
    case .key(let key): inputs.append("\(key)")
    case .mouse(let mouse): inputs.append("\(mouse.action)@\(mouse.point.x),\(mouse.point.y)")
    case .paste(let text): inputs.append("paste of \(text.unicodeScalars.count)")
    case .resize(let width, let height): inputs.append("\(width)x\(height)")
    case .tick, .end: return
    }
    if inputs.count > Self.inputsAtMost { inputs.removeFirst() }
  }

  /// The lines of the note at the current moment. Parts of unlimited length come last.
  func lines(_ model: Model) -> [SafeText] {
    let timeline = model.session.timeline
    let moment = timeline.moment
    return [
      "pagewalk \(SafeText(Versions().program)): a fault of its own, please report it with these lines",
      "moment: \(moment.events).\(moment.steps) of \(timeline.events.count), before the last key",
      "terminal: \(terminal)",
      "keys: \(SafeText(inputs.joined(separator: " ")))",
      "scenario: \(scenario)",
    ]
  }
}
