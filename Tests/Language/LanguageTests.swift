import Engine
import Foundation
import TestSupport
import Testing

@testable import Language

/// The table of statements beside what is made from it: reader, printer, completion, messages, description.
@Suite struct LanguageTests {
  /// Values for the operands of a pattern: what they may be at their borders, and between.
  private static let values: [String: [String]] = [
    "IPA": ["0", "0x40000000", "0xffffffffffff"], "NIPA": ["0", "0xffffffffffffffff"],
    "IOVA": ["0x2000"], "PA": ["0x3000"], "ADDRESS": ["0", "0x40000000"],
    "SIZE": ["1", "4K", "6K"],
    "V": ["0", "7", "0xffffffffffffffff"], "N": ["0", "3", "18446744073709551615"],
    "ID": ["0", "18446744073709551615"], "C": ["0", "63"], "PAGE": ["0x1000"],
    "F": ["0", "0x3f"], "LEN": ["8"], "G:L": ["none:1", "4K:0", "16K:3", "64K:2"],
    "LABEL": ["01", "\"a label\""], "\"TEXT\"": ["\"a \\\"text\\\" \\\\ # with more\"", "\"é\""],
    "RULE": Invariant.allCases.map(\.rawValue), "POLICIES": ["v1,v2", "none"],
    "TABLE": ["canonical", "shadow3", "guest65535", "iommu", "iommu3", "pkvm-host"]
      + ["pkvm-guest7"],
    "EXPECTATION": ["value 1", "under=v3 violation none"], "VERSION": ["1"],
  ]
  /// Of operands that are limited in one pattern alone.
  private static let narrow: [String: [String]] = [
    "pages=N": ["pages=1", "pages=64G"], "ipa=BITS": ["ipa=32", "ipa=48"],
    "vcpus=N": ["vcpus=1", "vcpus=64"], "vmid-bits=N": ["vmid-bits=16"],
    "mmio-reserve=SIZE": ["mmio-reserve=4K", "mmio-reserve=1T"],
    "l1": ["l1", "l1@63"], "l2": ["l2", "l2@1"], "iommu": ["iommu", "iommu@3"],
    "dev": ["dev@1"], "guest": ["guest", "guest@7"],
  ]

  /// Statements of a pattern: each alternative, and each value of one operand beside the first ones of the
  /// others.
  private static func examples(_ pattern: String) -> [String] {
    StatementPattern.statements(of: pattern).flatMap { statement -> [String] in
      let choices = statement.split(separator: " ").map { word -> [String] in
        let word = String(word)
        let key = StatementForm.key(of: word)
        return narrow[word] ?? values[String(word.dropFirst(key.count))]?.map { key + $0 } ?? [word]
      }
      let first = choices.map { $0[0] }
      return choices.indices.flatMap { index in
        choices[index].map { value in
          var words = first
          words[index] = value
          return words.joined(separator: " ")
        }
      }
    }
  }

  /// What the reader says about a line, and where; nil if it is a statement.
  private func mistake(_ line: String) -> Mistake? {
    do throws(Mistake) {
      _ = try StatementReader.statement(of: line)
      return nil
    } catch {
      return error
    }
  }

  private static func kind(_ line: String) throws -> Statement.Kind? {
    switch try StatementReader.statement(of: line).0 {
    case .event(let event): .event(event)
    case .chapter(let label, let text): .chapter(label: label, text: text)
    case .expect(let expectation): .expect(expectation)
    case .version, .title, .vm, .policy: nil
    }
  }

  private static func isSame(_ one: Statement.Kind, _ other: Statement.Kind) -> Bool {
    switch (one, other) {
    case (.event(let one), .event(let other)): one == other
    case (.chapter(let label, let text), .chapter(let other, let others)):
      label == other && text == others
    case (.expect(let one), .expect(let other)): one == other
    case (.event, _), (.chapter, _), (.expect, _): false
    }
  }

  @Test(arguments: StatementForm.all.map(\.pattern))
  func `every statement of a form is read, printed and read back`(pattern: String) throws {
    let examples = Self.examples(pattern)
    #expect(!examples.isEmpty)
    for line in examples {
      #expect(mistake(line)?.message == nil, "\(line)")
      guard let kind = try Self.kind(line) else { continue }
      let printed = kind.text
      let again = try #require(try Self.kind(printed))
      #expect(Self.isSame(kind, again), "\(line): \(printed)")
    }
  }

  @Test func `random events are printed and read back`() throws {
    for seed in 0..<UInt64(20) {
      var guests = RandomEvents(seed: seed, policy: .repaired)
      var protected = RandomProtectedEvents(seed: seed)
      var events = guests.setUp() + protected.setUp()
      for _ in 0..<300 { events += [guests.next(), protected.next()] }
      for event in events {
        guard case .event(let again)? = try Self.kind(event.statement) else {
          Issue.record("\(event.statement)")
          continue
        }
        #expect(again == event, "\(event.statement)")
      }
    }
  }

