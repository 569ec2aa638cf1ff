import Canvas
import Engine
import Language
import Lesson
import TestSupport
import Testing

@testable import Viewer

/// Lessons on the screen, as a learner goes through them.
@Suite struct LessonJourneyTests {
  /// A screen with a lesson of the program.
  private func screen(
    _ id: String, from place: String? = nil, _ width: Int = 120, _ height: Int = 40
  ) throws -> Screen {
    try Screen(lesson: id, from: place, width, height)
  }

  /// The right answer to the question on the screen.
  private func key(_ screen: Screen) throws -> Guess {
    let player = try #require(screen.model.lesson?.player)
    let exercise = try #require(player.exercise)
    return try Marker(exercise, on: player.stage, file: "").key()
  }

  /// The keys that give the right answer, as the footer and the lines of the pane teach them.
  private func keys(_ screen: Screen) throws -> String {
    let exercise = try #require(screen.model.lesson?.player.exercise)
    let guess = try key(screen)
    switch (exercise.kind, guess) {
    case (.choose, .choices(let chosen)):
      return String(repeating: "down ", count: chosen.first ?? 0) + "enter"
    case (.find, .statements(let statements)):
      let indices = statements.compactMap { exercise.options.firstIndex(of: $0) }
      return indices.map { "g " + String(repeating: "down ", count: $0) + "enter " }.joined()
        + "g " + String(repeating: "down ", count: exercise.options.count) + "enter"
    default: return "enter ‹\(guess.text(for: exercise))› enter"
    }
  }

  private func count(_ keys: String) -> Int {
    keys.split(separator: "‹").enumerated().reduce(0) { sum, part in
      let halves = part.element.split(separator: "›", omittingEmptySubsequences: false)
      if part.offset == 0 { return sum + part.element.split(separator: " ").count }
      return sum + halves[0].unicodeScalars.count + halves[1].split(separator: " ").count
    }
  }

  @Test(arguments: [(120, 40), (80, 24), (40, 12)])
  func `the first lesson takes at most 60 keys of those that the footer shows`(
    width: Int, height: Int
  ) throws {
    var screen = try screen("one-walk", width, height)
    var total = 0
    while let player = screen.model.lesson?.player, !player.isOver {
      let footer = screen.text.split(separator: "\n").last ?? ""
      #expect(footer.contains("Enter"), "\(footer)")
      var keys = "enter"
      if case .asking = player.phase {
        // The shortest answer that is written, of those that the lesson takes.
        keys = try self.keys(screen)
      }
      total += count(keys)
      screen.press(keys)
      #expect(screen.model.message == nil)
    }
    let player = try #require(screen.model.lesson?.player)
    #expect(player.score.right == player.score.all && player.score.all == 12)
    #expect(total <= 60, "\(total)")
  }

  /// Whoever presses Enter alone has seen each line of a page before the next page comes.
  @Test(arguments: [(40, 12), (30, 9), (60, 14)])
  func `no line of a text is skipped where it is longer than its pane`(
    width: Int, height: Int
  ) throws {
    for lesson in Library.shipped.lessons {
      for text in lesson.texts {
        var screen = try screen(lesson.id, from: text.id, width, height)
        var seen: Set<Substring> = []
        var presses = 0
        while case .text(let shown)? = screen.model.lesson?.player.current?.item,
          shown.id == text.id, presses < 20
        {
          seen.formUnion(screen.text.split { $0 == " " || $0 == "\n" })
          screen.press("enter")
          presses += 1
        }
        let words = Set(text.prose.flatMap { $0.string.split(separator: " ") })
        #expect(words.isSubset(of: seen), "\(lesson.id) \(text.id): \(words.subtracting(seen))")
        #expect(presses <= 4, "\(text.id): \(presses)")
      }
    }
  }

  @Test func `a guess is kept before its outcome is on the screen`() throws {
    var screen = try screen("one-walk", from: "first-write")
    _ = screen.model.takeLessonRecords()
    #expect(!screen.text.contains("Outcome"))
    screen.press("enter")
    let records = screen.model.takeLessonRecords()
    #expect(records.compactMap(\.guess) == ["a"])
    #expect(records.compactMap(\.right).count == 1)
    #expect(screen.text.contains("Outcome"))
    #expect(screen.model.takeLessonRecords() == [])
  }

  @Test func `a wrong answer is refuted by a scene that one can step through`() throws {
    var screen = try screen("one-walk", from: "first-write")
    let right = try key(screen)
    screen.press(right == .choices([0]) ? "down enter" : "enter")
    #expect(screen.text.contains("Not so."))
    screen.press("enter")
    #expect(screen.text.contains("You may think"))
    let moment = screen.model.timeline.moment
    #expect(moment.events < screen.model.timeline.events.count)
    screen.press(".")
    #expect(screen.model.timeline.moment.events == moment.events + 1)
    // What is asked for in between leaves the lesson where it is.
    screen.press("! escape")
    #expect(screen.text.contains("You may think"))
  }

