import CPseudoterminal
import CTerminal
import Canvas
import Glibc
import Testing

@testable import Terminal

/// What ncurses believes to be on the screen after a frame was presented. The screen belongs to the
/// process, so one test at a time has it.
@Suite(.serialized) struct PresentTests {
  /// Runs a test with a terminal of some size.
  func withTerminal(
    _ options: Terminal.Options = Terminal.Options(colour: .always),
    type: String = "xterm-256color", width: Int = 60, height: Int = 20, locale: String = "C.UTF-8",
    _ test: (inout Terminal) throws -> Void
  ) throws {
    setenv("LC_ALL", locale, 1)
    let file = cpty_open(Int32(width), Int32(height))
    defer { close(file) }
    var terminal = try Terminal(options, type: type, input: file, output: file)
    try test(&terminal)
  }

  static func shown(_ x: Int, _ y: Int) -> ct_cell {
    ct_shown(Int32(x), Int32(y))
  }

  /// A frame full of text in all roles and attributes.
  static func frame(width: Int, height: Int, seed: UInt64) -> Surface {
    var state = seed
    func number(below limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    var frame = Surface(width: width, height: height)
    let texts: [SafeText] = ["0x80005000", "漢字", "→ ", "     ", "*", "─────", "~ ?"]
    for _ in 0..<width * height / 4 {
      let role = Role.allCases[number(below: Role.allCases.count)]
      let attributes = Attributes(rawValue: UInt8(number(below: 8) == 0 ? number(below: 32) : 0))
      frame.write(
        texts[number(below: texts.count)], at: Point(number(below: width), number(below: height)),
        style: Style(role, attributes))
    }
    return frame
  }

  static func expectShown(_ frame: Surface, theme: Theme, depth: ColourDepth, _ comment: Comment) {
    for y in 0..<frame.height {
      for (x, cell) in frame.row(y).enumerated() where !cell.isContinuation {
        let shown = shown(x, y)
        #expect(shown.scalar == cell.scalar.value, comment)
        let look = theme.look(of: cell.style, at: depth)
        if cell.scalar != " " {
          #expect(shown.attributes == UInt16(look.attributes.rawValue), comment)
        }
      }
    }
  }

  @Test(arguments: Theme.allCases)
  func `the screen is the frame`(theme: Theme) throws {
    try withTerminal(Terminal.Options(theme: theme, colour: .always)) { terminal in
      for seed in UInt64(0)..<30 {
        let frame = Self.frame(width: 60, height: 20, seed: seed)
        terminal.present(frame)
        Self.expectShown(frame, theme: theme, depth: .full, "seed \(seed)")
      }
    }
  }

  @Test func `changes of single cells are shown`() throws {
    try withTerminal { terminal in
      var frame = Self.frame(width: 60, height: 20, seed: 1)
      for step in 0..<200 {
        let point = Point(step * 7 % 60, step * 3 % 20)
        frame.write(step % 3 == 0 ? "漢" : "x", at: point, style: Style(.changed))
        frame.restyle(Rect(x: point.x, y: point.y, width: 1, height: 1)) {
          $0.attributes.formSymmetricDifference(.reverse)
        }
        terminal.present(frame)
      }
      Self.expectShown(frame, theme: .dark, depth: .full, "")
    }
  }

  @Test func `a frame of another size leaves nothing of the one before`() throws {
    try withTerminal(width: 30, height: 6) { terminal in
      terminal.present(Self.frame(width: 30, height: 6, seed: 3))
      let small = Self.frame(width: 10, height: 2, seed: 4)
      terminal.present(small)
      Self.expectShown(small, theme: .dark, depth: .full, "small")
      #expect(Self.shown(20, 1).scalar == 0x20 && Self.shown(2, 5).scalar == 0x20)
      terminal.present(Self.frame(width: 500, height: 300, seed: 5))
      terminal.present(Surface(width: 0, height: 0))
      #expect(Self.shown(0, 0).scalar == 0x20)
    }
  }

  @Test func `roles have their own colour pairs`() throws {
    try withTerminal { terminal in
      var frame = Surface(width: 60, height: 1)
      for (x, role) in [Role.valid, .stale, .unknown, .valid, .text].enumerated() {
        frame.write("x", at: Point(x, 0), style: Style(role))
      }
      terminal.present(frame)
      let pairs = (0..<5).map { Self.shown($0, 0).pair }
      #expect(Set(pairs).count == 4 && pairs[0] == pairs[3])
    }
  }

  @Test func `a new theme is drawn at once`() throws {
    try withTerminal { terminal in
      let frame = Self.frame(width: 60, height: 20, seed: 6)
      terminal.present(frame)
      for theme in Theme.allCases {
        terminal.theme = theme
        terminal.present(frame)
        Self.expectShown(frame, theme: theme, depth: .full, "\(theme)")
      }
    }
  }

  @Test func `without colour there are attributes only`() throws {
    try withTerminal(Terminal.Options(colour: .never)) { terminal in
      let frame = Self.frame(width: 60, height: 20, seed: 7)
      terminal.present(frame)
      #expect(terminal.depth == .mono)
      Self.expectShown(frame, theme: .light, depth: .mono, "")
      for y in 0..<20 { for x in 0..<60 { #expect(Self.shown(x, y).pair == 0) } }
    }
  }

  @Test func `in another locale the screen is the frame in ASCII`() throws {
    try withTerminal(locale: "C") { terminal in
      let frame = Self.frame(width: 60, height: 20, seed: 8)
      terminal.present(frame)
      #expect(terminal.characters == .ascii)
      Self.expectShown(frame.shown(in: .ascii), theme: .dark, depth: .full, "")
    }
  }

  @Test func `there is one screen`() throws {
    try withTerminal { _ in
      #expect(throws: TerminalError.inUse) {
        try withTerminal { _ in }
      }
    }
    try withTerminal { terminal in #expect(terminal.size == (60, 20)) }
  }

  @Test func `a file is no terminal`() throws {
    let file = open("/dev/null", O_RDWR)
    defer { close(file) }
    #expect(throws: TerminalError.notATerminal) {
      _ = try Terminal(.init(), type: "xterm", input: file, output: file)
    }
    let terminal = cpty_open(80, 24)
    defer { close(terminal) }
    #expect(throws: TerminalError.noKeyboard) {
      _ = try Terminal(.init(), type: "xterm", input: file, output: terminal)
    }
  }

  /// A character whose width the C library disputes would be shown as a question mark.
  @Test func `widths are those of the C library`() throws {
    // Blocks whose widths no version of Unicode has changed.
    let blocks: [ClosedRange<UInt32>] = [
      0x20...0x7E, 0xA1...0x24F, 0x370...0x3FF, 0x2190...0x21FF, 0x2500...0x25FC, 0x3041...0x30FF,
      0x4E00...0x9FEF, 0xAC00...0xD7A3, 0xFF01...0xFFEE, 0x1F600...0x1F64F,
    ]
    let characters = blocks.joined().compactMap(Unicode.Scalar.init).map { SafeText(String($0)) }
      .filter { $0.string.unicodeScalars.count == 1 }
    try withTerminal(width: 400, height: 200) { terminal in
      var frame = Surface(width: 400, height: 200)
      for (index, character) in characters.enumerated() {
        frame.write(character, at: Point(index % 200 * 2, index / 200))
      }
      terminal.present(frame)
      Self.expectShown(frame, theme: .dark, depth: .full, "")
    }
  }
}
