import Engine
import Inquiry
import Language

/// A scene being carried out, and the cost of each of its events.
package struct Stage: Sendable {
  /// The history so far.
  package private(set) var session: Session
  /// The events so far.
  private(set) var happenings: [Happening] = []
  /// Number of events before the measured run.
  private var mark = 0

  /// An event that was carried out.
  package struct Happening: Sendable {
    package let statement: String
    /// The event in words.
    package let sentence: String
    /// How an access, a DMA or a call ended; empty if there is nothing to say.
    package let outcome: String
    let steps: [Step]
    let cost: Cost
  }

  /// A scene that begins with a world.
  ///
  /// - Throws: the first mistake, with its place in the world's file.
  init(_ world: World, policies: [SourceLine] = [], file: String) throws(ScenarioError) {
    // Leading empty lines make errors report the right line.
    let bytes =
      [UInt8](repeating: UInt8(ascii: "\n"), count: world.line - 1) + [UInt8](world.text.utf8)
    var scenario = try Scenario(parsing: bytes, file: world.file)
    for policy in policies {
      do throws(ScenarioError) {
        scenario = try scenario.under(policy: policy.text)
      } catch {
        throw policy.error(error.message, in: file)
      }
    }
    session = Session(scenario, recordsSteps: true)
    while let statement = try session.advance() {
      if case .event = statement.kind { noteEvent() }
      if let failure = session.failures.last {
        throw ScenarioError(
          file: world.file, line: failure.origin.line ?? world.line, column: 1,
          message: "not as expected: \(failure.message)")
      }
    }
  }

  /// Carries out a statement at the end.
  ///
  /// - Throws: what is wrong with it, or a failed expectation; nothing has happened then.
  mutating func carryOut(_ line: SourceLine, file: String) throws(ScenarioError) {
    let events = session.eventsDone
    let failures = session.failures.count
    do throws(ScenarioError) {
      try session.carryOut(line.text)
    } catch {
      throw line.error(error, in: file)
    }
    if session.failures.count > failures, let failure = session.failures.last {
      throw line.error("not as expected: \(failure.message)", in: file)
    }
    if session.eventsDone > events { noteEvent() }
  }

  private mutating func noteEvent() {
    let timeline = session.timeline
    let event = timeline.events.count - 1
    happenings.append(
      Happening(
        statement: session.text(ofEvent: event),
        sentence: timeline.events[event].sentence,
        outcome: timeline.outcome(ofEvent: event),
        steps: timeline.steps, cost: Cost(at: timeline)))
  }

  /// Begins the measured run here.
  mutating func beginRun() { mark = happenings.count }

  /// The events of the run; the last event if there are none.
  package var run: ArraySlice<Happening> {
    mark < happenings.count ? happenings[mark...] : happenings.suffix(1)
  }
}

extension Timeline {
  /// The outcome of the last event, if worth mentioning.
  fileprivate func outcome(ofEvent index: Int) -> String {
    if let error = machine.lastError { return "It fails with \(error.name)." }
    switch events[index] {
    case .access(_, _, .read, _, _):
      let isDone = machine.lastOutcome == .completed
      return isDone
        ? "It reads \(Phrase.address(machine.lastValue ?? 0))." : machine.lastOutcome.sentence
    case .access: return machine.lastOutcome.sentence
    case .dma:
      return machine.lastDeviceOutcome.map { "The DMA \($0.description)." } ?? ""
    default: return ""
    }
  }
}

extension Lesson {
  /// The stage of an item: after all scenes and runs before it, since the last world began. Nil if no
  /// world has begun.
  ///
  /// - Throws: the first mistake in a statement.
  func stage(before index: Int, in library: Library) throws(ScenarioError) -> Stage? {
    var stage: Stage?
    for item in items[..<index] {
      switch item {
      case .text: break
      case .scene(let scene): try scene.play(on: &stage, in: library, file: file)
      case .exercise(let exercise):
        if exercise.runStays { try stage?.run(exercise, file: file) }
      }
    }
    return stage
  }
}

extension Scene {
  /// Carries out the scene.
  ///
  /// - Throws: the first mistake in a statement.
  package func play(
    on stage: inout Stage?, in library: Library, file: String
  ) throws(ScenarioError) {
    switch start {
    case .own(let world): stage = try Stage(world, file: file)
    case .world(let name, let policies):
      guard let world = library.worlds[name.text] else {
        throw name.error(
          "there is no world '\(name.text)'; expected one of "
            + library.worlds.keys.sorted().joined(separator: ", "), in: file)
      }
      stage = try Stage(world, policies: policies, file: file)
    case nil: break
    }
    for statement in statements {
      if stage == nil {
        throw statement.error(
          "no world has begun; expected '~~~pw WORLD', or 'pagewalk 1' first", in: file)
      }
      try stage?.carryOut(statement, file: file)
    }
  }
}

extension Exercise {
  /// Whether the run stays in the scene. A learner's written answer is tried separately.
  package var runStays: Bool {
    switch task {
    case .choose, .tick, .number, .point, .order: true
    case .write, .repair, .find: false
    }
  }
}

extension Stage {
  /// Carries out an exercise's run.
  ///
  /// - Throws: the first mistake in a statement.
  mutating func run(_ exercise: Exercise, file: String) throws(ScenarioError) {
    beginRun()
    for statement in exercise.run { try carryOut(statement, file: file) }
  }
}
