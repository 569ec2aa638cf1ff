import Engine
import Language

/// What a question is asked about, besides the moment: that is the session's.
package struct Subject: Sendable {
  /// The table that is meant; nil if none was chosen.
  package var table: TableID?
  /// An input address of it.
  package var address: UInt64?
  /// The shadow whose reverse map is meant in the place of a table; then the address is a canonical IPA.
  package var reverseMap: Int?
  /// The entry of that map, where several have the address.
  package var entry: ReverseMapEntry?
  /// The micro-step of the current event that is looked at; nil for the one that tells most.
  package var step: Int?
  /// What the question's own words say: a filter, a word, what to compare with.
  package var text = ""
  /// Another history, at its moment, that `text` names.
  package var other: Other?
  /// What is known of the rules so far; nil to check all events up to the moment.
  package var audit: Audit?
  /// The answer to the same question at another moment of the same history: what of it still holds need not
  /// be found again.
  package var previous: (any Answer)?
  /// Events of a history that are gone through several times for one answer, at most; nil without a limit.
  package var eventsAtMost: Int?
  /// Called for each event that a long answer has gone through.
  package var noteEvent: @Sendable () -> Void = {}
  /// Where else the page is, as far as that was searched; nil to search to the end.
  package var link: Link?

  /// A history to compare with.
  package struct Other: Sendable {
    /// How to call it, and the history that it is compared with.
    package let name, ownName: String
    package let machine: Machine

    package init(name: String, ownName: String, machine: Machine) {
      self.name = name
      self.ownName = ownName
      self.machine = machine
    }
  }

  package init() {}

  /// The place that a question is about.
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
