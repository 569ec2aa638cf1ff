import TestSupport
import Testing

@testable import Canvas

@Suite struct SafeTextTests {
  @Test(arguments: Array(UInt8(0)...0x1F) + [0x7F])
  func `control bytes are spelled out`(byte: UInt8) {
    let text = SafeText(utf8: [0x61, byte, 0x62])
    let digits = (byte < 16 ? "0" : "") + String(byte, radix: 16)
    #expect(text.string == (byte == 0x09 ? "a b" : "a\\x\(digits)b"))
    #expect(text.columns == text.string.utf8.count)
  }

  @Test(arguments: UInt32(0x80)...0x9F)
  func `eight bit controls are spelled out`(value: UInt32) throws {
    let scalar = try #require(Unicode.Scalar(value))
    #expect(SafeText(String(scalar)).string == "\\x" + String(value, radix: 16))
  }

  @Test(arguments: [
    0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F, 0x061C,
    0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x2028, 0x2029, 0xFE0F, 0xFE0E, 0xE0100, 0xE0041,
    0x0301, 0x20DD, 0x0903, 0x1160, 0x11A8, 0x3164, 0x115F, 0xAD, 0x034F, 0x180E, 0x1F3FD, 0x1F1E9,
    0xE000, 0xF8FF, 0x10FFFD, 0x0378, 0xFFFE, 0x1FFFF, 0xFFF9, 0x17B4,
  ])
  func `scalars that hide reorder or combine are spelled out`(value: UInt32) throws {
    let scalar = try #require(Unicode.Scalar(value))
    let hex = String(value, radix: 16)
    let escape = value > 0xFF ? "\\u{\(hex)}" : "\\x\(hex)"
    #expect(SafeText("e\(String(scalar))x" as String).string == "e\(escape)x")
  }

  @Test(arguments: [
    "plain", "é", "漢字", "→ │ ┌ ▸ … · ✓", "Ωμέγα", "Привет", "한글", "カナ", "ﬁ", "½", "\u{FFFD}",
    "😀",
  ])
  func `visible text stays as it is`(text: String) {
    #expect(SafeText(text).string == text)
  }

  @Test func `bytes that are not UTF-8 become replacement characters`() {
    #expect(SafeText(utf8: [0x61, 0xFF, 0x62]).string == "a\u{FFFD}b")
    #expect(SafeText(utf8: [0xC0, 0xAF]).string == "\u{FFFD}\u{FFFD}")
    // A lone surrogate, U+D800.
    #expect(!SafeText(utf8: [0xED, 0xA0, 0x80]).isEmpty)
    #expect(SafeText(utf8: [0xED, 0xA0, 0x80]).string.allSatisfy { $0 == "\u{FFFD}" })
    // CSI as a single byte.
    #expect(SafeText(utf8: [0x9B, 0x32, 0x4A]).string == "\u{FFFD}2J")
  }

  @Test(arguments: [
    "\u{1B}[2J\u{1B}[H", "\u{1B}]0;title\u{07}", "\u{1B}[21t", "\u{1B}]52;c;aGk=\u{1B}\\",
    "\u{1B}]8;;http://example.com\u{1B}\\link\u{1B}]8;;\u{1B}\\", "\u{9B}31m", "\u{90}q\u{9C}",
    "\u{1B}P$q\"p\u{1B}\\", "a\rb", "a\u{8}\u{8}b", "line\nline", "\r\n", "\u{1B}(0lqk\u{0E}",
    "\u{1B}c", "\u{05}", "\u{1B}[?1049h", "\u{202E}gnp.exe", "admin\u{200B}", "\u{E0041}",
  ])
  func `escape injections reach no terminal`(payload: String) {
    let text = SafeText(payload)
    #expect(text.string.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    #expect(text.columns == text.string.utf8.count)
    var surface = Surface(width: 200, height: 1)
    surface.write(text, at: Point(0, 0))
    #expect(surface.text == text.string + "\n")
    #expect(surface.ansiText(theme: .dark, depth: .full) == text.string + "\n")
  }

