/// A text from outside as part of a line of a scenario: names of files may hold anything.
func safe(_ text: String) -> String {
  // Nearly all are fit as they are.
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) { return text }
  return String(
    text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) })
}

/// A text from outside as a text in quotes.
func quoted(_ text: String) -> String {
  "\"\(safe(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
}
