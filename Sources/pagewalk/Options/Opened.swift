import Canvas
import Engine
import Language
import Recording
import Viewer

/// The contents of a file opened on the screen: a scenario, or a saved or recorded session.
struct Opened {
  /// The first history, as far as it was carried out.
  private(set) var session: Session
  /// The saved session, if the file has one.
  private(set) var saved: SavedSession?
  /// The recording, if the file is one.
  private(set) var recording: Recording?
  /// A notice about the file, if needed.
  private(set) var notice: SafeText?
  /// The bytes of the file; what was recorded on the screen begins in them where `beginning()` cuts.
  private(set) var base: [UInt8] = []

  /// The part of a history carried out before the screen opens, so that mistakes in a user's scenario are
  /// found first. The rest follows while the user is looking.
  private static let before = (statements: 1_000, words: 100_000)

  /// Opens a file, the standard input, a scenario of the program, or the built-in one.
  ///
  /// - Parameters:
  ///   - others: more of what a kernel says, as moments after the first.
  ///   - moment: as it is typed; nil for where the session was left, or the start.
  ///   - policies: a session under others than it was kept under is its first history alone.
  init(
    _ path: String?, and others: [String] = [], policies: [String] = [], at moment: String? = nil
  ) throws {
    let source =
      if let path, !others.isEmpty {
        Pagewalk.Source.imported(try Pagewalk.imported([path] + others))
      } else {
        try Pagewalk.source(path)
      }
    switch source {
    case .text(let bytes, let file) where policies.isEmpty && Recording.isRecording(bytes):
      try self.init(bytes, file: file, at: moment)
    case .text(let bytes, let file):
      self.init(
        try Self.start(
          Pagewalk.scenario(parsing: bytes, file: file, policies: policies), at: moment))
    case .imported(let scenario):
      self.init(try Self.start(Pagewalk.under(policies, scenario), at: moment))
    }
  }

  private init(_ session: Session) { self.session = session }

  /// Opens a recording.
  init(_ bytes: [UInt8], file: String, at moment: String? = nil) throws {
    let recording: Recording
    do throws(ScenarioError) {
      recording = try Recording(bytes, file: file)
    } catch {
      throw Failure.input(error.description)
    }
    let main = try Pagewalk.session(
      Self.scenario(parsing: bytes, of: recording, file: file), at: moment ?? "end", for: "view")
    var problems: [ScenarioError] = []
    let saved = SavedSession(recording, main: main, problems: &problems)
    session = main
    self.recording = recording
    self.saved = moment == nil ? saved : SavedSession([saved.histories[0]])
    base = bytes
    notice = Self.notice(recording.condition, problems)
  }

  /// The state from which to play: the part of a recording before its inputs; else the start of the
  /// first history.
  func beginning() throws -> Opened {
    var beginning = self
    if let begin = recording?.begin(in: base) {
      beginning = try Opened(Array(base[..<begin]), file: session.scenario.file)
    } else {
      beginning.saved = nil
      beginning.session.seek(to: Moment(events: 0))
    }
    // It applied to the whole file.
    beginning.notice = nil
    return beginning
  }

  /// A model of the opened file.
  func model(width: Int, height: Int, settings: Settings) -> Model {
    var model =
      saved.map { Model($0, width: width, height: height, settings: settings) }
      ?? Model(session, width: width, height: height, settings: settings)
    if let notice { model.refuse(notice) }
    return model
  }

  /// The notice about a file that differs from what was written.
  private static func notice(
    _ condition: Recording.Condition, _ problems: [ScenarioError]
  ) -> SafeText? {
    if let first = problems.first {
      return
        "\(problems.count) lines of the recording could not be used; the first: \(SafeText(first.description))."
    }
    if let edit = condition.edits.first {
      return "The recording was edited at \(SafeText(edit.phrase)). `pagewalk verify` tells more."
    }
    if condition.torn != nil {
      return "The recording's last line was not written to its end; it is left out."
    }
    return condition.hasEnd
      ? nil : "The recording ends without its end: what recorded it was broken off."
  }

  private static func scenario(
    parsing bytes: [UInt8], of recording: Recording, file: String
  ) throws -> Scenario {
    do throws(ScenarioError) {
      return try Scenario(parsing: bytes, of: recording, file: file)
    } catch {
      throw Failure.input(error.description)
    }
  }

  private static func start(_ scenario: consuming Scenario, at moment: String?) throws -> Session {
    // Before the first dump was read there is nothing to see.
    let first = scenario.configuration.isSeen ? scenario.firstChapter.map { "chapter:\($0)" } : nil
    if let moment = moment ?? first {
      return try Pagewalk.session(scenario, at: moment, for: "view")
    }
    var session = Session(scenario)
    do {
      _ = try session.advance(statements: before.statements, words: before.words)
    } catch {
      throw Failure.input(session.scenario.refusals())
    }
    session.seek(to: Moment(events: 0))
    return session
  }
}

extension Scenario {
  /// The label of the first chapter that there is.
  fileprivate var firstChapter: String? {
    statements.lazy.compactMap { statement in
      if case .chapter(let label, _) = statement.kind { label } else { nil }
    }.first
  }
}

extension ClosedRange<Int> {
  /// Lines in words: `line 5`, or `lines 5 to 7`.
  var phrase: String {
    lowerBound == upperBound ? "line \(lowerBound)" : "lines \(lowerBound) to \(upperBound)"
  }
}
