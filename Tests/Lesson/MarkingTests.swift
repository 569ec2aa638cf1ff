import Engine
import Language
import TestSupport
import Testing

@testable import Lesson

/// How answers are read and marked.
@Suite struct MarkingTests {
  /// A marker for the question of a block, after `scene` in a world of the program.
  private static func marker(
    _ block: String, scene: String = "", world: String = "vm"
  ) throws -> Marker {
    let text = "# T\n~~~lesson\nid: t\n~~~\n~~~pw \(world)\n\(scene)\n~~~\n~~~ask \(block)\n~~~\n"
    let lesson = try Lesson(parsing: Array(text.utf8), file: "t.md")
    let stage = try #require(try lesson.stage(before: 1, in: .shipped))
    return try Marker(try #require(lesson.exercises.first), on: stage, file: "t.md")
  }

  private static func mark(_ answer: String, _ marker: Marker) throws -> Mark {
    try marker.mark(Guess(parsing: answer, for: marker.exercise))
  }

  private static let tlbi = """
    write w
    Write the TLBI that suffices.
    goal: leaf
    true: expect leaf shadow=0 0x1000 none
    only: l1 tlbi
    solution: l1 tlbi ipas2e1is 0x1000
    least: shadow-removed
    belief: over-is-wrong
    wrong: store-is-seen l1 tlbi ipas2e1is 0x40000000
    """

  @Test func `written answer is right too much or wrong`() throws {
    let marker = try Self.marker(
      Self.tlbi, scene: "l2 read 0x1000\nl2 read 0x5000", world: "nested")
    let exact = try Self.mark("l1 tlbi ipas2e1is 0x1000 ttl=4K:3", marker)
    #expect(exact.isRight && !exact.isTooMuch)
    let all = try Self.mark("l1 tlbi vmalls12e1is", marker)
    #expect(all.isRight && all.isTooMuch)
    let other = try Self.mark("l1 tlbi ipas2e1is 0x40000000", marker)
    #expect(!other.isRight)
    #expect(other.beliefs == ["store-is-seen"])
    let none = try Self.mark("l1 store 0x40102008 0", marker)
    #expect(!none.isRight)
    #expect(none.notes.joined().contains("not one of the statements"))
    let refused = try Self.mark("l1 tlbi ipas2e1is", marker)
    #expect(!refused.isRight)
    #expect(refused.notes.joined().contains("expected"))
  }

  @Test func `statements are asked for by whole words`() throws {
    let marker = try Self.marker(
      Self.tlbi.replacing("only: l1 tlbi", with: "only: l1 tl\nonly: l1 tlbi vmalls12e1is"),
      scene: "l2 read 0x1000\nl2 read 0x5000", world: "nested")
    #expect(try Self.mark("l1 tlbi vmalls12e1is", marker).isRight)
    let other = try Self.mark("l1 tlbi ipas2e1is 0x1000", marker)
    #expect(other.notes.joined().contains("not one of the statements"))
  }

  @Test(arguments: ["expect violation stale-tlb", "expect under=none,ideal violation stale-tlb"])
  func `a rule that a truth says is broken may be`(truth: String) throws {
    let marker = try Self.marker(
      """
      write w
      Write.
      goal: rule
      true: \(truth)
      solution: host dirty-log on 0x80000000
      """, scene: "l2 write 0x1000", world: "nested")
    let mark = try Self.mark("host dirty-log on 0x80000000", marker)
    #expect(mark.isRight, "\(mark.notes)")
  }

  @Test func `tolerance says what may differ`() throws {
    func isRight(_ tolerance: String, _ answer: String) throws -> Bool {
      let marker = try Self.marker(
        """
        write w
        Write.
        goal: \(tolerance)
        true: expect leaf canonical 0x80001000 4K
        solution: l1 read 0x80001000
        """)
      return try Self.mark(answer, marker).isRight
    }
    for tolerance in Exercise.Tolerance.allCases.map(\.rawValue) {
      #expect(try isRight(tolerance, "l1 read 0x80001000"))
      #expect(try !isRight(tolerance, "l1 read 0x80002000"))
    }
    // The leaf is the same, and its page is written: another state, and another entry.
    #expect(try isRight("leaf", "l1 write 0x80001000"))
    #expect(try !isRight("tables", "l1 write 0x80001000"))
    #expect(try !isRight("exact", "l1 write 0x80001000"))
    // The same tables by a way that leaves another trace in the host.
    #expect(try isRight("tables", "l1 read 0x80001000; host dirty-log on 0x80000000"))
    #expect(try !isRight("exact", "l1 read 0x80001000; host dirty-log on 0x80000000"))
    #expect(try isRight("rule", "l1 write 0x80001000; l1 write 0x80002000"))
  }

  @Test func `wrong number belongs to its misconception`() throws {
    let marker = try Self.marker(
      """
      number n
      How many?
      > l1 write 0x80005000
      answer: walk canonical 0x80005000
      belief: root-is-a-page
      wrong: levels-are-four 4
      """)
    #expect(try Self.mark("3", marker).isRight)
    #expect(try Self.mark("0x4", marker).beliefs == ["levels-are-four"])
    #expect(try Self.mark("7", marker).beliefs == ["root-is-a-page"])
  }

  @Test func `ticks that are wrong or missing count each`() throws {
    let marker = try Self.marker(
      """
      tick t
      Which?
      > l1 write 0x80005000
      - yes
        true: expect leaf canonical 0x80005000 4K
        belief: fault-is-error
      - no
        true: expect leaf canonical 0x80006000 4K
        belief: slot-is-mapped
      """)
    let yes = try #require(marker.exercise.options.firstIndex(of: "yes"))
    let (right, wrong) = (Exercise.letter(yes), Exercise.letter(1 - yes))
    #expect(try Self.mark(right, marker).isRight)
    #expect(try Self.mark("a b", marker).beliefs == ["slot-is-mapped"])
    #expect(try Self.mark("none", marker).beliefs == ["fault-is-error"])
    #expect(try Set(Self.mark(wrong, marker).beliefs) == ["fault-is-error", "slot-is-mapped"])
  }

  @Test func `pointing is right anywhere in the entry`() throws {
    let marker = try Self.marker(
      """
      point p
      Where?
      > l1 write 0x80005000
      answer: canonical from=0x80005000
      belief: slot-is-mapped
      """, scene: "l1 write 0x80007000")
    #expect(try Self.mark("canonical 0x80005ff8", marker).isRight)
    #expect(try !Self.mark("canonical 0x80007000", marker).isRight)
    #expect(try !Self.mark("canonical 0x80006000", marker).isRight)
  }

  /// Whatever is typed is an answer or is refused, and an answer reads back from its own text.
  @Test func `any text is read or refused`() throws {
    let blocks = [
      "choose c\nQ\n- a\n- b\n- c", "tick t\nQ\n- a\n- b\n- c", "number n\nQ\nanswer: value",
      "point p\nQ\nanswer: canonical", "order o\nQ\n- a\n- b\n- c", "write w\nQ\nsolution: l1 run",
      "repair r\nQ\n> l1 run\n> l1 wait\nsolution: 1: -",
      "find f\nQ\nfrom: l1 run\nsolution: l1 run",
    ]
    var random = Generator(seed: 3)
    let letters = Array("abcz019 x;:-,\u{1B}canonical0x80001000é\0")
    var read = 0
    for block in blocks {
      let lesson = try Lesson(
        parsing: Array("# T\n~~~lesson\nid: t\n~~~\n~~~ask \(block)\n~~~\n".utf8), file: "t.md")
      let exercise = try #require(lesson.exercises.first)
      for _ in 0..<2_000 {
        let text = String(
          (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in
            letters.randomElement(using: &random)
          })
        guard let guess = try? Guess(parsing: text, for: exercise) else { continue }
        read += 1
        #expect(try Guess(parsing: guess.text(for: exercise), for: exercise) == guess)
      }
    }
    #expect(read > 100)
  }

  /// What a walk reads, and at which index, by arithmetic on the address alone.
  @Test func `measures of walks are those of the address`() throws {
    var random = Generator(seed: 11)
    for bits in [32, 36, 40, 44, 48] {
      let slot = UInt64(1) << UInt64(bits - 1)
      let world = "pagewalk 1\nvm ipa=\(bits) vcpus=1 nested=off\nmemslot 0 \(slot) 1G backing=4K"
      for _ in 0..<20 {
        let address = slot + UInt64.random(in: 0..<1 << 30, using: &random) & ~7
        let text =
          "# T\n~~~lesson\nid: t\n~~~\n~~~pw\n\(world)\n~~~\n~~~pw\nl1 write \(address)\n~~~\n"
        let lesson = try Lesson(parsing: Array(text.utf8), file: "t.md")
        let stage = try #require(try lesson.stage(before: 2, in: .shipped))
        func value(_ measure: String) throws -> UInt64 {
          try Measure(SourceLine(measure), file: "").value(on: stage, file: "")
        }
        // KVM concatenates up to 16 pages at the root, so that many bits more fit in one level.
        let levels = max(2, (bits - 4 - 4) / 9)
        #expect(try value("walk canonical \(address)") == UInt64(levels))
        for level in (4 - levels)...3 {
          let shift = UInt64(12 + 9 * (3 - level))
          let mask: UInt64 = level == 4 - levels ? .max : 511
          #expect(try value("index canonical \(address) \(level)") == address >> shift & mask)
        }
        let roots = UInt64(1) << UInt64(max(0, bits - 12 - 9 * levels))
        #expect(try value("table-pages canonical") == roots + UInt64(levels) - 1)
        #expect(try value("output canonical \(address)") & 4095 == address & 4095)
      }
    }
  }
}
