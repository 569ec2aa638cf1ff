import Canvas
import Engine
import Inquiry
import Language
import Recording

/// Saving, exporting and sharing a session.
extension Model {
  /// Asks the program to save the session.
  func write(_ name: String) -> [Effect] {
    [.file(FileWish(.write(name.isEmpty ? nil : name)))]
  }

  /// Asks the program to start recording, or to stop.
  mutating func record(_ name: String) -> [Effect] {
    guard !name.isEmpty else {
      open(.command, "record ")
      return []
    }
    completeHistory()
    return [.file(FileWish(.record(name == "off" ? nil : name)))]
  }

  /// Asks the program to write the history on the screen as a scenario.
  mutating func export(_ text: String) -> [Effect] {
    let words = text.split(separator: " ", maxSplits: 1)
    guard words.count == 2, words[0] == "scenario" else {
      refuse("Expected :export scenario FILE. `pagewalk export` writes pages, casts and traces.")
      return []
    }
    return [.file(FileWish(.exportScenario(String(words[1]))))]
  }

  /// Asks the program to write the frame.
  mutating func shot(_ name: String) -> [Effect] {
    guard !name.isEmpty else {
      open(.command, "shot ")
      return []
    }
    return [.file(FileWish(.shot(name)))]
  }

  /// Adds a text at this moment.
  mutating func note(_ text: String) {
    guard !text.isEmpty else { return open(.command, "note \"") }
    var words = Substring(text)
    if words.count > 1, words.hasPrefix("\""), words.hasSuffix("\"") {
      words = words.dropFirst().dropLast()
    }
    guard !words.allSatisfy(\.isWhitespace) else {
      return refuse("Expected a text: \":note \"TEXT\"\".")
    }
    notes.append(
      SavedSession.Note(
        place: SavedSession.Place(history: branch, moment: timeline.moment), text: String(words)))
    answered = nil
    say("Noted at event \(Self.name(of: timeline.moment)). \(press(.marks)) for the list.")
  }

  /// The notes of a moment.
  func notes(at moment: Moment) -> [SafeText] {
    notesHere.filter { $0.place.moment == moment }.map { SafeText($0.text) }
  }

  /// Reports the token that names this moment for others.
  mutating func here() {
    let token = session.token.text
    say(
      "\(SafeText(token)): `pagewalk FILE --at \(SafeText(token))` comes here, if the events are the same."
    )
  }

  /// Reports the result of a request, or asks for what is needed first.
  public mutating func answer(_ wish: FileWish, with outcome: FileOutcome) {
    switch outcome {
    case .done(let text):
      say(text)
      if wish.thenQuits { isFinished = true }
    case .refused(let reason): refuse(reason)
    case .exists(let loss):
      replacement = FileWish(wish.request, replaces: true, thenQuits: wish.thenQuits)
      pending = .write
      say("\(loss) Press \"y\" to replace it, another key to leave it.")
    case .nameless:
      open(.command, "write ")
      say("Type the name of a file: this session has none yet.")
    }
  }

  /// Handles the key after the question whether a file may be replaced.
  mutating func answerReplacement(_ key: String) -> [Effect]? {
    guard let wish = replacement else { return nil }
    replacement = nil
    guard key == "y" else {
      say("Nothing was written.")
      return []
    }
    return [.file(wish)]
  }

  /// Closes what is open, else ends the program; asks first if work is unsaved.
  mutating func quit(_ answer: String) -> [Effect] {
    switch answer {
    case "" where run != nil || question != home: leave()
    case "" where hasUnsaved:
      pending = .quit
      say(
        "\(unsavedAre) in no file. Press \"s\" to save, \"d\" to drop, another key to stay.")
    case "s": return [.file(FileWish(.write(nil), thenQuits: true))]
    case "", "d", "y": isFinished = true
    default: break
    }
    return []
  }
}

/// The result of a file request.
public enum FileOutcome: Equatable, Sendable {
  /// It was done; the message.
  case done(SafeText)
  /// It was not done; the reason.
  case refused(SafeText)
  /// A file with that name exists; a sentence that says what would be lost.
  case exists(SafeText)
  /// The session did not come from a file.
  case nameless
}
