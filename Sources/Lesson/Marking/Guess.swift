import Engine
import Language

/// An answer, as a learner gives it.
package enum Guess: Equatable, Sendable {
  /// The choices taken, by index.
  case choices(Set<Int>)
  case number(UInt64)
  /// An entry of a table that covers an address.
  case place(TableID, UInt64)
  /// Items, by index, in an order.
  case order([Int])
  case statements([String])
  /// Lines of a scenario, by number from 1, with their replacements; empty to remove a line.
  case edits([Int: String])

  /// Reads a typed answer.
  ///
  /// - Throws: what was expected instead.
  package init(parsing text: String, for exercise: Exercise) throws(GuessError) {
    let words = text.trimmed
    func expected() -> GuessError {
      GuessError(message: "Expected \(exercise.answerForm), not \"\(words)\".")
    }
    switch exercise.task {
    case .choose(let choices):
      guard let found = Self.letters(words, choices.count), found.count == 1 else {
        throw expected()
      }
      self = .choices(Set(found))
    case .tick(let choices):
      if words == "none" {
        self = .choices([])
      } else if let found = Self.letters(words, choices.count), !found.isEmpty {
        self = .choices(Set(found))
      } else {
        throw expected()
      }
    case .number:
      guard let value = Number.value(of: words) else { throw expected() }
      self = .number(value)
    case .point:
      let parts = words.split(separator: " ")
      guard parts.count == 2, let table = TableID(name: parts[0]),
        let address = Number.value(of: parts[1])
      else { throw expected() }
      self = .place(table, address)
    case .order(let items):
      guard let found = Self.letters(words, items.count), Set(found).count == items.count,
        found.count == items.count
      else { throw expected() }
      self = .order(found)
    case .write:
      let statements = words.split(separator: ";").map { String($0.trimmed) }.filter { !$0.isEmpty }
      if statements.isEmpty { throw expected() }
      self = .statements(statements)
    case .repair:
      var edits: [Int: String] = [:]
      for part in words.split(separator: ";") {
        guard let edit = Edit(part), edit.number <= exercise.run.count else { throw expected() }
        edits[edit.number] = edit.statement
      }
      if edits.isEmpty { throw expected() }
      self = .edits(edits)
    case .find(_, let from):
      guard let found = Self.letters(words, from.count), !found.isEmpty,
        found.count <= Self.statementsAtMost
      else { throw expected() }
      self = .statements(found.map { from[$0].text })
    }
  }

  /// Maximum number of statements in an answer.
  package static let statementsAtMost = 64

  /// The indices of letters, adjacent or separated; nil if one of them is invalid.
  private static func letters(_ text: Substring, _ count: Int) -> [Int]? {
    var found: [Int] = []
    for letter in text.lowercased() where letter != " " && letter != "," {
      guard let value = letter.asciiValue, value >= UInt8(ascii: "a") else { return nil }
      let index = Int(value - UInt8(ascii: "a"))
      if index >= count { return nil }
      found.append(index)
    }
    return found
  }

  /// The answer in its typed form.
  package func text(for exercise: Exercise) -> String {
    switch self {
    case .choices(let chosen):
      chosen.isEmpty ? "none" : chosen.sorted().map { Exercise.letter($0) }.joined(separator: " ")
    case .number(let value):
      if case .number(let measure, _) = exercise.task {
        measure.form.unit.text(value)
      } else {
        "\(value)"
      }
    case .place(let table, let address): "\(table.name) \(Phrase.address(address))"
    case .order(let order): order.map { Exercise.letter($0) }.joined(separator: " ")
    case .statements(let statements):
      if case .find(_, let from) = exercise.task {
        statements.compactMap { statement in
          from.firstIndex { $0.text == statement }.map { Exercise.letter($0) }
        }.joined(separator: " ")
      } else {
        statements.joined(separator: "; ")
      }
    case .edits(let edits):
      edits.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.isEmpty ? "-" : $0.value)" }
        .joined(separator: "; ")
    }
  }
}

/// Why a text is not an answer, as a sentence.
package struct GuessError: Error, Equatable, Sendable {
  package let message: String
}
