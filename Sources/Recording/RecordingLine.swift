import Engine
import Language

/// A line of a recording that is not a statement. It begins with `#@` and a keyword, so that a scenario
/// reader takes it for a comment; its last word is the checksum of the file so far.
///
/// This is the only list of them. `assets/recording.md` describes each.
package enum RecordingLine: Equatable {
  /// The versions of the file's writer; the first of these lines.
  case version(RecordingVersion)
  /// The first checksum: of all lines before.
  case chain
  /// The events are carried out under this policy instead of the scenario's own.
  case under(policy: String)
  /// A history begins.
  case history(name: String, SavedSession.Origin)
  /// A history gets another name.
  case name(history: Int, String)
  /// A statement at the end of a history other than the first.
  case statement(history: Int, Stamp, String)
  /// A moment gets a letter.
  case mark(SavedSession.Mark)
  /// A moment gets a text.
  case note(SavedSession.Note)
  /// Something was chosen on the screen; the last line with a name counts.
  case choice(SavedSession.Choice)
  /// The tables of a history after `events` events.
  case tables(history: Int, events: Int, [TableCheck])
  /// What follows was recorded live, on a screen of this size.
  case begin(width: Int, height: Int)
  /// An input, with the time and the ticks since the previous one.
  case input(milliseconds: Int, ticks: Int, String)
  /// The end of the recording.
  case end(events: Int)
  /// A keyword of a later version.
  case unknown(String)

  /// Whether what follows was recorded live.
  var isBegin: Bool { if case .begin = self { true } else { false } }

  /// The beginning of such a line.
  static let mark = Array("#@".utf8)

  /// Maximum ticks between two inputs: those of a day.
  static let ticksAtMost = 1 << 22

  /// The line without its beginning and without its checksum.
  var text: String {
    switch self {
    case .version(let version): "rec " + version.text
    case .chain: "sum"
    case .under(let policy): "under \(policy)"
    case .history(let name, let origin):
      "history \(RecordingWords.quoted(name)) from=\(origin.parent + 1)@\(origin.events)"
        + (origin.policy.map { " under=" + $0 } ?? "")
    case .name(let history, let name): "name \(history + 1) \(RecordingWords.quoted(name))"
    case .statement(let history, let stamp, let text):
      "in \(history + 1) \(stamp.text) \(text)"
    case .mark(let mark):
      "mark \(mark.letter) \(mark.place.text)"
        + (mark.selection.isEmpty ? "" : " " + mark.selection)
    case .note(let note): "note \(note.place.text) \(RecordingWords.quoted(note.text))"
    case .choice(let choice): "set \(choice.name) \(choice.value)"
    case .tables(let history, let events, let checks):
      "tables \(history + 1)@\(events)"
        + checks.map { " \($0.table)=\(hex(UInt64($0.value), 8))" }.joined()
    case .begin(let width, let height): "begin \(width)x\(height)"
    case .input(let milliseconds, let ticks, let text): "ui \(milliseconds) \(ticks) \(text)"
    case .end(let events): "end events=\(events)"
    case .unknown(let text): text
    }
  }

  /// Reads what `text` writes; nil if it is damaged.
  init?(_ text: some StringProtocol) {
    var words = RecordingWords(text)
    let keyword = words.next()
    let line: RecordingLine? =
      switch keyword {
      case "rec": RecordingVersion(&words).map { .version($0) }
      case "sum": .chain
      case "under": words.next().map { .under(policy: $0) }
      case "history": Self.history(&words)
      case "name":
        if let number: Int = words.number(), let name = words.next(), number > 0 {
          .name(history: number - 1, name)
        } else {
          nil
        }
      case "in": Self.statement(&words)
      case "mark": Self.mark(&words)
      case "note":
        if let place = words.next().flatMap({ SavedSession.Place($0) }), let text = words.next() {
          .note(SavedSession.Note(place: place, text: text))
        } else {
          nil
        }
      case "set": words.next().map { .choice(.init(name: $0, value: words.takeRemainder())) }
      case "tables": Self.tables(&words)
      case "begin": Self.begin(&words)
      case "ui":
        if let time = words.milliseconds(), let ticks: Int = words.number(),
          (0...Self.ticksAtMost).contains(ticks)
        {
          .input(milliseconds: time, ticks: ticks, words.takeRemainder())
        } else {
          nil
        }
      case "end": words.number("events").map { .end(events: $0) }
      default:
        // A later version may require that a line is understood.
        .unknown((keyword ?? "") + (words.isEmpty ? "" : " ") + words.takeRemainder())
      }
    guard let line, words.isEmpty else { return nil }
    self = line
  }

  private static func history(_ words: inout RecordingWords) -> RecordingLine? {
    guard let name = words.next(), let text = words.value("from"),
      let place = SavedSession.Place(text), place.moment.steps == 0
    else { return nil }
    let origin = SavedSession.Origin(
      parent: place.history, events: place.moment.events, statements: 0,
      policy: words.value("under"))
    return .history(name: name, origin)
  }

  private static func statement(_ words: inout RecordingWords) -> RecordingLine? {
    guard let number: Int = words.number(), number > 1, let time = words.milliseconds(),
      let state = words.next().flatMap({ UInt32($0, radix: 16) })
    else { return nil }
    return .statement(
      history: number - 1, Stamp(milliseconds: time, state: state), words.takeRemainder())
  }

  private static func mark(_ words: inout RecordingWords) -> RecordingLine? {
    guard let letter = words.next()?.unicodeScalars, letter.count == 1, let first = letter.first,
      let place = words.next().flatMap({ SavedSession.Place($0) })
    else { return nil }
    return .mark(.init(letter: first, place: place, selection: words.takeRemainder()))
  }

  private static func tables(_ words: inout RecordingWords) -> RecordingLine? {
    guard let place = words.next().flatMap({ SavedSession.Place($0) }), place.moment.steps == 0
    else { return nil }
    var checks: [TableCheck] = []
    while let word = words.next() {
      let parts = word.split(separator: "=")
      guard parts.count == 2, let value = UInt32(parts[1], radix: 16) else { return nil }
      checks.append(TableCheck(table: String(parts[0]), value: value))
    }
    return .tables(history: place.history, events: place.moment.events, checks)
  }

  private static func begin(_ words: inout RecordingWords) -> RecordingLine? {
    let sides = words.next()?.split(separator: "x").compactMap { Int($0) } ?? []
    guard sides.count == 2, sides.allSatisfy({ (1...1_000).contains($0) }) else { return nil }
    return .begin(width: sides[0], height: sides[1])
  }
}

