import Language
import Testing

@testable import Lesson

/// What `lesson check` proves, and that it finds what is not so.
@Suite struct LessonCheckTests {
  @Test(arguments: ShippedLesson.all.map(\.name))
  func `lesson of the program is proved`(name: String) throws {
    let shipped = try #require(ShippedLesson.all.first { $0.name == name })
    let clock = ContinuousClock()
    let lesson = try Lesson(parsing: shipped.bytes, file: name + ".md")
    let start = clock.now
    #expect(LessonCheck(lesson, in: .shipped).tests.compactMap(\.message) == [])
    // One second a lesson, on any machine that is not overloaded.
    #expect(clock.now - start < .seconds(4))
  }

  @Test func `skeleton is proved`() throws {
    let text = try #require(Lesson.skeleton(named: "my-lesson"))
    let lesson = try Lesson(parsing: Array(text.utf8), file: "my-lesson.md")
    #expect(lesson.id == "my-lesson")
    #expect(LessonCheck(lesson, in: .shipped).tests.compactMap(\.message) == [])
    #expect(Lesson.skeleton(named: "../up") == nil)
    #expect(Lesson.skeleton(named: "") == nil)
  }

  /// A lesson that is proved, of all kinds of questions.
  private static let whole = """
    # All kinds
    ~~~lesson
    id: all
    ~~~
    ## Text
    A **walk** reads entries.
    ~~~pw two-cpus
    l1 write 0x80001000
    ~~~
    ~~~ask choose c
    Which?
    > l1 read 0x80002000
    - first
      true: expect leaf canonical 0x80002000 4K
    - second
      true: expect leaf canonical 0x80003000 4K
      belief: slot-is-mapped
    hint: one
    hint: two
    after: So.
    ~~~
    ~~~ask tick t
    Which?
    - first
      true: expect leaf canonical 0x80001000 4K
      belief: slot-is-mapped
    - second
      true: expect leaf canonical 0x80003000 4K
      belief: slot-is-mapped
    hint: one
    hint: two
    after: So.
    ~~~
    ~~~ask count n
    How many?
    > l1 read 0x80004000
    answer: leaves-made
    belief: slot-is-mapped
    wrong: slot-is-mapped 0
    hint: one
    hint: two
    after: So.
    ~~~
    ~~~ask point p
    Where?
    answer: canonical w
    belief: slot-is-mapped
    wrong: slot-is-mapped canonical not w
    hint: one
    hint: two
    after: So.
    ~~~
    ~~~ask order o
    In which order?
    > l1 write 0x80006000
    - the fault
      step: fault
    - the leaf
      step: leafMade canonical
    belief: slot-is-mapped
    hint: one
    hint: two
    after: So.
    ~~~
    ~~~ask write w
    Write.
    goal: leaf
    true: expect leaf canonical 0x80008000 4K
    only: l1
    solution: l1 read 0x80008000
    least: leaves-made
    belief: slot-is-mapped
    wrong: slot-is-mapped l1 read 0x80009000
    hint: one
    hint: two
    after: So.
    ~~~
    ~~~ask repair r
    Repair.
    > l1 write 0x8000a000 value=1
    > host discard 0x8000a000 4K
    > l1 read 0x8000a000
    goal: leaf
    true: expect value 1
    solution: 2: -
    belief: slot-is-mapped
    wrong: slot-is-mapped 1: -
    hint: one
    hint: two
    after: So.
    ~~~
    ~~~ask find f
    Find.
    goal: leaf
    true: count entries canonical 7
    from: l1 read 0x8000b000
    from: l1 read 0x8000c000
    from: host discard 0x80001000 4K
    solution: l1 read 0x8000b000
    solution: l1 read 0x8000c000
    solution: l1 read 0x8000b000
    belief: slot-is-mapped
    hint: one
    hint: two
    after: So.
    ~~~
    """

  private static func failures(of text: String) throws -> [String] {
    let lesson = try Lesson(parsing: Array(text.utf8), file: "all.md")
    return LessonCheck(lesson, in: .shipped).tests.compactMap(\.message)
  }

