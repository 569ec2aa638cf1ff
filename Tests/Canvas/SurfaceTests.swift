import TestSupport
import Testing

@testable import Canvas

@Suite struct SurfaceTests {
  @Test func `writes text and returns the next point`() {
    var surface = Surface(width: 12, height: 2)
    let next = surface.write("漢字 ", at: Point(1, 0), style: Style(.title))
    surface.write("end", at: next)
    #expect(next == Point(6, 0))
    #expect(surface.text == " 漢字 end\n\n")
    #expect(surface.styleText == "1-5 title\n\n")
  }

  @Test func `clips on all sides`() {
    var surface = Surface(width: 5, height: 3)
    for point in [
      Point(-2, 0), Point(3, 2), Point(0, -1), Point(0, 3), Point(.min, 1), Point(.max, 1),
    ] {
      surface.write("abcd", at: point)
    }
    #expect(surface.text == "cd\n\n   ab\n")
  }

  @Test func `writes within the clip only`() {
    var surface = Surface(width: 8, height: 3)
    let clip = Rect(x: 2, y: 1, width: 3, height: 1)
    for y in 0..<3 { surface.write("01234567", at: Point(0, y), clip: clip) }
    #expect(surface.text == "\n  234\n\n")
  }

  @Test func `half a wide character is a blank`() {
    var surface = Surface(width: 4, height: 2)
    surface.write("漢字漢", at: Point(-1, 0), style: Style(.title))
    #expect(surface.text == " 字\n\n")
    #expect(surface.styleText == "0-3 title\n\n")
    surface.write("漢", at: Point(0, 1))
    surface.write("x", at: Point(1, 1))
    #expect(surface.text == " 字\n x\n")
    surface.write("漢", at: Point(0, 1))
    surface.write("x", at: Point(0, 1))
    #expect(surface.text == " 字\nx\n")
  }

  @Test func `box has a title and an inside`() {
    var surface = Surface(width: 20, height: 4)
    let inside = surface.box(surface.bounds, title: "1 Canonical", focused: true)
    #expect(inside == Rect(x: 1, y: 1, width: 18, height: 2))
    #expect(
      surface.text == """
        ┌1 Canonical ──────┐
        │                  │
        │                  │
        └──────────────────┘

        """)
    #expect(
      surface.styleText == """
        0 paneBorderFocused  1-12 paneTitleFocused  13-19 paneBorderFocused
        0 paneBorderFocused  19 paneBorderFocused
        0 paneBorderFocused  19 paneBorderFocused
        0-19 paneBorderFocused

        """)
    #expect(
      surface.shown(in: .ascii).text == """
        +1 Canonical ======+
        |                  |
        |                  |
        +==================+

        """)
  }

  @Test func `box title is cut inside of the corners`() {
    var surface = Surface(width: 8, height: 2)
    surface.box(surface.bounds, title: "1 Canonical")
    #expect(surface.text == "┌1 Ca… ┐\n└──────┘\n")
  }

  @Test func `box without room is not drawn`() {
    for (width, height) in [(0, 0), (1, 5), (5, 1), (1, 1)] {
      var surface = Surface(width: width, height: height)
      #expect(surface.box(surface.bounds, title: "title").isEmpty)
      #expect(surface == Surface(width: width, height: height))
    }
  }

  @Test func `lines and fills use glyphs`() {
    var surface = Surface(width: 4, height: 3)
    surface.fill(surface.bounds, with: .middleDot, style: Style(.dim))
    surface.hline(at: Point(-1, 0), length: 3)
    surface.vline(at: Point(3, 1), length: 9, with: .bar8)
    surface.fill(Rect(x: 0, y: 1, width: 2, height: 1))
    #expect(surface.text == "──··\n  ·█\n···█\n")
  }

  @Test func `restyle keeps the text`() {
    var surface = Surface(width: 4, height: 1)
    surface.write("ab", at: Point(0, 0), style: Style(.stale))
    surface.restyle(Rect(x: 1, y: 0, width: 9, height: 9)) { $0.attributes.insert(.reverse) }
    #expect(surface.text == "ab\n")
    #expect(surface.styleText == "0 stale  1 stale+reverse  2-3 text+reverse\n")
  }

  @Test func `style text names all attributes`() {
    var surface = Surface(width: 1, height: 1)
    surface.write(
      "x", at: Point(0, 0), style: Style(.dim, [.bold, .dim, .italic, .underline, .reverse]))
    #expect(surface.styleText == "0 dim+bold+dim+italic+underline+reverse\n")
  }

  @Test func `cells outside are blank`() {
    let surface = Surface(width: 1, height: 1)
    #expect(surface[Point(-1, 0)].scalar == " " && surface[Point(0, 9)].style == .plain)
    #expect(surface.row(-1).isEmpty && surface.row(1).isEmpty && surface.row(0).count == 1)
  }

  @Test func `sizes are limited`() {
    #expect(Surface(width: -1, height: 5).text == "\n\n\n\n\n")
    #expect(Surface(width: .max, height: 1).width == Rect.limit)
    #expect(Surface(width: 500, height: 300).text.utf8.count == 300)
  }

  @Test func `frames are equal if they show the same`() {
    var one = Surface(width: 3, height: 1)
    var other = one
    one.write("a", at: Point(0, 0))
    #expect(one != other)
    other.write("a", at: Point(0, 0))
    #expect(one == other)
    other.caret = Point(0, 0)
    #expect(one != other)
  }

  @Test(arguments: 0..<300)
  func `any drawing leaves whole characters in the clip`(seed: UInt64) {
    var random = Generator(seed: seed)
    func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
    let texts: [SafeText] = ["漢字漢字漢字", "a", "ab漢cd字", "\u{1B}", "", "plain text of some length"]
    var surface = Surface(width: number(0...30), height: number(0...10))
    for _ in 0..<60 {
      let point = Point(number(-8...36), number(-3...12))
      let rect = Rect(
        x: number(-3...30), y: number(-3...12), width: number(-1...20), height: number(-1...6))
      let before = surface
      switch number(0...4) {
      case 0: surface.box(rect, title: texts[number(0...5)], focused: true)
      case 1: surface.fill(rect, with: Bool.random(using: &random) ? .cross : nil)
      case 2: surface.restyle(rect) { $0.role = .linked }
      case 3: surface.write(texts[number(0...5)], at: point)
      default: surface.write(texts[number(0...5)], at: point, style: Style(.stale), clip: rect)
      }
      for y in 0..<surface.height {
        let row = Array(surface.row(y))
        for (x, cell) in row.enumerated() {
          let isWide = cell.scalar.columns == 2
          let isContinued = x + 1 < row.count && row[x + 1].isContinuation
          #expect(isWide == isContinued, "seed \(seed)")
          // A drawing may cut a wide character at its edge, and nothing else outside of itself.
          let isOutside = !rect.contains(Point(x, y)) && y != point.y
          let was = before[Point(x, y)]
          if isOutside && was != cell { #expect(cell.scalar == " ", "seed \(seed)") }
        }
      }
    }
    #expect(surface.row(0).first?.isContinuation != true, "seed \(seed)")
    #expect(
      surface.text.split(separator: "\n", omittingEmptySubsequences: false).count == surface.height
        + 1)
  }
}
