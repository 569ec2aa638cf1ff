import Language

/// An imported scenario, carried out once: what the model refuses of it, and how the tables that it leads to
/// compare with those that were seen.
package struct ImportedRun: Sendable {
  /// The history; without its past if there was nothing to compare.
  package private(set) var session: Session
  /// How the tables compare at each moment at which some were seen, by its label.
  package let judgements: [(label: String, judgement: Judgement)]

  /// Carries a scenario out, O(n) in its statements.
  ///
  /// - Parameter chapters: what was seen at the chapters of the same names.
  /// - Throws: if it is none of a recording, and an event is refused.
  package init(
    of scenario: consuming Scenario, against chapters: [RecordedChapter]
  ) throws(ScenarioError) {
    let seen = Dictionary(chapters.map { ($0.label, $0) }, uniquingKeysWith: { one, _ in one })
    // What differs is told with what led to it.
    let isCompared = chapters.contains { !$0.tables.isEmpty || !$0.reverseMaps.isEmpty }
    session = Session(scenario, keepsPast: isCompared)
    var judgements: [(label: String, judgement: Judgement)] = []
    while let statement = try session.advance() {
      guard case .chapter(let label, _) = statement.kind, let chapter = seen[label] else {
        continue
      }
      judgements.append((label, Judgement(chapter, with: session.timeline.machine)))
    }
    self.judgements = judgements
  }

  /// The statements that are refused, each with its place, and why.
  package var refused: [String] {
    session.leftOut.map { "\($0.text), of \($0.place ?? "?"): \($0.reason)" }
  }
}
