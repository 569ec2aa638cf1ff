/// A micro-step in words, made from what the step did.
package struct Explanation: Equatable, Sendable {
  /// A verb or noun of at most 10 columns, for the list of steps.
  package let label: String
  /// What was done, in one line.
  package let what: String
  /// Why it is done.
  package let why: String
  /// Where the rule comes from.
  package let source: Source

  init(_ label: String, _ what: String, _ why: String, _ source: Source) {
    self.label = label
    self.what = what
    self.why = why
    self.source = source
  }
}

extension Step {
  /// The address of the step as text.
  var at: String { Phrase.address(address) }
  /// Its addresses as text.
  var span: String { Phrase.span(self) }
}
