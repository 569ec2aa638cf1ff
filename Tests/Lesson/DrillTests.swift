import Foundation
import Language
import Testing

@testable import Lesson

/// Drills: each answer of the engine beside that of a few lines which know nothing of it.
@Suite struct DrillTests {
  /// The seeds of a run: more of them if the environment says so.
  private static let seeds =
    ProcessInfo.processInfo.environment["PAGEWALK_DRILLS"].flatMap(UInt64.init) ?? 150

  /// A question, as the second computation sees it: its statements and its words.
  private struct Seen {
    let scene: [String]
    let run: [String]
    let answer: String
    let question: String

    init(_ text: String) {
      let lines = text.split(separator: "\n").map(String.init)
      let start = lines.firstIndex { $0.hasPrefix("~~~pw") } ?? 0
      scene = Array(lines[(start + 1)...].prefix { $0 != "~~~" })
      run = lines.filter { $0.hasPrefix("> ") }.map { String($0.dropFirst(2)) }
      answer = String(lines.first { $0.hasPrefix("answer: ") }?.dropFirst(8) ?? "")
      let ask = lines.firstIndex { $0.hasPrefix("~~~ask") } ?? 0
      question = lines[ask + 1]
    }

    /// The numbers in a line.
    static func numbers(_ line: String) -> [UInt64] {
      line.split { " =".contains($0) }.compactMap { word in
        word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
      }
    }

    /// L1's entries for pages, by nested address, and what L2 has touched.
    var names: [UInt64: UInt64] {
      var found: [UInt64: UInt64] = [:]
      for line in scene where line.hasPrefix("l1 store 0x40102") {
        let numbers = Self.numbers(line)
        found[(numbers[0] - 0x4010_2000) / 8 * 4096] = numbers[1] & ~4095
      }
      return found
    }
    var touched: [UInt64] {
      scene.filter { $0.hasPrefix("l2 ") }.compactMap { Self.numbers($0).last }
    }
    func value(_ key: String) -> String? {
      scene.joined(separator: " ").split(separator: " ").first { $0.hasPrefix(key + "=") }
        .map { String($0.dropFirst(key.count + 1)) }
    }
  }

  /// The engine's answer, as it is typed; of choices the words of the one that holds.
  private static func key(_ drill: Drill) throws -> String {
    let lesson = try Lesson(parsing: Array(drill.text.utf8), file: "drill")
    let exercise = try #require(lesson.exercises.first)
    let index = try #require(lesson.index(of: exercise.id))
    let stage = try #require(try lesson.stage(before: index, in: .shipped))
    let guess = try Marker(exercise, on: stage, file: "drill").key()
    if case .choices(let chosen) = guess, let index = chosen.first {
      #expect(chosen.count == 1)
      return exercise.options[index]
    }
    if case .number(let value) = guess { return "\(value)" }
    return guess.text(for: exercise)
  }

  @Test(arguments: Drill.Kind.allCases)
  func `the engine and a second computation give the same answers`(kind: Drill.Kind) throws {
    var answers: Set<String> = []
    for seed in 0..<Self.seeds {
      let drill = Drill(kind, seed: seed, count: 1)
      let found = try Self.key(drill)
      #expect(found == Self.expected(kind, Seen(drill.text)), "seed \(seed)\n\(drill.text)")
      answers.insert(found)
    }
    #expect(answers.count >= 2, "\(answers)")
  }

  private static func expected(_ kind: Drill.Kind, _ seen: Seen) -> String {
    switch kind {
    case .walk: "\(walk(seen))"
    case .size: "\(size(seen))"
    case .permission: permission(seen)
    case .notifier: "\(notifier(seen))"
    case .tlbi: "\(tlbi(seen))"
    case .ranges: "\(ranges(seen))"
    case .dma: dma(seen)
    }
  }