extension RecordingWords {
  /// The next word as the time between two lines.
  fileprivate mutating func milliseconds() -> Int? {
    guard let time: Int = number(), time >= 0 else { return nil }
    return min(time, Stamp.millisecondsAtMost)
  }
}

/// The versions of what wrote a recording.
public struct RecordingVersion: Equatable, Sendable {
  /// The format of this program. A greater first number cannot be read; a greater second one means
  /// keywords that can be ignored.
  public static let current = (major: 1, minor: 0)
  /// The Linux version whose KVM this program models.
  public static let kernel = "7.3.4"

  /// The format.
  public var major = current.major
  /// The format's second number.
  public var minor = current.minor
  /// The program that wrote it.
  public var program: String
  /// The kernel that the program models.
  public var kernel = Self.kernel
  /// The layout of states, see `Fingerprint.layout`: states of another layout are not comparable.
  public var layout = Fingerprint.layout

  /// The versions of this program.
  ///
  /// - Parameter program: the version of the program, one word.
  public init(program: String) { self.program = program }

  var text: String {
    "\(major).\(minor) by=\(program) kernel=\(kernel) layout=\(hex(layout, 16))"
  }

  init?(_ words: inout RecordingWords) {
    let numbers = words.next()?.split(separator: ".").compactMap { Int($0) } ?? []
    guard numbers.count == 2, let program = words.value("by"), let kernel = words.value("kernel"),
      let layout: UInt64 = words.number("layout", radix: 16)
    else { return nil }
    (major, minor) = (numbers[0], numbers[1])
    self.program = program
    self.kernel = kernel
    self.layout = layout
  }
}

extension SavedSession.Place {
  /// The place as a file has it: the history from 1, and the moment in its typed form.
  package var text: String { "\(history + 1)@\(moment.name)" }

  /// Reads what `text` writes.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]), number > 0,
      let moment = Moment(name: parts[1])
    else { return nil }
    self.init(history: number - 1, moment: moment)
  }
}
