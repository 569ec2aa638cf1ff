/// Statements made from the patterns by which they are described.
public enum StatementPattern {
  /// The statements that a pattern allows: each alternative, with and without what may be left out.
  public static func statements(of pattern: String) -> [String] {
    pattern.split(separator: " ").reduce([""]) { found, word in
      let isOptional = word.hasPrefix("[")
      let inner = isOptional ? word.dropFirst().dropLast() : word
      let (key, values) =
        inner.firstIndex(of: "=").map {
          (String(inner[...$0]), inner[inner.index(after: $0)...])
        } ?? ("", inner)
      let words = values.split(separator: "|").map { key + $0 }
      return found.flatMap { start in
        words.map { start.isEmpty ? $0 : start + " " + $0 } + (isOptional ? [start] : [])
      }
    }
  }

  /// One in so many of the statements that begin with some names, with the number of a vCPU or a device there.
  ///
  /// - Parameter counts: how many of each there are to choose from.
  public static func numbered(
    _ statement: String, _ counts: [(name: String, count: Int)], oneIn chance: Int,
    using random: inout Generator
  ) -> String {
    var statement = statement
    for (name, count) in counts
    where statement.hasPrefix(name + " ") && random.below(chance) == 0 {
      statement = statement.replacing(
        name + " ", with: "\(name)@\(random.below(count)) ", maxReplacements: 1)
    }
    return statement
  }

  /// A statement with something in the place of each operand, where there is something for it.
  public static func filled(_ statement: String, _ operand: (String) -> String?) -> String {
    statement.split(separator: " ").map { word -> String in
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2, let value = operand(parts[1]) { return parts[0] + "=" + value }
      return operand(String(word)) ?? String(word)
    }.joined(separator: " ")
  }
}