  /// The numbers of levels are those of KVM for 4K: 32, 36, 40, 44 and 48 bits.
  private static func walk(_ seen: Seen) -> UInt64 {
    let levels: [String: UInt64] = ["32": 2, "36": 3, "40": 3, "44": 4, "48": 4]
    let roots: [String: UInt64] = ["32": 4, "36": 1, "40": 2, "44": 1, "48": 1]
    let bits = seen.value("ipa") ?? ""
    let address = Seen.numbers(seen.run[0])[0]
    if seen.answer.hasPrefix("walk") { return levels[bits] ?? 0 }
    if seen.answer.hasPrefix("table-pages") { return (roots[bits] ?? 0) + (levels[bits] ?? 0) - 1 }
    let last = seen.answer.hasSuffix(" 3")
    // With 32 bits the walk begins at level 2, which takes all that is left: two bits more.
    let mask: UInt64 = !last && bits == "32" ? 2047 : 511
    return (address >> (last ? 12 : 21)) & mask
  }

  private static func size(_ seen: Seen) -> UInt64 {
    let scene = seen.scene.joined(separator: "\n")
    let isBlock = scene.contains("l1 store 0x40103000")
    let isHuge = scene.contains("backing=thp") && !scene.contains("host discard")
    return isBlock && isHuge && !scene.contains("dirty-log") ? 2 << 20 : 4096
  }

  private static func permission(_ seen: Seen) -> String {
    let entry = seen.scene.first { $0.hasPrefix("l1 store 0x40102008") } ?? ""
    let bit: UInt64 = seen.run[0].contains("write") ? 7 : 6
    return Seen.numbers(entry)[1] >> bit & 1 == 1
      ? "KVM alone: the access is done" : "L1: it gets a permission fault"
  }

  private static func notifier(_ seen: Seen) -> Int {
    let taken = Seen.numbers(seen.run[0])[0]
    let here = seen.touched.count { seen.names[$0] == taken }
    return seen.value("revmap") == "ideal" || seen.value("revmap") == "repaired" && here == 1
      ? here : seen.touched.count
  }

  private static func tlbi(_ seen: Seen) -> Int {
    let (pages, block) = (
      seen.touched.filter { $0 < 1 << 30 }, seen.touched.filter { $0 >= 1 << 30 }
    )
    let statement = seen.run[0]
    if statement.contains("vmalls12e1is") { return seen.touched.count }
    if statement.contains("vmalle1is") { return 0 }
    let target = Seen.numbers(statement)[0]
    if statement.contains("ripas2e1is") {
      return pages.count { $0 >= target && $0 < target + 0x2000 }
    }
    return statement.contains("ttl") || target < 1 << 30 ? 1 : block.count
  }

  private static func ranges(_ seen: Seen) -> Int {
    let used = seen.run.compactMap { Seen.numbers($0).first }.compactMap { seen.names[$0] }
    let pages = Set(used)
    return seen.answer.hasPrefix("ranges")
      ? pages.count : pages.count { page in used.count { $0 == page } > 1 }
  }

  private static func dma(_ seen: Seen) -> String {
    let read = seen.scene.first { $0.hasPrefix("dev read") } ?? ""
    let isCached = Seen.numbers(read)[0] == Seen.numbers(seen.run[0])[0]
    let last = seen.scene.last ?? ""
    if last == "iommu detach" { return "Nothing: it is aborted in silence" }
    if last.hasPrefix("iommu unmap") {
      return isCached && seen.scene.contains { $0.hasPrefix("pause") }
        ? "The page, by what is cached" : "A translation fault"
    }
    return isCached ? "The page, by what is cached" : "The page, by a walk"
  }

  @Test func `a seed gives the same questions, another one others`() {
    for kind in Drill.Kind.allCases {
      let drill = Drill(kind, seed: 5, count: 20).text
      #expect(Drill(kind, seed: 5, count: 20).text == drill)
      #expect(Drill(kind, seed: 6, count: 20).text != drill)
      #expect(drill.contains("~~~ask") && drill.contains(" q20\n"))
    }
  }

  @Test(arguments: Drill.Kind.allCases)
  func `a drill is a lesson that is proved`(kind: Drill.Kind) throws {
    let text = Drill(kind, seed: 8, count: 8).text
    let lesson = try Lesson(parsing: Array(text.utf8), file: "drill")
    #expect(LessonCheck(lesson, in: .shipped).tests.compactMap(\.message) == [])
  }
}