  @Test func `every scalar that is kept has one or two columns and is kept again`() {
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = SafeText(String(scalar))
      let columns = text.string.unicodeScalars.reduce(0) { $0 + $1.columns }
      if text.columns != columns || text.isEmpty || SafeText(text.string) != text {
        Issue.record("U+\(String(value, radix: 16))")
      }
    }
  }

  @Test(arguments: [
    ("a", 1), ("│", 1), ("é", 1), ("Ω", 1), ("漢", 2), ("한", 2), ("カ", 2), ("ｶ", 1), ("Ａ", 2),
    ("😀", 2), ("✓", 1), ("\u{FFFD}", 1), ("※", 1), ("①", 1), ("⌚", 2), ("\u{20000}", 2),
  ])
  func `width is that of the table`(text: String, columns: Int) {
    #expect(SafeText(text).columns == columns)
  }

  @Test func `literals are cleaned too`() {
    let text: SafeText = "bell\u{07}"
    #expect(text.string == "bell\\x07")
  }

  @Test func `sentences are made of text and numbers`() {
    let label = SafeText("a\u{1B}b")
    let text: SafeText =
      "\(label) \(3) at \(hex: 0x8000_5000, digits: 10) \(.right) \(hex: 0) \(hex: -16)"
    #expect(text.string == "a\\x1bb 3 at 0x0080005000 → 0x0 -0x10")
    #expect(text.columns == text.string.unicodeScalars.count)
  }

  @Test func `concatenation adds columns`() {
    let text: SafeText = "漢" + "a" + SafeText(repeating: "字", count: 2)
    #expect(text == "漢a字字" && text.columns == 7)
    #expect(SafeText(repeating: "a", count: -1).isEmpty)
  }

  @Test func `truncation ends in an ellipsis`() {
    let text: SafeText = "0x80005000"
    #expect(text.truncated(to: 10) == text)
    #expect(text.truncated(to: 6) == "0x800…")
    #expect(text.truncated(to: 1) == "…")
    #expect(text.truncated(to: 0).isEmpty && text.truncated(to: -1).isEmpty)
    #expect(SafeText("漢字漢").truncated(to: 4) == "漢…")
    #expect(text.truncated(to: 6).shown(in: .ascii) == "0x800$")
  }

  @Test func `padding aligns`() {
    let text: SafeText = "ab"
    #expect(text.padded(to: 5) == "ab   ")
    #expect(text.padded(to: 5, .right) == "   ab")
    #expect(text.padded(to: 5, .centre) == " ab  ")
    #expect(text.padded(to: 1) == text)
    #expect(SafeText("漢字").fitted(to: 4) == "漢字")
    #expect(SafeText("漢字").fitted(to: 3) == "漢…")
    #expect(SafeText("漢字字").fitted(to: 4) == "漢… ")
  }

  @Test func `wrapping breaks between words`() {
    let text: SafeText = "the range is unknown: two nested addresses"
    #expect(
      text.wrapped(to: 16) == ["the range is", "unknown: two", "nested addresses"])
    #expect(SafeText("  two   blanks ").wrapped(to: 20) == ["two blanks"])
    #expect(SafeText("").wrapped(to: 10) == [""])
    #expect(SafeText("exactly ten").wrapped(to: 7) == ["exactly", "ten"])
  }

  @Test func `wrapping cuts only words longer than a line`() {
    #expect(SafeText("a 0123456789 b").wrapped(to: 4) == ["a", "0123", "4567", "89 b"])
    #expect(SafeText("01234567").wrapped(to: 4) == ["0123", "4567"])
    #expect(SafeText("漢字漢字").wrapped(to: 3) == ["漢", "字", "漢", "字"])
    #expect(SafeText("ab").wrapped(to: 0) == ["ab"])
  }

  @Test(arguments: 0..<200)
  func `wrapped lines fit and lose nothing`(seed: UInt64) {
    var random = Generator(seed: seed)
    let scalars: [Unicode.Scalar] = ["a", "b", " ", " ", "漢", "\u{7}", "…"]
    var string = ""
    for _ in 0..<Int.random(in: 0...60, using: &random) {
      string.unicodeScalars.append(scalars[Int.random(in: 0..<scalars.count, using: &random)])
    }
    let width = Int.random(in: 2...20, using: &random)
    let text = SafeText(string)
    let lines = text.wrapped(to: width)
    #expect(lines.allSatisfy { $0.columns <= width }, "seed \(seed)")
    #expect(
      lines.map(\.string).joined().filter { $0 != " " } == text.string.filter { $0 != " " },
      "seed \(seed)")
  }

  @Test func `ASCII form has the same columns`() {
    let text: SafeText = "│ 漢 é … – ×"
    #expect(text.shown(in: .ascii).string == "| ?? ? $ - x")
    #expect(text.shown(in: .unicode) == text)
  }
}
