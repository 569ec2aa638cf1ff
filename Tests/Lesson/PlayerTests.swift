import Engine
import Inquiry
import Language
import TestSupport
import Testing

@testable import Lesson

/// Playing lessons: what comes when, what is kept, and that no key leads astray.
@Suite struct PlayerTests {
  private static let lessons = Library.shipped.lessons

  /// Answers that are wrong, for a question on a stage: some of each kind.
  private static func wrongAnswers(_ exercise: Exercise, _ key: Guess) -> [Guess] {
    switch (exercise.task, key) {
    case (.choose(let choices), .choices(let right)):
      choices.indices.filter { !right.contains($0) }.map { .choices([$0]) }
    case (.tick(let choices), .choices(let right)):
      choices.indices.map { .choices(right.symmetricDifference([$0])) }
    case (.number, .number(let value)):
      [.number(value &+ 1)]
        + exercise.wrongs.compactMap { try? Guess(parsing: $0.answer.text, for: exercise) }
    case (.point, _): [.place(.vmmStage1, 0)]
    case (.order, .order(let order)): [.order(Array(order.reversed()))]
    case (.write, _): [.statements(["l1 wait"])]
    case (.repair, _): [.edits([1: ""])]
    case (.find(_, let from), _): [.statements(Array(repeating: from[0].text, count: 9))]
    default: []
    }
  }

  @Test(arguments: lessons.map(\.id))
  func `every wrong answer to every question is refuted by a scene`(id: String) throws {
    let lesson = try #require(Library.shipped.lesson(id))
    for exercise in lesson.exercises {
      let index = try #require(lesson.index(of: exercise.id))
      let stage = try #require(try lesson.stage(before: index, in: .shipped))
      let key = try Marker(exercise, on: stage, file: lesson.file).key()
      for guess in Self.wrongAnswers(exercise, key) {
        var player = try Player(lesson, in: .shipped, from: exercise.id, day: 1)
        try player.answer(guess)
        guard case .marked(_, let mark) = player.phase else {
          Issue.record("\(exercise.id) was not marked")
          continue
        }
        // Another way that reaches the goal is no wrong answer.
        if mark.isRight, exercise.kind == .repair || exercise.kind == .find { continue }
        #expect(!mark.isRight, "\(exercise.id) \(guess)")
        try player.goOn()
        guard case .refuting(let scene, _) = player.phase else {
          Issue.record("\(exercise.id): \(guess) is not refuted")
          continue
        }
        #expect(scene.refutation != nil)
        #expect(player.page.text.contains(scene.belief.right.prefix(10)))
      }
    }
  }

  @Test(arguments: lessons.map(\.id))
  func `right answers lead through a lesson, and each is kept before its outcome`(
    id: String
  ) throws {
    let lesson = try #require(Library.shipped.lesson(id))
    var player = try Player(lesson, in: .shipped, day: 9)
    var records: [LearnerProgress.Record] = []
    var progress = LearnerProgress()
    while !player.isOver {
      #expect(!player.page.text.isEmpty)
      if let exercise = player.exercise, case .asking = player.phase {
        let stage = player.stage
        try player.answer(Marker(exercise, on: stage, file: lesson.file).key())
        guard case .marked(_, let mark) = player.phase else { throw GuessError(message: "no mark") }
        #expect(mark.isRight && !mark.isTooMuch, "\(exercise.id)")
      } else {
        try player.goOn()
      }
      records += player.takeRecords()
    }
    for record in records { progress.add(record) }
    #expect(player.score == (lesson.exercises.count, lesson.exercises.count))
    #expect(progress.count(in: lesson) == (lesson.exercises.count, lesson.exercises.count))
    #expect(progress.due(on: 10).count == lesson.exercises.count)
    let questions = lesson.exercises.map { lesson.name(of: $0) }
    #expect(records.filter { $0.guess != nil }.map(\.question) == questions)
    for (guess, result) in zip(records, records.dropFirst()) where guess.guess != nil {
      #expect(result.question == guess.question && result.right == true)
    }
  }

