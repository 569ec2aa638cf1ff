import Engine
import Language

extension Scenario {
  /// The scenario as a readable file: the lines of its own file unchanged, with comments, chapters and
  /// numbers, then the statements typed since; with the policies in force, and without recording data.
  /// O(n) in the text.
  public var plainText: [UInt8] {
    var text: [UInt8] = []
    func add(_ line: some Collection<UInt8>) {
      text += line
      text.append(UInt8(ascii: "\n"))
    }
    // A later line of the same policy counts.
    var policies = changedPolicies.map { "policy " + $0 }
    let worldLines = ScenarioLines(self).worldLines
    var lines = ScenarioLines(self)
    var comments: [ArraySlice<UInt8>] = []
    var isCut = false
    while let line = lines.next() {
      switch line.kind {
      case .comment: comments.append(line.bytes)
      case .statement(nil): isCut = lines.count == statements.count || isCut
      case .world, .statement:
        for comment in comments { add(comment) }
        comments = []
        add(line.bytes)
      }
      if line.number == worldLines {
        for policy in policies { add(policy.utf8) }
        policies = []
      }
    }
    // Lines below the last statement belong to a future that this history lacks.
    if !isCut { comments.forEach { add($0) } }
    for index in statements.indices.dropFirst(lines.count) { add(line(ofStatement: index).utf8) }
    return text
  }
}
