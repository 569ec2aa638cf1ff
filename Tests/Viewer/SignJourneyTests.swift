import Canvas
import Engine
import Inquiry
import Language
import Testing

@testable import Viewer

/// What lasts is seen: what is left out, which cursors stay, whose texts these are, which pane has no room.
@Suite struct SignJourneyTests {
  @Test(arguments: [[120, 40], [80, 24], [100, 17]])
  func `a filter, cursors that stay and ones that are not linked have signs that last`(
    size: [Int]
  ) throws {
    var screen = try Screen("scenarios/built-in.pw", size[0], size[1])
    screen.press("} } } } 4")
    let head = { (screen: Screen) in screen.lines[0] + screen.lines[1] }
    for (keys, sign) in [
      ("f ‹w› enter", "only w"), ("u", "cursors unlinked"), ("o", "cursor stays"),
    ] {
      #expect(!head(screen).contains(sign))
      screen.press(keys)
      screen.press(". ,")
      #expect(head(screen).contains(sign), "\(screen.lines[0])")
    }
    screen.press("F u o . ,")
    for sign in ["only w", "cursors unlinked", "cursor stays"] {
      #expect(!head(screen).contains(sign))
    }
  }

  /// With many letters, so that no order of a dictionary passes for the right one.
  @Test func `of several marks at a moment the newest is on the timeline, and lists are by letter`()
    throws
  {
    let letters = "qwertyuiopasdfghjklzxcvbnm".map(String.init)
    var screen = try Screen()
    screen.press(". . .")
    for letter in letters + ["a"] {
      // Where one is has a sign of its own.
      screen.press("m \(letter) ,")
      #expect(screen.lines[38].contains(letter))
      screen.press(".")
    }
    screen.press("\"")
    let listed = screen.model.answer.text.compactMap { line in
      line.string.firstRange(of: "mark ").map { String(line.string[$0.upperBound...].prefix(1)) }
    }
    #expect(listed == letters.filter { $0 != "a" }.sorted() + ["a"])
  }

  @Test func `texts of the file are marked where they were written for another policy`() throws {
    var screen = try Screen()
    screen.press("} } } } } }")
    let own = screen.lines[1]
    #expect(own.contains("KVM cannot know who used it") && !own.contains("written for"))
    screen.press("P ‹v3› enter")
    #expect(screen.lines[1].contains("(written for revmap=none) The host takes"))
    screen.press("\"")
    #expect(screen.model.answer.text.contains { $0.string.contains("(written for revmap=none) ") })
    screen.press("q P ‹none› enter")
    #expect(screen.lines[1] == own)
  }