  /// Keys at random, and after each of them an interruption.
  @Test(arguments: lessons.map(\.id))
  func `an interrupted lesson goes on where it was`(id: String) throws {
    let lesson = try #require(Library.shipped.lesson(id))
    var random = Generator(seed: 4)
    var progress = LearnerProgress()
    var player = try Player(lesson, in: .shipped, day: 1)
    for _ in 0..<150 {
      switch random.below(6) {
      case 0: player.takeHint()
      case 1: try player.move(by: -1)
      case 2: try player.move(by: 1)
      case 3, 4: try player.goOn()
      default:
        if let exercise = player.exercise,
          let guess = try? Guess(parsing: ["a", "3", "b a"][random.below(3)], for: exercise)
        {
          try player.answer(guess)
        }
      }
      for record in player.takeRecords() { progress.add(record) }
      let resumed = try Player(lesson, in: .shipped, from: progress.place(in: lesson), day: 1)
      if player.isOver {
        #expect(resumed.position == 0)
        player = resumed
      } else {
        #expect(resumed.position == player.position)
        // What is asked there is asked of the same machine.
        if case .asking = player.phase {
          let (one, other) = (resumed.stage.session.timeline, player.stage.session.timeline)
          #expect(one.machine.fingerprint == other.machine.fingerprint)
        }
      }
    }
  }

  @Test func `what is no longer in a lesson is forgotten without a word`() throws {
    let lesson = try #require(Self.lessons.first)
    #expect(try Player(lesson, in: .shipped, from: "long-gone", day: 1).position == 0)
    #expect(Library.shipped.exercise("long/gone") == nil)
    #expect(Library.shipped.exercise("\(lesson.id)/gone") == nil)
    #expect(Library.shipped.exercise("\(lesson.id)/\(lesson.exercises[0].id)") != nil)
  }

  @Test func `a question that is due is asked on the stage of its lesson`() throws {
    for lesson in Self.lessons {
      for exercise in lesson.exercises {
        let due = try #require(Library.shipped.exercise(lesson.name(of: exercise)))
        var player = try Player(asking: [due], in: .shipped, day: 1)
        let stage = player.stage
        try player.answer(Marker(exercise, on: stage, file: lesson.file).key())
        #expect(player.score == (1, 1), "\(lesson.id)/\(exercise.id)")
        #expect(!player.takeRecords().contains { $0.lesson != nil })
      }
    }
  }

  @Test func `the third hint shows what the engine does`() throws {
    for lesson in Self.lessons {
      for exercise in lesson.exercises {
        var player = try Player(lesson, in: .shipped, from: exercise.id, day: 1)
        for count in 1...3 {
          player.takeHint()
          #expect(player.hints == count)
        }
        player.takeHint()
        let lines = player.hintLines
        #expect(lines.prefix(3).allSatisfy { !$0.isStep } && lines.count > 3, "\(exercise.id)")
        #expect(!lines.dropFirst(3).contains { !$0.isStep })
        #expect(lines.dropFirst(3).first?.text.hasPrefix("1. ") ?? false)
      }
    }
  }

  @Test func `a question about a scene is asked as on the command line`() throws {
    let lesson = try #require(
      Self.lessons.first { $0.id == "05-shadow-is-a-tlb" } ?? Self.lessons.last)
    var recital = Recital(try Player(lesson, in: .shipped, day: 1))
    var session = recital.player.stage.session
    func answer(_ question: Question, _ operands: [String], table: String? = nil) throws -> [String]
    {
      let subject = try Subject(asking: question, operands, table: table)
      return try question.answer(about: subject, in: &session).report(.engineer).text
        .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
    // Alone it asks what happens here.
    #expect(try recital.take("ask why") == answer(.explain, []))
    let whole = try answer(.list, [], table: "canonical")
    #expect(try recital.take("ask list --table canonical") == whole)
    #expect(try recital.take("ask list canonical") == whole)
    // The table that is named is the one to compare with.
    #expect(
      try recital.take("ask diff start --table canonical")
        == answer(.diff, ["start"], table: "canonical"))
    #expect(try recital.take("ask diff canonical --table nowhere")[0].contains("not 'nowhere'"))
  }

  /// Any lines, as a learner or a cat types them.
  @Test func `a lesson in lines answers whatever is typed`() throws {
    var random = Generator(seed: 5)
    let lines = [
      "", "next", "hint", "skip", "back", "scene", "help", "ask", "ask counters",
      "ask entry 0x80005000",
      "ask list canonical w", "a", "b", "c d", "3", "0x5", "none", "quit now", "l1 read 0x80001000",
      "1: -", "canonical 0x80005000", "\u{1B}[2J", "ask why why", "é",
    ]
    for lesson in Self.lessons {
      var recital = Recital(try Player(lesson, in: .shipped, day: 1))
      #expect(!recital.greeting().isEmpty)
      for _ in 0..<120 where !recital.isFinished {
        let line = lines[random.below(lines.count)]
        #expect(try !recital.take(line).isEmpty, "\(line)")
      }
    }
    var recital = Recital(try Player(Self.lessons[0], in: .shipped, day: 1))
    #expect(try recital.take("quit") == [])
    #expect(recital.isFinished)
  }
}
