import Language

/// Statements of an imported scenario that the model refuses: a garbled address beyond the VM's memory, a table
/// of another VM's. One of them must not keep all others from being seen.
package struct RefusedStatements: Sendable {
  /// The scenario's text, in which they are comments, with the reason.
  package let text: String
  /// What they are, each with the place that it was from, and why.
  package let sentences: [String]

  /// Carries a scenario out, O(n) in its statements, to see what is refused.
  ///
  /// - Throws: if the text is none of a scenario.
  package init(of text: String) throws(ScenarioError) {
    let errors = try Scenario(parsing: Array(text.utf8), file: "imported").refusals(atMost: .max)
    guard !errors.isEmpty else {
      (self.text, sentences) = (text, [])
      return
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var sentences: [String] = []
    for error in errors where lines.indices.contains(error.line - 1) {
      let line = lines[error.line - 1]
      lines[error.line - 1] = "# refused, \(error.message): \(line)"
      sentences.append("\(line.replacing("  # ", with: ", of ")): \(error.message)")
    }
    self.text = lines.joined(separator: "\n")
    self.sentences = sentences
  }
}
