/// Text from outside as part of a statement.
package enum StatementText {
  /// A text as part of a comment: names of files may hold anything.
  package static func safe(_ text: String) -> String {
    // Nearly all are fit as they are.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) { return text }
    return String(
      text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) })
  }

  /// A text in quotes.
  package static func quoted(_ text: String) -> String {
    "\"\(safe(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }
}
