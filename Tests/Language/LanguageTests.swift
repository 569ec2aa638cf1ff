import Engine
import Testing

@testable import Language

/// The description of the language beside the parser, and beside what is completed.
@Suite struct LanguageTests {
  /// What stands for an operand in a statement that is to be parsed.
  private static let examples: [String: String] = [
    "IPA": "0x40000000", "NIPA": "0x1000", "IOVA": "0x2000", "PA": "0x3000", "ADDRESS": "0",
    "SIZE": "2M", "V": "7", "N": "3", "ID": "1", "BITS": "40", "C": "0", "PAGE": "0x1000",
    "F": "0x07", "LEN": "8", "G:L": "4K:3", "LABEL": "01", "\"TEXT\"": "\"a text\"",
    "RULE": "stale-tlb", "POLICIES": "v1,v2", "TABLE": "canonical", "EXPECTATION": "value 1",
  ]

  private static func example(_ statement: String) -> String {
    LanguageDescription.filled(statement) { examples[$0] }
  }

  private static let all = LanguageDescription.forms.flatMap(LanguageDescription.statements)

  /// What the parser says about a line, and where; nil if it is a statement.
  private func mistake(_ line: String) -> Mistake? {
    do throws(Mistake) {
      var words = Words([UInt8](line.utf8))
      _ = try words.read(from: 0)
      _ = try StatementParser.parse(words)
      return nil
    } catch {
      return error
    }
  }

  @Test func `the description has forms of every kind`() {
    #expect(LanguageDescription.forms.count > 60)
    let firsts = Set(Self.all.compactMap { $0.split(separator: " ").first.map(String.init) })
    #expect(firsts.isSuperset(of: ["pagewalk", "vm", "policy", "host", "l1", "l2", "expect"]))
  }

  @Test(arguments: LanguageDescription.forms)
  func `every form that is described is a statement`(form: String) {
    for statement in LanguageDescription.statements(of: form) {
      let line = Self.example(statement)
      #expect(mistake(line)?.message == nil, "\(line)")
    }
  }

  /// Every word that a message of the parser offers, and the parser then takes, is described. The parser's
  /// messages name what it knows: so nothing that it takes is missing.
  @Test func `every word that the parser offers is described`() {
    var prefixes: Set<String> = [""]
    for statement in Self.all {
      let words = statement.split(separator: " ")
      for count in 1..<max(2, words.count) {
        prefixes.insert(words[..<count].joined(separator: " "))
      }
    }
    let described = Set(
      Self.all.flatMap { statement -> [String] in
        let words = statement.split(separator: " ")
        return (1...words.count).map { words[..<$0].joined(separator: " ") }
      }.map(Self.example))
    for prefix in prefixes.map(Self.example).sorted() {
      let start = prefix.isEmpty ? "" : prefix + " "
      var offers = offers(after: start, "")
      for key in offers where key.hasSuffix("=") {
        offers += self.offers(after: start + key, key).map { key + $0 }
      }
      for word in offers where isTaken(word, after: start) {
        // One of the values of an operand.
        if described.contains(start + "stale-tlb") || described.contains(start + "canonical") {
          continue
        }
        // An option may stand at another place than in the description.
        let isDescribed =
          described.contains(start + word)
          || described.contains {
            $0.hasPrefix(start.prefix { $0 != " " }) && $0.hasSuffix(" " + word)
          }
          || word.hasSuffix("=") && described.contains { $0.contains(" " + word) }
        #expect(isDescribed, "'\(start)\(word)' is not described")
      }
    }
  }

  /// Words in the message about a line that goes on with nonsense.
  private func offers(after start: String, _ key: String) -> [String] {
    guard let mistake = mistake(start + "?") else { return [] }
    let allowed = { (character: Character) in
      character.isASCII && (character.isLetter || character.isNumber || "-=".contains(character))
    }
    let words = mistake.message.split { !allowed($0) }.map(String.init)
    // `key=` with an example behind it is offered as it is, and as a key.
    return words + words.compactMap { word in word.firstIndex(of: "=").map { String(word[...$0]) } }
  }

  /// Whether the parser gets past a word as one that it knows: past nonsense in its place it does not get.
  private func isTaken(_ word: String, after start: String) -> Bool {
    func isTaken(_ word: String, _ end: String) -> Bool {
      mistake(start + word + end).map { $0.offset >= start.utf8.count + word.utf8.count } ?? true
    }
    return isTaken(word, word.hasSuffix("=") ? "?" : "") && !isTaken("?", "")
      && word.first?.isNumber == false
  }

  @Test func `every rule is described, and every table of statements is one that is read`() {
    #expect(
      Set(LanguageDescription.sections["Rules"] ?? []) == Set(Invariant.allCases.map(\.rawValue)))
    let read = Set(LanguageDescription.forms).union(LanguageDescription.sections["Rules"] ?? [])
      .union(LanguageDescription.sections[""] ?? [])
    #expect(LanguageDescription.sections.values.allSatisfy { $0.allSatisfy(read.contains) })
  }

  @Test func `what is completed is what is described`() {
    // What stands at a moment: the prologue is only in files, and expectations are for them, too.
    let first = ["pagewalk", "title", "vm", "policy", "expect"]
    let described = LanguageDescription.forms.flatMap { form -> [String] in
      // A completion has every word that may be there.
      LanguageDescription.statements(
        of: form.replacing("[", with: "").replacing("]", with: ""))
    }.filter { !first.contains(String($0.prefix { $0 != " " })) }
    #expect(Set(StatementForm.all.map(\.text)) == Set(described))
    #expect(StatementForm.all.count == described.count)
  }
}