  @Test func `what is shipped is printed and read back`() throws {
    let root = shippedScenarios.deletingLastPathComponent()
    let files =
      FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
    let scenarios = files.filter { $0.hasSuffix(".pw") }
    #expect(scenarios.count > 50)
    for file in scenarios {
      let bytes = try [UInt8](Data(contentsOf: root.appending(path: file)))
      var seen: Set<String> = []
      for statement in try Scenario(parsing: bytes, file: file).statements {
        let printed = statement.kind.text
        // The largest files say the same again and again.
        if !seen.insert(printed).inserted { continue }
        let again = try #require(try Self.kind(printed))
        #expect(Self.isSame(statement.kind, again), "\(file): \(printed)")
      }
    }
  }

  /// Words with which statements can go on: each keyword there is, and each name of an option.
  private static let vocabulary: [String] = {
    let words = StatementForm.all.flatMap { form in
      form.items.flatMap { item -> [String] in
        switch item.content {
        case .words(let words): words
        case .indexed(let word): [word.name]
        case .operand(let key, _): key.isEmpty ? [] : [key]
        case .expectation: []
        }
      }
    }
    return Set(words).sorted()
  }()

  /// The beginnings of statements, with one value for each operand.
  private static let beginnings: [[String]] = {
    var beginnings: Set<[String]> = [[]]
    for pattern in LanguageDescription.patterns {
      for statement in StatementPattern.statements(of: pattern) {
        let words = StatementPattern.filled(statement) { values[$0]?.first }.split(
          separator: " ")
        for count in 1...words.count { beginnings.insert(words[..<count].map(String.init)) }
      }
    }
    return beginnings.sorted { $0.joined(separator: " ") < $1.joined(separator: " ") }
  }()

  @Test func `what is completed is what the reader takes, at each point`() {
    let prologue: Set = ["pagewalk", "title", "vm", "policy"]
    for words in Self.beginnings {
      let start = words.map { $0 + " " }.joined()
      // A text may be any word.
      if start.hasSuffix("chapter ") || start.hasSuffix("step ") || start.hasSuffix("title ")
        || words.count == 2 && ["chapter", "step"].contains(words[0])
      {
        continue
      }
      let completed = StatementForm.continuations(of: words)
      let taken = Self.vocabulary.filter { word in
        if let mistake = mistake(start + word), mistake.offset <= start.utf8.count { return false }
        // What is an operand here is for a person to say.
        let isOperand = Number.value(of: word) != nil || TableID(name: word) != nil
        return (!isOperand || completed.contains(word))
          && (!words.isEmpty || !prologue.contains(word))
      }
      #expect(Set(completed) == Set(taken), "\(start)")
    }
  }

  @Test func `a message lists what may follow, and nothing else`() {
    for words in Self.beginnings where !words.isEmpty {
      let start = words.map { $0 + " " }.joined()
      guard let mistake = mistake(start + "?"), mistake.offset == start.utf8.count else { continue }
      let isListed = { (word: String) in
        // `backing=4K|thp` lists both.
        let key = StatementForm.key(of: word)
        let list = mistake.message.dropFirst("expected ".count).replacing(" or ", with: ", ")
        return list.components(separatedBy: ", ").contains {
          $0 == word
            || !key.isEmpty && $0.hasPrefix(key)
              && (word == key
                || $0.dropFirst(key.count).split(separator: "|").contains(
                  word.dropFirst(key.count)))
        }
      }
      let following = StatementForm.continuations(of: words)
      // `none` stands in the explanations of two operands, and `iommu` is the name of a table.
      for word in Self.vocabulary where word != "none" && TableID(name: word) == nil {
        #expect(isListed(word) == following.contains(word), "\(start)\(word): \(mistake.message)")
      }
      let canEnd = self.mistake(start) == nil
      #expect(mistake.message.contains("the end of the statement") == canEnd, "\(start)")
    }
  }

  @Test func `options of a VM may come in any order, each once`() throws {
    #expect(mistake("vm nested=on ipa=40 vmid-bits=8 vcpus=2") == nil)
    #expect(
      mistake("vm nested=on vcpus=1 nested=off")?.message
        == "expected ipa=BITS, vmid-bits=N, recorded=on|off, seen=words|marks|names|descriptors or the end of the statement"
    )
  }

  @Test func `the description has the rows of the table`() throws {
    #expect(try LanguageDescription.difference() == nil)
    for table in StatementForm.tables {
      #expect(LanguageDescription.text.contains("<!-- statements: \(table.name) -->"))
    }
    #expect(
      Set(LanguageDescription.names(below: "Rules")) == Set(Invariant.allCases.map(\.rawValue)))
  }

  /// Each row can be read alone: a sentence with a subject, that ends.
  @Test(arguments: StatementForm.all.map { "\($0.pattern): \($0.meaning)" })
  func `a meaning is a sentence`(row: String) {
    let meaning = row.dropFirst(row.components(separatedBy: ": ")[0].count + 2)
    #expect(meaning.hasSuffix("."))
    #expect(meaning.first.map { $0.isUppercase || $0.isLowercase } ?? false)
    #expect(!meaning.hasPrefix("and ") && !meaning.hasPrefix("the same of"))
  }

  @Test func `operands are described by the names that patterns give them`() {
    let described = Set(
      LanguageDescription.text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        .flatMap { $0.split(separator: "`") }.map(String.init))
    for form in StatementForm.all {
      for case .operand(_, let operand) in form.items.map(\.content) {
        #expect(described.contains(operand.name), "\(operand.name) of \(form.pattern)")
      }
    }
  }
}
