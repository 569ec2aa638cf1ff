import Canvas
import Engine
import Inquiry
import Testing

@testable import Viewer

/// Looking at tables: where the cursor is, what is shown, and what is found.
@Suite struct TableJourneyTests {
  @Test func `a page is marked in every pane that maps it`() throws {
    var screen = try Screen()
    screen.press("} } } } } 1 : ‹0x80005000› enter")
    #expect(screen.model.link?.places[.guest(1)] == [0x10000, 0x20000])
    let linked = screen.frame.linkedRows
    #expect(linked.contains { $0.contains("00010000 → 80005000") })
    #expect(linked.contains { $0.contains("00020000 → 800400000") })
    // From there the panes go their own ways.
    screen.press("u")
    #expect(screen.lastLine.contains("Each pane has its own cursor"))
    #expect(screen.frame.linkedRows.isEmpty)
    screen.press("u")
    #expect(!screen.frame.linkedRows.isEmpty)
  }

  @Test func `the walk is split by level in all tables at once`() throws {
    var screen = try Screen()
    screen.press("} } } } 3")
    let walks = screen.lines.first { $0.contains("walk L0") } ?? ""
    #expect(
      walks.contains("walk L1[2] L2[0] L3[6] → RWX")
        && walks.contains("walk L1[0] L2[0] L3[48] → RW-")
        && walks.contains("walk L0[0] L1[0] L2[0] L3[48] → RW-"))
  }

  @Test func `tables as ranges, and as trees again`() throws {
    var screen = try Screen()
    screen.press("$ 1 r")
    #expect(screen.text.contains("L3 40100000 +12K  → 800402000 RWX"))
    #expect(!screen.text.contains("L1 40000000 table"))
    screen.press("r")
    #expect(screen.text.contains("L1 40000000 table"))
    screen.press("5 r")
    #expect(screen.lastLine.contains("Only tables have a tree and a flat view"))
  }

  @Test func `a pane alone, layouts, and back`() throws {
    var screen = try Screen()
    screen.press("} } } } 3 k j")
    let overview = screen.text
    screen.press("z")
    #expect(!screen.text.contains("1 Canonical") && screen.text.contains("0x00030000"))
    screen.press("escape")
    #expect(screen.text == overview)
    screen.press("Z")
    #expect(!screen.text.contains("5 Steps"))
    screen.press("Z")
    #expect(screen.text.contains("5 Steps") && !screen.text.contains("1 Canonical"))
    screen.press("Z")
    #expect(screen.text.contains("1 Canonical") && screen.text.contains("6 Explain"))
  }

  @Test func `some entries only`() throws {
    var screen = try Screen()
    screen.press("} } } } } 3")
    for (condition, shown, hidden) in [
      ("alias", "00010000", "00030000"), ("not alias", "00030000", "00010000"),
      ("changed", "00020000", "00010000"), ("to=0x800400000", "00010000", "00030000"),
      ("from=0x30000", "00030000", "00010000"),
      ("perm=rw not from=0x30000", "00010000", "00030000"),
    ] {
      screen.press("f ctrl-u ‹\(condition)› enter")
      let rows = screen.rows(of: ShadowPane()).map(\.address)
      #expect(rows.contains(UInt64(shown, radix: 16) ?? 0), "\(condition): \(rows)")
      #expect(!rows.contains(UInt64(hidden, radix: 16) ?? 0), "\(condition): \(rows)")
    }
    for condition in ["x", "size=2M", "level=1", "block", "stale"] {
      screen.press("f ctrl-u ‹\(condition)› enter")
      #expect(screen.text.contains("No entry matches. \"F\" shows all."), "\(condition)")
    }
    screen.press("F")
    #expect(screen.text.contains("L0 00000000 table"))
    screen.press("F")
    #expect(screen.lastLine.contains("All entries are shown. Press \"f\" to filter them."))
  }

  @Test func `stale entries only, at the moment when there is one`() throws {
    var screen = try Screen()
    screen.press("} } } } } } } } 3 f ‹stale› enter")
    #expect(screen.rows(of: ShadowPane()).map(\.address) == [0x30000])
    screen.press(".")
    // The filter stays, what it finds is of the new moment.
    #expect(screen.model.filter != nil)
  }

  @Test func `a filter that makes no sense stays to be corrected`() throws {
    var screen = try Screen()
    screen.press("f ‹level=7› enter")
    #expect(screen.text.contains("Expected level=0 to level=3."))
    screen.press("backspace ‹3› enter")
    #expect(screen.model.filter?.filter.text == "level=3")
  }

  @Test func `text is found in tables, from one place to the next`() throws {
    var screen = try Screen()
    screen.press("$ 3 g / ‹0000 → 800› enter")
    let first = screen.model.views[.shadow]?.cursor?.address
    screen.press("n")
    let second = screen.model.views[.shadow]?.cursor?.address
    #expect(first == 0x10000 && second == 0x30000)
    screen.press("N")
    #expect(screen.model.views[.shadow]?.cursor?.address == first)
    screen.press("/ ‹0x30000› enter")
    #expect(screen.model.views[.shadow]?.cursor?.address == 0x30000)
    screen.press("/ ‹nowhere› enter")
    #expect(screen.text.contains("No row of Shadow 0 has \"nowhere\"."))
  }

  @Test func `what is found is marked until it is left`() throws {
    var screen = try Screen()
    screen.press("$ 3 g / ‹RW-› enter")
    #expect(screen.frame.marked == ["RW-", "RW-", "RW-"])
    screen.press("escape")
    #expect(screen.frame.marked.isEmpty)
    screen.press("n")
    #expect(screen.frame.marked == ["RW-", "RW-", "RW-"])
    screen.press("escape ? / ‹histor›")
    #expect(screen.frame.marked.count > 2 && Set(screen.frame.marked) == ["histor"])
  }

  @Test func `text is found in steps, answers and the map`() throws {
    var screen = try Screen()
    screen.press("} } } } 5 / ‹slot› enter")
    #expect(screen.model.steps.cursor == 10)
    screen.press("! / ‹mirror› enter")
    #expect(screen.model.question == .question(.rules))
    screen.press("escape P ‹repaired› enter 4 g / ‹0x30000› enter")
    #expect(screen.model.mappedEntry?.nested == 0x30000)
    // And from the map to the page.
    screen.press("enter")
    #expect(screen.model.selected == .canonical)
    #expect(screen.model.views[.canonical]?.cursor?.address == 0x8000_6000)
  }

  @Test func `other tables of the same kind`() throws {
    var screen = try Screen()
    screen.press("} } } } 3 >")
    #expect(screen.model.tableID(of: .shadow) == .shadow(1))
    #expect(screen.text.contains("3 Shadow 1  nIPA → PA  unused"))
    screen.press("<")
    #expect(screen.model.tableID(of: .shadow) == .shadow(0))
    screen.press("1 >")
    #expect(screen.lastLine.contains("There is no other table of this kind."))
  }

  @Test func `three levels of detail`() throws {
    var screen = try Screen()
    screen.press("} } } }")
    #expect(screen.text.contains("cost  ") && screen.text.contains("stage2_make_pte"))
    screen.press("e")
    #expect(screen.lastLine.contains("Detail: bits"))
    #expect(screen.text.contains("→ 0x1c00008004017db"))
    screen.press("e")
    #expect(screen.lastLine.contains("Detail: plain"))
    #expect(!screen.text.contains("cost  ") && !screen.text.contains("stage2_make_pte"))
    screen.press(": ‹detail engineer› enter")
    #expect(screen.text.contains("stage2_make_pte"))
  }

  @Test func `a chart that is wider than its pane scrolls sideways`() throws {
    var screen = try Screen("scenarios/pkvm/donation.pw", 80, 24)
    screen.press("} } } } } V")
    let whole = screen.lines.filter { $0.contains("TLB 4K") }
    #expect(!whole.isEmpty && whole.allSatisfy { $0.contains("walk 4K") })
    screen.press("l")
    #expect(screen.lastLine.contains("Only tables can be folded."))
    screen.input(.resize(width: 40, height: 12))
    let heads = screen.lines.first { $0.contains("0x880000000") }
    #expect(heads?.contains("0x880008000") == false && screen.lines[1].contains("→"))
    screen.press("l l l l l l l l")
    #expect(screen.lines.contains { $0.contains("0x880008000") })
    #expect(screen.lines[1].contains("←") && !screen.lines[1].contains("→"))
    // The words of the steps stay.
    #expect(screen.lines.contains { $0.contains("20 make") })
    screen.press("h h h h h h h h")
    #expect(screen.lines.first { $0.contains("0x880000000") } == heads)
  }

  @Test func `a map of all addresses, with the cursor in it`() throws {
    var screen = try Screen()
    screen.press("} } } } 3")
    let frame = screen.frame
    let map = AddressMap(try #require(screen.model.reader(of: .shadow)))
    #expect(map.cells.enumerated().filter { $0.element > 0 }.map(\.offset) == [4, 5])
    let reversed = (0..<frame.width).filter {
      frame[Point($0, 3)].style.attributes.contains(.reverse)
    }
    // In the shadow's pane, the sixth part: from 128K to 256K.
    let start = try #require(frame.text.split(separator: "\n")[3].range(of: "256T"))
    #expect(reversed.count == 3 && !start.isEmpty)
  }

  @Test func `pages of more rows than there is room for`() throws {
    let writes = (0..<200).map { "l1 write 0x\(String(0x8000_0000 + $0 * 8192, radix: 16))\n" }
    var screen = try Screen(
      statements: "memslot 0 0x80000000 4M backing=4K\n" + writes.joined(), 80, 24)
    screen.press("$ 1 z g")
    #expect(screen.lines[2].contains(" ↓ "))
    screen.press("ctrl-d pagedown")
    #expect(screen.lines[2].contains(" ↑↓ "))
    screen.press("G")
    #expect(screen.lines[2].contains(" ↑ ") && screen.text.contains("0x8018e000"))
  }

  @Test func `a text that no row has is not said to be looked for among 50000 rows`() throws {
    var screen = try Screen()
    screen.press("} } 1 / ‹0x30000x› enter")
    #expect(screen.text.contains("No row of Canonical has \"0x30000x\"."))
  }

  /// 128 contiguous pages that L1 maps alike, of which one has a second name.
  private static let aliasInARun: String = {
    let stores = (0..<128).map { "l1 store \(0x4010_2000 + $0 * 8) \(0x8000_07ff + $0 << 12)\n" }
    let reads = [0, 0x64000, 0x12c000] + (0..<128).map { $0 << 12 }
    return """
      policy revmap=repaired
      memslot 0 0x40000000 4M backing=4K
      memslot 1 0x80000000 8M backing=4K
      l1 store 0x40100000 0x40101003
      l1 store 0x40101000 0x40102003
      \(stores.joined())l1 store 0x40102960 0x800647ff
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      host write 0x80000000 1M
      \(reads.map { "l2 write \($0)\n" }.joined())
      """
  }()

  @Test(arguments: ["unknown", "known", "alias", "not unknown w", "unknown or alias"])
  func `a filter finds the entries that the question finds, also within a run`(
    filter: String
  ) throws {
    var screen = try Screen(statements: Self.aliasInARun, 120, 40)
    screen.press("$ : ‹filter \(filter)› Enter")
    var subject = Subject()
    subject.text = filter
    for table in [TableID.canonical, .shadow(0)] {
      subject.table = table
      let answer = try ListAnswer(about: subject, in: &screen.model.session)
      let wanted = answer.rows.flatMap {
        stride(from: $0.range.lowerBound, to: $0.range.upperBound, by: 0x1000)
      }
      #expect(!wanted.isEmpty || table == .canonical)
      let rows = screen.model.filter?.found[table]?.rows ?? []
      let found = rows.flatMap { stride(from: $0.address, to: $0.end, by: 0x1000) }
      #expect(found == wanted, "\(table.name)")
    }
    #expect(screen.text.contains("not all of them") == false)
  }

  @Test func `a place in a table that no pane shows is shown by a pane of its kind`() throws {
    var screen = try Screen("scenarios/iommu/two-devices.pw", 120, 40)
    let machines = screen.model.timeline.events.indices
    // The first moment at which both devices have a table.
    let moment = try #require(
      machines.first {
        screen.model.go(to: Moment(events: $0 + 1))
        return screen.model.machine.attachedDevices.count == 2
      })
    #expect(moment > 0)
    let other = TableID.iommu(screen.model.machine.attachedDevices[1])
    #expect(screen.model.pane(showing: other) == nil)
    screen.model.follow(.place(other, 0))
    #expect(screen.model.pane(showing: other) == .iommu && screen.model.message == nil)
    // One that is not there now is in no pane.
    screen.model.follow(.place(.protectedGuest(1), 0))
    #expect(screen.model.message?.text.string.contains("is in no pane now") ?? false)
  }
}

extension Surface {
  /// The texts that are marked as found.
  fileprivate var marked: [String] {
    (0..<height).flatMap { y in
      let cells = (0..<width).map { self[Point($0, y)] }
      return cells.split { $0.style.role != .match }
        .map { String(String.UnicodeScalarView($0.map(\.scalar))) }
    }
  }

  /// The text of rows in which something is marked as linked.
  fileprivate var linkedRows: [String] {
    (0..<height).compactMap { y in
      let cells = (0..<width).map { self[Point($0, y)] }.filter { $0.style.role == .linked }
      let text = String(String.UnicodeScalarView(cells.map(\.scalar)))
      return text.contains("→") ? text : nil
    }
  }
}
