import Canvas
import Engine
import Foundation
import Glibc
import Language
import Pseudoterminal
import Testing
import Viewer

/// What a terminal shows is the frame, cell by cell with its colours: what ncurses makes of a frame, and
/// a terminal of that, comes out as what went in.
@Suite(.enabled(if: Tmux.isInstalled, "tmux is not installed; `.ci/install tmux` installs it"))
struct TmuxTests {
  /// A viewer that is given the same keys as the program in the terminal.
  private struct Twin {
    let tmux: Tmux
    let type: String
    var theme = Theme.dark
    var model: Model

    init(
      _ file: String = "assets/scenarios/nested/three-tables.pw", type: String,
      theme: Theme = .dark,
      width: Int = 120, height: Int = 40
    ) throws {
      self.type = type
      self.theme = theme
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: Program.path(file))))
      var session = Session(try Scenario(parsing: bytes, file: file))
      try session.finish()
      session.seek(to: Moment(events: 0))
      model = Model(session, width: width, height: height)
      let binary = Job.product("pagewalk")
      tmux = try Tmux(
        "\(binary) --theme \(theme.rawValue) \(Program.path(file))", type: type, width: width,
        height: height)
    }

    mutating func press(_ keys: String) throws {
      try tmux.send(keys)
      for scalar in keys.unicodeScalars {
        _ = model.update(.key(Key(typed: scalar)))
      }
    }

    mutating func resize(width: Int, height: Int) throws {
      try tmux.resize(width: width, height: height)
      _ = model.update(.resize(width: width, height: height))
    }

    private var depth: ColourDepth {
      switch type {
      case "vt100": .mono
      case "linux": .eight
      default: .full
      }
    }

    /// What SGR can say and the terminal's description cannot, on its own or together with colours.
    private var lacking: ScreenCell.Attributes {
      switch type {
      case "vt100": 1 << 2 | 1 << 3
      case "linux": 1 << 2 | 1 << 3 | 1 << 4
      default: 0
      }
    }

    /// Waits until the terminal shows the frame; says what differs if it never does.
    mutating func expectFrame(_ comment: Comment) throws {
      model.finishWork()
      let frame = model.frame()
      let wanted = ScreenCell.rows(of: frame.ansiText(theme: theme, depth: depth))
      let limit = ContinuousClock.now + .seconds(20)
      var found: [String]
      repeat {
        found = differences(of: try tmux.screen(), from: wanted)
        if found.isEmpty { return }
        usleep(10_000)
      } while ContinuousClock.now < limit
      Issue.record("\(comment) on \(type): \(found.prefix(5).joined(separator: "; "))")
    }

    private func differences(of shown: [[ScreenCell]], from wanted: [[ScreenCell]]) -> [String] {
      if shown.count != wanted.count { return ["\(shown.count) rows, not \(wanted.count)"] }
      var differences: [String] = []
      for (y, rows) in zip(shown, wanted).enumerated() {
        for x in 0..<max(rows.0.count, rows.1.count) {
          let shown = x < rows.0.count ? rows.0[x].seen(without: lacking) : nil
          let wanted = x < rows.1.count ? rows.1[x].seen(without: lacking) : nil
          // At the end of a row tmux leaves out blanks that were erased, whatever is behind them.
          if shown != wanted, (shown ?? wanted)?.isBlank == false || shown != nil && wanted != nil {
            differences.append("\(x),\(y): \(shown, default: "-") and not \(wanted, default: "-")")
          }
        }
      }
      return differences
    }
  }

  @Test(arguments: Job.types)
  func `the terminal shows the frame through a journey`(type: String) throws {
    var twin = try Twin("assets/captures/nested/nested-alias/scenario.pw", type: type)
    try twin.expectFrame("start")
    let journey = [
      "...}}}}", "sjjjjw", "\tjjkz", "\u{6}", "zZ", "Z:goto 39\r", ",,,,t", "?jjjjjj", "/shadow\r",
      "q:goto 1", "\u{15}\u{7F}$", "nonsense",
    ]
    for keys in journey {
      try twin.press(keys)
      try twin.expectFrame("after \(keys.debugDescription)")
    }
    for (width, height) in [(80, 24), (40, 12), (200, 60), (7, 3), (120, 40)] {
      try twin.resize(width: width, height: height)
      try twin.press("..")
      try twin.expectFrame("at \(width)x\(height)")
    }
  }

  @Test(arguments: Theme.allCases, ["xterm-256color", "linux"])
  func `the terminal shows all themes`(theme: Theme, type: String) throws {
    var twin = try Twin(type: type, theme: theme, width: 100, height: 30)
    for keys in ["}}}}}}}", "jjjw"] {
      try twin.press(keys)
      try twin.expectFrame("\(theme), after \(keys.debugDescription)")
    }
  }

  /// Scrolling is where a terminal is told to move what it has.
  @Test(arguments: ["xterm-256color", "tmux-256color", "vt100"])
  func `the terminal shows what is scrolled`(type: String) throws {
    var twin = try Twin(
      "assets/captures/nested/nested-thp-collapse/scenario.pw", type: type, width: 150, height: 45)
    try twin.press("$1")
    try twin.expectFrame("the end")
    for keys in [
      "Gkkkkkkkkkkkkkkkkkkkk", "k", "k", "k", "j", "gjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj", "j",
      "j",
      "zjj", "k",
    ] {
      try twin.press(keys)
      try twin.expectFrame("after \(keys)")
    }
  }

  /// Waits until a shell's window shows a text, and returns the row it is in.
  @discardableResult
  private func row(with text: String, in tmux: Tmux) throws -> String {
    let limit = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < limit {
      let rows = try tmux.screen().map { String(String.UnicodeScalarView($0.map(\.scalar))) }
      if let row = rows.last(where: { $0.contains(text) }) { return row }
      usleep(10_000)
    }
    Issue.record("'\(text)' did not appear")
    return ""
  }

  @Test func `after Ctrl-Z and fg the screen is back, in the size that the terminal has then`()
    throws
  {
    let tmux = try Tmux("PS1='ready> ' sh -i", type: "tmux-256color", width: 100, height: 30)
    try row(with: "ready>", in: tmux)
    try tmux.send("\(Job.product("pagewalk")) \(Program.threeTables)\r")
    try row(with: "0/21", in: tmux)
    try tmux.send("..")
    try row(with: "2/21", in: tmux)
    try tmux.send("\u{1A}")
    try row(with: "Stopped", in: tmux)
    try tmux.resize(width: 84, height: 26)
    try tmux.send("fg\r")
    try row(with: "2/21", in: tmux)
    let frame = try #require(try tmux.screen().last)
    // The last row of the frame is in the last row of the window.
    #expect(String(String.UnicodeScalarView(frame.map(\.scalar))).hasPrefix(" . next"))
    try tmux.send("q")
    try row(with: "ready>", in: tmux)
  }

  @Test(arguments: ["linux", "vt100"], ["q", "\u{1A}", "\u{3}"])
  func `where there is one screen only, the shell goes on in a row of its own`(
    type: String, end: String
  ) throws {
    let tmux = try Tmux("PS1='ready> ' sh -i", type: type, width: 80, height: 24)
    try row(with: "ready>", in: tmux)
    try tmux.send("\(Job.product("pagewalk")) \(Program.threeTables)\r")
    try row(with: "0/21", in: tmux)
    try tmux.send(end)
    let prompt = try row(with: "ready>", in: tmux)
    #expect(prompt.trimmingCharacters(in: .whitespaces) == "ready>")
  }
}
