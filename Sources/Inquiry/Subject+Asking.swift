import Engine
import Language

extension Question {
  /// The question that was asked in words: `why` without an operand is what happens here, not why an entry is as it
  /// is. Nil if there is none with this name.
  package init?(asked name: String, with operands: [String]) {
    if name == "why", operands.isEmpty {
      self = .explain
    } else {
      self.init(name: name)
    }
  }
}

extension Subject {
  /// The subject that operands, and the name of a table, give a question.
  ///
  /// - Parameter table: the name of a table, or `revmap<N>`.
  /// - Throws: what was expected instead.
  package init(
    asking question: Question, _ operands: [String], table: String? = nil
  ) throws(Unanswerable) {
    self.init()
    if let table, !choose(table: table) {
      throw Unanswerable("Expected \(TableKind.forms) or revmap<N>, not '\(table)'.")
    }
    let words = operands.joined(separator: " ")
    switch question.facts.operand {
    case .nothing:
      if !operands.isEmpty { throw Unanswerable("Expected no operand, not '\(words)'.") }
    case .address:
      guard operands.count == 1, let address = Number.value(of: operands[0]) else {
        throw Unanswerable("Expected one ADDRESS" + (words.isEmpty ? "." : ", not '\(words)'."))
      }
      self.address = address
    case .other, .word:
      if operands.isEmpty {
        throw Unanswerable("Expected \(question.facts.operand.usage ?? "").")
      }
      text = words
    case .filter: text = words
    }
  }

  /// Chooses a table, or a reverse map, by its name; false if it names none.
  private mutating func choose(table name: String) -> Bool {
    if name.hasPrefix("revmap"), let number = Int(name.dropFirst(6)), number >= 0 {
      reverseMap = number
      return true
    }
    table = TableID(name: name)
    return table != nil
  }
}
