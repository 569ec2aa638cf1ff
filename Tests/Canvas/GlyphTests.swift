import Testing

@testable import Canvas

@Suite struct GlyphTests {
  @Test(arguments: Glyph.allCases)
  func `has one column in both sets`(glyph: Glyph) {
    #expect(glyph.scalar.columns == 1)
    #expect(glyph.ascii.isASCII && glyph.ascii.value > 0x20 && glyph.ascii.value < 0x7F)
    #expect(SafeText(glyph).string == String(glyph.scalar))
    #expect(SafeText(glyph).shown(in: .ascii).string == String(glyph.ascii))
  }

  @Test(arguments: Glyph.allCases)
  func `is in every font`(glyph: Glyph) {
    let value = glyph.scalar.value
    #expect(!(0x2800...0x28FF).contains(value), "braille")
    #expect(!(0xE000...0xF8FF).contains(value), "private use")
    #expect(!glyph.scalar.properties.isEmojiPresentation, "emoji")
    #expect(value < 0x1_0000)
  }

  @Test func `a sign in ASCII means one thing, but for corners and crossings of lines`() {
    let frames: Set<Glyph> = [
      .topLeft, .topRight, .bottomLeft, .bottomRight, .teeRight, .teeLeft, .teeDown, .teeUp, .cross,
    ]
    let others = Glyph.allCases.filter { !frames.contains($0) }
    #expect(Set(others.map(\.ascii)).count == others.count)
    // The sign of what is folded, known from trees everywhere, stands where no lines cross.
    #expect(others.allSatisfy { $0 == .foldClosed || $0.ascii != "+" })
  }

  @Test(arguments: [
    ("UTF-8", false, Charset.unicode), ("utf8", false, .unicode), ("UTF-8", true, .ascii),
    ("ANSI_X3.4-1968", false, .ascii), ("ISO-8859-1", false, .ascii), ("", false, .ascii),
  ])
  func `character set is that of the locale`(codeset: String, asciiOnly: Bool, expected: Charset) {
    #expect(Charset(codeset: codeset, asciiOnly: asciiOnly) == expected)
  }
}
