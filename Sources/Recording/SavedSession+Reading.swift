import Engine
import Language

extension SavedSession {
  /// The session in a recording; adds its unusable parts to `problems`, each with its place.
  ///
  /// - Parameters:
  ///   - recording: the recording.
  ///   - main: the first history, carried out to its end.
  /// - Complexity: O(n) in the statements of the other histories.
  public init(_ recording: Recording, main: Session, problems: inout [ScenarioError]) {
    self.init([History(name: Self.firstName, origin: nil, session: main)])
    for (number, line) in recording.lines {
      do throws(ScenarioError) {
        try add(line)
      } catch {
        problems.append(
          ScenarioError(
            file: main.scenario.file, line: number, column: 1, message: error.message))
      }
    }
  }

  mutating func add(_ line: RecordingLine) throws(ScenarioError) {
    switch line {
    case .history(let name, let origin): try begin(name, origin)
    case .name(let index, let name): histories[try known(index)].name = name
    case .statement(let index, _, let text): try histories[known(index)].session.carryOut(text)
    case .mark(let mark):
      _ = try known(mark.place.history)
      marks.removeAll { $0.letter == mark.letter }
      marks.append(mark)
    case .note(let note):
      _ = try known(note.place.history)
      notes.append(note)
    case .choice(let choice):
      choices.removeAll { $0.name == choice.name }
      choices.append(choice)
    case .version, .chain, .under, .tables, .begin, .input, .end, .unknown: break
    }
  }

  private mutating func begin(_ name: String, _ origin: Origin) throws(ScenarioError) {
    let parent = histories[try known(origin.parent)].session
    guard origin.events <= parent.timeline.events.count else {
      throw Self.mistake("its parent has \(parent.timeline.events.count) events")
    }
    var (origin, session) = (origin, parent)
    origin.statements = parent.statementCount(before: origin.events)
    if let policy = origin.policy {
      var scenario = parent.scenario
      scenario.statements.keep(origin.statements)
      session = Session(try scenario.under(policy: policy))
      try session.finish()
    } else {
      session = parent.branch(at: origin.events)
    }
    origin.kept = session.scenario.statements.count
    histories.append(History(name: name, origin: origin, session: session))
  }

  private func known(_ history: Int) throws(ScenarioError) -> Int {
    guard histories.indices.contains(history) else {
      throw Self.mistake("there is no history \(history + 1) so far")
    }
    return history
  }

  private static func mistake(_ message: String) -> ScenarioError {
    ScenarioError(file: "", line: 1, column: 1, message: message)
  }
}

extension Scenario {
  /// The scenario of a recording: of its completely written lines, under the recorded policies.
  ///
  /// - Throws: the first mistake, with its place.
  public init(
    parsing bytes: [UInt8], of recording: Recording, file: String
  ) throws(ScenarioError) {
    let used = recording.bytesUsed
    try self.init(
      parsing: used == bytes.count ? bytes : Array(bytes[..<used]), file: file)
    for case (let number, .under(let policy)) in recording.lines {
      do throws(ScenarioError) {
        self = try under(policy: policy)
      } catch {
        throw ScenarioError(file: file, line: number, column: 1, message: error.message)
      }
    }
  }
}
