import Engine
import Language

/// What a word means: its entry in the glossary, or those in which it occurs.
package struct GlossaryAnswer: Answer {
  package let query: String
  /// The word's own entry, or else all entries in which it occurs.
  package let entries: [Glossary.Entry]
  /// Whether it has its own entry.
  package let isEntry: Bool

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    self.init(subject.text)
  }

  package init(_ query: String) {
    self.query = query
    let own = Glossary.entry(query)
    isEntry = own != nil
    entries = own.map { [$0] } ?? Glossary.search(query)
  }

  /// A search: the entries in which a text occurs, even if it has its own.
  package init(searching query: String) {
    self.query = query
    isEntry = false
    entries = Glossary.search(query)
  }

  package var isNo: Bool { entries.isEmpty }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    if isEntry, let entry = entries.first {
      var title = Report.Text(entry.name, .title)
      if !entry.also.isEmpty {
        title.add("  also: " + entry.also.joined(separator: ", "), .dim)
      }
      report.add(title)
      report.addBlank()
      report.add(entry.definition)
      report.addBlank()
      report.add(Report.Text("Where: ", .heading).adding(entry.shows))
      for name in entry.see {
        report.add(Report.Text("See ", .dim).adding(name, .key), to: .term(name))
      }
      return report
    }
    if entries.isEmpty { report.add("No word here has this in its name or meaning.", .dim) }
    for entry in entries {
      report.add(
        Report.Text(entry.name.padded(to: 20), .key)
          .adding(" " + Self.firstSentence(of: entry.definition)), to: .term(entry.name))
    }
    return report
  }

  private static func firstSentence(of text: String) -> String {
    text.firstRange(of: ". ").map { text[..<$0.lowerBound] + "." } ?? text
  }
}