  @Test func `what the file expects under its own policy is no failure under another`() throws {
    var screen = try Screen(
      statements: """
        policy revmap=v1
        memslot 0 0x80000000 4M backing=4K
        l1 write 0x80000000
        expect revmap shadow=0 0x80000000 unknown
        """)
    screen.press("$")
    #expect(screen.lines[0].contains("! expectation failed"))
    screen.press("P ‹v3› enter $")
    #expect(!screen.lines[0].contains("expectation failed"))
    #expect(screen.lines[0].contains("not as under revmap=v1"))
    #expect(
      screen.model.answer.text.contains { $0.string.contains("It was written for revmap=v1.") })
  }

  @Test func `at the start the timeline stands before the first event`() throws {
    var screen = try Screen()
    #expect(screen.lines[38].hasPrefix("▲"))
    screen.press(".")
    #expect(screen.lines[38].hasPrefix(" ▲"))
  }

  @Test func `a column of the timeline shows what is frequent, and a tenth is not half`() throws {
    // Every tenth event is the host's.
    let lines = (0..<3_000).map {
      $0 % 10 == 0 ? "host write 0x80000000 4K\n" : "l1 read 0x80000000\n"
    }
    let text =
      "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\nmemslot 0 0x80000000 1M backing=4K\n"
      + lines.joined()
    let screen = try Screen(bytes: [UInt8](text.utf8), file: "long.pw", 80, 24)
    let strip = screen.lines[screen.frame.height - 3]
    #expect(strip.contains { $0 == "1" } && !strip.contains { $0 == "h" }, "\(strip)")
    // Where a column stands for a few events the rare ones are seen.
    let few = try Screen("captures/nested/nested-alias/scenario.pw", 40, 20)
    #expect(few.lines[17].contains("h"))
  }

  @Test func `panes for which there is no room are named with their keys, and so is quit`() throws {
    for (width, height) in [(80, 24), (100, 30)] {
      var screen = try Screen("scenarios/built-in.pw", width, height)
      screen.press("} } } }")
      #expect(
        screen.lastLine.contains("2 Guest 1") && screen.lastLine.contains("q quit"),
        "\(screen.lastLine)")
      screen.press("2")
      #expect(screen.text.contains("2 Guest 1  nIPA"))
      #expect(!screen.lastLine.contains("2 Guest 1"))
    }
    let wide = try Screen()
    #expect(!wide.lastLine.contains("Guest"))
  }

  @Test func `titles of shadows name whose VMID it is, and leave out what is less important`()
    throws
  {
    var screen = try Screen()
    screen.press("$")
    let pane = Pane.shadow
    let whole = screen.model.title(of: pane, width: 200).string
    #expect(whole.contains("  L1's VMID 1"))
    for width in 10..<whole.count {
      let title = screen.model.title(of: pane, width: width).string
      #expect(whole.hasPrefix(title), "\(title)")
    }
  }

  @Test func `a guest's table that is not the shadow's says so`() throws {
    var screen = try Screen("scenarios/rules/recycling.pw")
    screen.press("$ 2")
    let guests = screen.model.machine.guestTables.count
    var strange = 0
    var seen: [String] = []
    for _ in 0..<guests {
      let title = screen.model.title(of: .guest, width: 200).string
      let guest = GuestPane().guest(in: screen.model)
      guard case .shadow(let number) = screen.model.tableID(of: .shadow) else { continue }
      let isServed = screen.model.machine.guestTable(ofShadow: number) == guest
      #expect(title.contains("not shadow \(number)'s") == !isServed, "\(title)")
      if !isServed { strange += 1 }
      seen.append(title + " / shadow \(number)")
      screen.press(">")
    }
    #expect(guests < 2 || strange > 0, "\(guests) \(seen)")
  }

  @Test func `a title counts what has a sign in a row, and tables that are gone apart`() throws {
    var screen = try Screen()
    screen.press(": ‹15› enter")
    let rows = screen.rows(of: ShadowPane())
    let marked = rows.filter { $0.isChanged || $0.kind == .removed }.reduce(0) { $0 + $1.count }
    let title = screen.model.title(of: .shadow, width: 200).string
    #expect(title.contains("*\(marked)  -"), "\(title)")
    #expect(title.contains(" tables") || title.contains("-1 table"))
  }

  @Test func `back and forth to a moment shows the same walks`() throws {
    var screen = try Screen()
    func walks(_ screen: Screen) -> [String] {
      screen.lines.filter { $0.contains(" walk L") || $0.contains("4K ·") }
    }
    var forward: [[String]] = []
    for _ in 0..<21 {
      forward.append(walks(screen))
      screen.press(".")
    }
    for event in (0..<21).reversed() {
      screen.press(",")
      #expect(walks(screen) == forward[event], "event \(event)")
    }
  }

  @Test func `a small screen says what it needs without a cut`() throws {
    for width in 1..<20 {
      let screen = try Screen("scenarios/built-in.pw", width, 3)
      let text = screen.lines[0].split(separator: " ").joined(separator: " ")
      #expect(["20x4 needed", "20x4"].contains(text) || width < 4, "\(text)")
    }
  }
}
