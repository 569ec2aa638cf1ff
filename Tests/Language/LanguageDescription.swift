import Foundation

/// The tables of `assets/event-language.md`.
enum LanguageDescription {
  /// The first cells of the tables, by section.
  static let sections: [String: [String]] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "assets/event-language.md")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    var cells: [String: [String]] = [:]
    var section = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("## ") { section = String(line.dropFirst(3)) }
      guard line.hasPrefix("| `"), let cell = line.dropFirst(3).split(separator: "`").first else {
        continue
      }
      cells[section, default: []].append(String(cell).replacing("\\|", with: "|"))
    }
    return cells
  }()

  /// Statements, as they are described.
  static let forms =
    ["World", "Host", "Guests", "pKVM", "Failures and races", "Devices", "Expectations"]
    .flatMap { sections[$0] ?? [] }

  /// The statements that a form allows: each alternative, with and without what may be left out.
  static func statements(of form: String) -> [String] {
    form.split(separator: " ").reduce([""]) { found, word in
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

  /// A statement with something in the place of each operand, where there is something for it.
  static func filled(_ statement: String, _ operand: (String) -> String?) -> String {
    statement.split(separator: " ").map { word -> String in
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2, let value = operand(parts[1]) { return parts[0] + "=" + value }
      return operand(String(word)) ?? String(word)
    }.joined(separator: " ")
  }
}
