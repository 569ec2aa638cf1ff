import Language

/// An imported scenario, carried out once: what the model refuses of it, and how the tables that it leads to
/// compare with those that were seen.
///
/// A garbled address beyond the VM's memory, or a table of another VM's, must not keep all others from being seen:
/// a statement that is refused becomes a comment.
package struct ImportedRun: Sendable {
  /// The scenario's text, in which refused statements are comments, with the reason.
  package let text: String
  /// What they are, each with the place that it was from, and why.
  package let refused: [String]
  /// How the tables compare at each moment at which some were seen, by its label.
  package let judgements: [(label: String, judgement: Judgement)]
  /// Expectations that do not hold.
  package let failures: [Session.Failure]

  /// Carries a scenario out, O(n) in its statements and keeping no history.
  ///
  /// - Parameter chapters: what was seen at the chapters of the same names.
  /// - Throws: if the text is none of a scenario.
  package init(of text: String, against chapters: [RecordedChapter]) throws(ScenarioError) {
    let seen = Dictionary(chapters.map { ($0.label, $0) }, uniquingKeysWith: { one, _ in one })
    var session = Session(
      try Scenario(parsing: Array(text.utf8), file: "imported"), keepsPast: false)
    var errors: [ScenarioError] = []
    var judgements: [(label: String, judgement: Judgement)] = []
    while !session.isComplete {
      do throws(ScenarioError) {
        guard case .chapter(let label, _)? = try session.advance()?.kind, let chapter = seen[label]
        else { continue }
        judgements.append((label, Judgement(chapter, with: session.timeline.machine)))
      } catch {
        errors.append(error)
        session.leaveOutNext()
      }
    }
    (self.text, refused) = Self.leavingOut(errors, of: text)
    self.judgements = judgements
    failures = session.failures
  }

  private static func leavingOut(
    _ errors: [ScenarioError], of text: String
  ) -> (text: String, sentences: [String]) {
    guard !errors.isEmpty else { return (text, []) }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var sentences: [String] = []
    for error in errors where lines.indices.contains(error.line - 1) {
      let line = lines[error.line - 1]
      lines[error.line - 1] = "# refused, \(error.message): \(line)"
      sentences.append("\(line.replacing("  # ", with: ", of ")): \(error.message)")
    }
    return (lines.joined(separator: "\n"), sentences)
  }
}