  /// The lesson above, whose last question has a goal that two statements reach.
  private static var proved: String {
    whole.replacing("count entries canonical 7", with: "count entries canonical 6")
      .replacing(
        "solution: l1 read 0x8000c000\nsolution: l1 read 0x8000b000",
        with: "solution: l1 read 0x8000c000")
  }

  @Test func `lesson of all kinds is proved`() throws {
    #expect(try Self.failures(of: Self.proved) == [])
  }

  @Test(arguments: [
    (
      "0x80003000 4K\n  belief: slot-is-mapped\nhint: one\nhint: two\nafter: So.\n~~~\n~~~ask tick",
      "0x80002000 4K\n  belief: slot-is-mapped\nhint: one\nhint: two\nafter: So.\n~~~\n~~~ask tick",
      "2 choices are right"
    ),
    ("canonical 0x80002000 4K", "canonical 0x80002000 2M", "0 choices are right"),
    (
      "belief: slot-is-mapped\nhint: one\nhint: two\nafter: So.\n~~~\n~~~ask tick",
      "belief: nobody\nhint: one\nhint: two\nafter: So.\n~~~\n~~~ask tick",
      "there is no misconception 'nobody'"
    ),
    ("wrong: slot-is-mapped 0\n", "wrong: slot-is-mapped 1\n", "it is right"),
    ("answer: canonical w\n", "answer: canonical\n", "every entry of the table is right"),
    (
      "answer: canonical w\n", "answer: canonical x stale\n",
      "no entry of the canonical table meets"
    ),
    ("canonical not w\n", "canonical w\n", "it is right"),
    ("step: leafMade canonical", "step: leafRemoved canonical", "the run has no such micro-step"),
    ("step: leafMade canonical", "step: fault", "two items are the same micro-step"),
    (
      "solution: l1 read 0x80008000", "solution: l1 read 0x80009000",
      "the solution does not reach the goal"
    ),
    (
      "true: expect leaf canonical 0x80008000 4K", "true: expect leaf canonical 0x80001000 4K",
      "reached before anything is written"
    ),
    ("solution: 2: -", "solution: 1: -", "the solution does not reach the goal"),
    ("> host discard 0x8000a000 4K", "> host discard 0x80001000 4K", "reached without a repair"),
    ("canonical 6", "canonical 5", "a shorter answer reaches the goal"),
    ("from: l1 read 0x8000b000\n", "", "a statement that is not given"),
    (
      "hint: two\nafter: So.\n~~~\n~~~ask tick", "after: So.\n~~~\n~~~ask tick",
      "1 hints; expected two"
    ),
    ("A **walk** reads", "A **wolk** reads", "the glossary has no 'wolk'"),
    ("A **walk** reads", "A **walk** of a **leaf** reads", "2 terms are new"),
    ("A **walk** reads", String(repeating: "much ", count: 91), "expected 90 at most"),
    ("A **walk** reads", String(repeating: "broad-", count: 7), "is wider than 38 columns"),
    ("id: all", "id: all\nneeds: nothing", "there is no lesson 'nothing'"),
    ("~~~pw two-cpus", "~~~pw three-cpus", "there is no world 'three-cpus'"),
    ("~~~pw two-cpus", "~~~pw two-cpus iommu=other", "expected"),
    ("~~~pw two-cpus\n", "~~~pw two-cpus\nexpect violation stale-tlb\n", "not as expected"),
  ])
  func `what is not so is found`(part: String, instead: String, message: String) throws {
    let broken = Self.proved.replacing(part, with: instead)
    try #require(broken != Self.proved)
    var failures: [String] = []
    do {
      failures = try Self.failures(of: broken)
    } catch {
      failures = ["\(error)"]
    }
    #expect(failures.contains { $0.contains(message) }, "\(failures)")
  }

  /// What refutes a misconception does not refute what is so.
  @Test func `counter scene that refutes nothing is found`() throws {
    let text = """
      ~~~belief b
      A leaf is made.
      right: It is not.
      world: vm
      > l1 read 0x80001000
      believed: count leaves-made 1
      true: count leaves-made 0
      ~~~
      """
    let failures = try Self.failures(of: text)
    #expect(failures.contains { $0.contains("the scene does not refute it") })
    #expect(failures.contains { $0.contains("it is not so: it is 1") })
  }
}
