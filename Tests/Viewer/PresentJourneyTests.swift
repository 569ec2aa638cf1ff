import Canvas
import Engine
import Language
import Lesson
import TestSupport
import Testing

@testable import Viewer

/// A lesson before a class: what it sees, what is counted, and what only the teacher sees.
@Suite struct PresentJourneyTests {
  /// A projector with a lesson of the program, and the right answer to the question that it is at.
  private func screen(
    _ id: String, from place: String? = nil, _ width: Int = 120, _ height: Int = 40
  ) throws -> Screen {
    try Screen(lesson: id, from: place, isForClass: true, width, height)
  }

  private func key(_ screen: Screen) throws -> Guess {
    let player = try #require(screen.model.lesson?.player)
    return try Marker(#require(player.exercise), on: player.stage, file: "").key()
  }

  @Test func `guesses are counted and taken back, and nothing of the answer is seen before`() throws
  {
    var screen = try screen("two-stages", from: "unmapped")
    let before = screen.model.timeline.moment
    let options = try #require(screen.model.lesson?.player.exercise).options
    guard case .choices(let right) = try key(screen), let one = right.first else {
      Issue.record("no choices")
      return
    }
    let wrong = try #require(options.indices.first { !right.contains($0) })
    screen.press("\(wrong + 1) \(wrong + 1) \(one + 1) \(one + 1) -")
    #expect(screen.model.lesson?.tally[wrong] == 2 && screen.model.lesson?.tally[one] == 1)
    #expect(
      screen.text.contains("\(options[wrong])  2") && screen.text.contains("\(options[one])  1"))
    screen.press("9")
    #expect(screen.lastLine.contains("There are choices 1 to \(options.count)."))
    #expect(screen.model.timeline.moment == before && !screen.text.contains("Outcome"))
    #expect(screen.model.focus == .answer)

    screen.press("enter")
    #expect(screen.text.contains("Outcome: \(Exercise.letter(one))"))
    #expect(screen.text.contains("\(options[wrong])  2") && !screen.text.contains("Guess:"))
    // What most have guessed is refuted: first the belief, then the scene, at the teacher's pace.
    screen.press("enter")
    #expect(screen.text.contains("You may think") && !screen.text.contains("But: "))
    screen.press("enter")
    #expect(screen.text.contains("But: "))
    #expect(screen.model.takeLessonRecords() == [])
    // The next question has no guesses yet, and numbers are for panes where nothing is asked.
    while screen.model.lesson?.player.exercise?.id == "unmapped" { screen.press("enter") }
    #expect(screen.model.lesson?.tally.allSatisfy { $0 == 0 } ?? false)
  }

  @Test func `a text comes paragraph by paragraph, also by a remote control`() throws {
    var screen = try screen("one-walk", from: "three-looks")
    let text = try #require(
      Library.shipped.lesson("one-walk")?.texts.first { $0.id == "three-looks" })
    let starts = text.prose.map { $0.string.split(separator: " ").prefix(3).joined(separator: " ") }
    for shown in starts.indices {
      for (index, start) in starts.enumerated() {
        #expect(screen.text.contains(start) == (index <= shown), "\(start)")
      }
      if shown + 1 < starts.count { screen.press("pagedown") }
    }
    screen.press("pagedown")
    #expect(screen.model.lesson?.player.exercise?.id == "reads")
    screen.press("pageup")
    #expect(screen.text.contains(starts[0]) && !screen.text.contains(starts[1]))
  }

  /// What a lesson's file says with the outcome, and the answer, is seen by the teacher and not by the class.
  @Test(arguments: Library.shipped.lessons.map(\.id))
  func `the answer is in the notes and not on the projector`(id: String) throws {
    let lesson = try #require(Library.shipped.lesson(id))
    for exercise in lesson.exercises {
      let screen = try screen(id, from: exercise.id, 200, 60)
      let notes = try #require(screen.model.teacherNotes).notes.text
      let start = Prose(exercise.after).string.prefix(40)
      #expect(!screen.text.contains(start), "\(exercise.id)")
      #expect(notes.contains(start), "\(exercise.id)")
      let answer = try key(screen).text(for: exercise)
      #expect(notes.contains("Answer: \(answer)"), "\(exercise.id)")
      for hint in exercise.hints { #expect(!screen.text.contains(hint.prefix(40))) }
    }
  }

  @Test func `what is behind several wrong answers is said once in the notes`() throws {
    let screen = try screen("overlap-and-unknown", from: "second-name")
    let notes = try #require(screen.model.teacherNotes).notes.text
    #expect(notes.contains("- a, b: "))
    let belief = try #require(Library.shipped.beliefs["one-to-one"])
    #expect(notes.ranges(of: belief.belief).count == 1)
  }

  @Test func `a class answers in its own words where there are no choices`() throws {
    var screen = try screen("one-walk", from: "reads")
    screen.press("down enter ‹4› enter")
    #expect(screen.text.contains("Guess: 4") && screen.text.contains("Not so."))
    screen.press("enter")
    #expect(screen.text.contains("You may think"))
    #expect(screen.model.takeLessonRecords() == [])
    var other = try self.screen("one-walk", from: "reads")
    other.press("enter")
    #expect(other.text.contains("Outcome: 3") && !other.text.contains("Guess:"))
  }

  @Test(arguments: [(80, 24), (40, 12), (30, 9)])
  func `a lesson is presented to its end by one key`(width: Int, height: Int) throws {
    var screen = try screen("overlap-and-unknown", width, height)
    var presses = 0
    while let player = screen.model.lesson?.player, !player.isOver, presses < 300 {
      screen.press("pagedown")
      presses += 1
    }
    #expect(screen.model.lesson?.player.isOver ?? false, "\(presses)")
    #expect(!screen.text.contains("pagewalk review"))
  }

  @Test func `notes fill a screen of their own and scroll`() {
    var view = NotesView()
    _ = view.update(.resize(width: 30, height: 6))
    view.show(title: "A lesson  1/2", (1...9).map { "line \($0) \u{1B}[2J" })
    #expect(view.frame().text.hasPrefix(" A lesson  1/2"))
    #expect(view.frame().text.contains("line 4") && !view.frame().text.contains("line 5"))
    #expect(view.frame().text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" })
    _ = view.update(.key(Key(.pageDown)))
    #expect(view.frame().text.contains("line 7") && !view.frame().text.contains("line 3"))
    // The same page with other guesses stays where one is in it.
    view.show(title: "A lesson  1/2", guesses: "a 3, b 0", (1...9).map { "line \($0)" })
    #expect(!view.frame().text.contains("line 3"))
    #expect(view.frame().text.hasPrefix(" A lesson  1/2       a 3, b 0"))
    view.show(title: "A lesson  2/2", (1...9).map { "line \($0)" })
    #expect(view.frame().text.contains("line 1"))
    _ = view.update(.key(Key(typed: "q")))
    #expect(view.isFinished)
  }
}
