import Testing

@testable import Canvas

@Suite struct SurfaceTextTests {
  static let frame: Surface = {
    var surface = Surface(width: 12, height: 2)
    surface.write("<a> & ", at: Point(0, 0), style: Style(.stale))
    surface.write("b", at: Point(6, 0), style: Style(.title, .underline))
    surface.write("漢", at: Point(2, 1), style: Style(.text, .reverse))
    return surface
  }()

  @Test func `ANSI text of a monochrome frame without attributes is its text`() {
    var surface = Surface(width: 9, height: 2)
    surface.write("plain", at: Point(1, 1), style: Style(.valid))
    #expect(surface.ansiText(theme: .dark, depth: .mono) == surface.text)
  }

  @Test func `ANSI text sets and resets each look`() {
    #expect(
      Self.frame.ansiText(theme: .dark, depth: .full)
        == "\u{1B}[38;5;209m<a> & \u{1B}[0m\u{1B}[1;4mb\u{1B}[0m\n  \u{1B}[7m漢\u{1B}[0m\n")
    #expect(
      Self.frame.ansiText(theme: .light, depth: .sixteen)
        == "\u{1B}[31m<a> & \u{1B}[0m\u{1B}[1;4mb\u{1B}[0m\n  \u{1B}[7m漢\u{1B}[0m\n")
  }

  @Test func `ANSI text keeps blanks that can be seen`() {
    var surface = Surface(width: 4, height: 1)
    surface.restyle(surface.bounds) { $0 = Style(.match) }
    #expect(
      surface.ansiText(theme: .dark, depth: .sixteen) == "\u{1B}[30;103m    \u{1B}[0m\n")
    #expect(surface.ansiText(theme: .dark, depth: .mono) == "\u{1B}[4;7m    \u{1B}[0m\n")
    #expect(
      Surface(width: 2, height: 1).ansiText(theme: .highContrast, depth: .full)
        == "\u{1B}[38;5;231;48;5;16m  \u{1B}[0m\n")
  }

  @Test func `SVG is a picture of the frame`() {
    #expect(
      Self.frame.svg(theme: .dark) == """
        <svg xmlns="http://www.w3.org/2000/svg" width="108" height="36">
        <rect width="108" height="36" fill="#000000"/>
        <g font-family="monospace" font-size="15" xml:space="preserve">
        <text x="0" y="14" textLength="54" lengthAdjust="spacingAndGlyphs" fill="#ff875f">&lt;a&gt; &amp; </text>
        <text x="54" y="14" textLength="9" lengthAdjust="spacingAndGlyphs" fill="#ffffff" font-weight="bold" text-decoration="underline">b</text>
        <rect x="18" y="18" width="18" height="18" fill="#ffffff"/>
        <text x="18" y="32" textLength="18" lengthAdjust="spacingAndGlyphs" fill="#000000">漢</text>
        </g>
        </svg>

        """)
  }

  @Test func `exports of nothing are empty`() {
    let surface = Surface(width: 0, height: 0)
    #expect(surface.text == "" && surface.styleText == "")
    #expect(surface.ansiText(theme: .dark, depth: .full) == "")
    #expect(surface.svg(theme: .light).hasPrefix("<svg"))
  }
}
