import Foundation
import TestSupport

@testable import Language

/// `assets/event-language.md`: its tables, and statements made from their patterns.
enum LanguageDescription {
  private static let assets = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "assets")

  static let text =
    (try? String(contentsOf: assets.appending(path: "event-language.md"), encoding: .utf8)) ?? ""

  /// The lines in which the description differs from what it is with the rows of today's forms; nil if it
  /// does not. With `PAGEWALK_UPDATE_FRAMES=1` in the environment the rows are written anew.
  static func difference() throws -> String? {
    var lines: [String] = []
    var isSkipping = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line == "<!-- end -->" { isSkipping = false }
      if !isSkipping { lines.append(line) }
      guard line.hasPrefix("<!-- statements: "),
        let table = StatementForm.tables.first(where: { line == "<!-- statements: \($0.name) -->" })
      else { continue }
      isSkipping = true
      lines += ["| statement | meaning |", "|---|---|"] + table.forms.map(row)
    }
    return try GoldenFiles(folder: assets)
      .difference("event-language.md", lines.joined(separator: "\n"))
  }

  private static func row(_ form: StatementForm) -> String {
    func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
    return "| `\(cell(form.pattern))` | \(cell(form.meaning)) |"
  }

  /// The first cells of the table below a heading, as far as they are code.
  static func names(below heading: String) -> [String] {
    let section = text.components(separatedBy: "\n## \(heading)\n").dropFirst().first ?? ""
    return section.prefix(upTo: section.range(of: "\n## ")?.lowerBound ?? section.endIndex)
      .split(separator: "\n").filter { $0.hasPrefix("| `") }
      .compactMap { $0.dropFirst(3).split(separator: "`").first.map(String.init) }
  }

  /// Statements, as they are described.
  static let patterns = StatementForm.all.map(\.pattern)
}
