import Engine
import Language

/// The subject of a question, besides the session's moment.
package struct Subject: Sendable {
  /// The table; nil if none was chosen.
  package var table: TableID?
  /// An input address of it.
  package var address: UInt64?
  /// The shadow whose reverse map is the subject instead of a table; the address is then a canonical IPA.
  package var reverseMap: Int?
  /// The entry of that map, if several have the address.
  package var entry: ReverseMapEntry?
  /// The selected micro-step of the current event; nil for the most telling one.
  package var step: Int?
  /// The question's own words: a filter, a word, what to compare with.
  package var text = ""
  /// Another history, at its moment, named by `text`.
  package var other: Other?
  /// The changes at the moment; nil to find them.
  package var changes: Changes?
  /// Whether the words that a micro-step stored are asked for.
  package var wantsWords = true
  /// The findings about rules so far; nil to check all events up to the moment.
  package var audit: Audit?
  /// The answer to the same question at another moment of the same history, whose valid parts need not
  /// be found again.
  package var previous: (any Answer)?
  /// Maximum number of events of a history to go through several times for one answer; nil without a limit.
  package var eventsAtMost: Int?
  /// Called for each event that a long answer has gone through.
  package var noteEvent: @Sendable () -> Void = {}
  /// The page's other places, as far as searched; nil to search to the end.
  package var link: Link?

  /// A history to compare with.
  package struct Other: Sendable {
    /// Its name, and that of the history with which it is compared.
    package let name, ownName: String
    package let machine: Machine

    package init(name: String, ownName: String, machine: Machine) {
      self.name = name
      self.ownName = ownName
      self.machine = machine
    }
  }

  package init() {}

  /// The place that a question concerns.
  ///
  /// - Throws: that none was given, or that the table does not have it.
  func place(in machine: Machine) throws(Unanswerable) -> (
    table: TableID, address: UInt64, reader: TableReader
  ) {
    guard let address else { throw Unanswerable("Nothing is selected.") }
    let table = table ?? machine.cpuTableID
    guard let reader = machine.reader(of: table) else {
      throw Unanswerable("\(Phrase.table(table).capitalized) does not exist now.")
    }
    guard address < reader.geometry.inputSize else {
      throw Unanswerable(
        "\(Phrase.table(table).capitalized) ends at \(hex: reader.geometry.inputSize).")
    }
    return (table, address, reader)
  }
}

/// Why a question cannot be answered, as a sentence.
package struct Unanswerable: Error, Equatable, Sendable {
  package let message: String

  init(_ message: String) { self.message = message }
}