  @Test func `an entry is pointed at with the cursor of its table`() throws {
    var screen = try screen("shadow-is-a-tlb", from: "stale")
    #expect(screen.model.lesson?.isPointing ?? false)
    let panes = screen.model.panes
    let number = try #require(panes.firstIndex(of: .shadow)) + 1
    screen.press("\(number) g")
    for _ in 0..<20 where screen.model.place.position?.address != 0x1000 { screen.press("down") }
    #expect(screen.text.split(separator: "\n").last?.contains("answer: this entry") ?? false)
    screen.press("enter")
    #expect(screen.text.contains("Right."))
  }

  @Test func `choices that are ticked stay ticked, and are answered together`() throws {
    var screen = try screen("two-stages", from: "which-tables")
    guard case .choices(let right) = try key(screen) else {
      Issue.record("no choices")
      return
    }
    let options = screen.model.lesson?.player.exercise?.options.count ?? 0
    for index in 0..<options {
      if right.contains(index) { screen.press("enter") }
      screen.press("down")
    }
    #expect(screen.text.contains("[x]"))
    screen.press("enter")
    #expect(screen.text.contains("Right."))
  }

  @Test func `items are put in order one after the other`() throws {
    var screen = try screen("faults", from: "first")
    guard case .order(let order) = try key(screen) else {
      Issue.record("no order")
      return
    }
    for item in order {
      screen.press("g " + String(repeating: "down ", count: item) + "enter")
    }
    screen.press("g " + String(repeating: "down ", count: order.count) + "enter")
    #expect(screen.text.contains("Right."))
  }

  @Test func `hints come one by one, and an answer that is none stays to be mended`() throws {
    var screen = try screen("one-walk", from: "reads", 80, 24)
    screen.press("down enter")
    #expect(screen.text.contains("Hint: "))
    screen.press("g enter ‹many› enter")
    #expect(screen.model.prompt?.text == "many")
    #expect(screen.text.contains("Expected a number"))
    screen.press("ctrl-u ‹3› enter")
    #expect(screen.text.contains("Right."))
  }

  /// Every page of every lesson, right and wrong, on all sizes, in characters that a terminal may lack.
  @Test(arguments: Library.shipped.lessons.map(\.id))
  func `every page is drawn on every screen, and holds no control character`(id: String) throws {
    let lesson = try #require(Library.shipped.lesson(id))
    var random = Generator(seed: 1)
    for (width, height) in [(80, 24), (40, 12), (20, 4), (1, 1)] {
      var screen = try screen(id, width, height)
      for _ in 0..<lesson.items.count * 3 {
        guard let player = screen.model.lesson?.player, !player.isOver else { break }
        if case .asking = player.phase, let exercise = player.exercise {
          switch exercise.kind {
          case .choose, .tick, .order, .find:
            screen.press(["enter", "down enter", "down down enter"][random.below(3)])
            if exercise.kind != .choose { screen.model.perform(.submit) }
          case .number, .count, .write, .repair: screen.press("enter ‹7› enter escape")
          case .point: screen.press("enter")
          }
          if case .asking = screen.model.lesson?.player.phase { screen.model.perform(.skip) }
        } else {
          screen.press("enter")
        }
        let frame = screen.model.frame()
        #expect(frame.width == width && frame.height == height)
        #expect(screen.text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" })
      }
    }
  }

  @Test func `lessons are offered by the list of what can be opened`() throws {
    var screen = try Screen()
    screen.press("E")
    for lesson in Library.shipped.lessons {
      #expect(
        screen.model.sheet?.document.items.contains { $0.target == .learn(lesson.id) } ?? false)
    }
    screen.press("/ ‹one walk› enter enter")
    #expect(screen.effects.contains(.learn("one-walk")))
  }

  @Test func `any keys leave a lesson in order`() throws {
    var screen = try screen("two-stages", 100, 30)
    var random = Generator(seed: 6)
    let keys = [
      "enter", "down", "up", "tab", ".", ",", "s", "w", "escape", "z", "j", "!", "t", "v", "1", "5",
      "P ‹x› escape", ": ‹l1 read 0x80000000› enter", "G enter", "c", "$", "0", "*", "Z", "d", "B",
      "?", "q",
    ]
    for _ in 0..<400 {
      screen.press(keys[random.below(keys.count)])
      if screen.model.isFinished { screen.model.isFinished = false }
      #expect(screen.model.lesson != nil)
      _ = screen.model.frame()
    }
  }
}
