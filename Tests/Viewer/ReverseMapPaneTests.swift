import Engine
import Inquiry
import Testing

@testable import Viewer

/// The pane of the reverse map.
@Suite struct ReverseMapPaneTests {
  private static let example = "scenarios/bugs/worked-example.pw"

  /// The lines of the pane alone, without its title.
  private func pane(_ screen: Screen) throws -> [String] {
    let lines = screen.lines.map { String($0.trimmed) }
    let title = try #require(lines.firstIndex { $0.hasPrefix("4 Reverse map") })
    return Array(lines[(title + 1)...].prefix { !$0.hasPrefix("mm") })
  }

  @Test func `it has the line of ranges, counts, what was done last, entries, payload and nodes`()
    throws
  {
    var screen = try Screen(Self.example, 90, 34)
    screen.press(": ‹goto step:after› Enter 4 z")
    let lines = try pane(screen)
    #expect(lines[0].hasPrefix("───┤0x80000000 ?unknown├───┤0x80300000→0x5000├──"))
    #expect(
      lines[1] == "2 entries  known 1  unknown 1, 2M  stale 0  uncovered 0  1 maple node (256 B)")
    #expect(lines[2] == "last  ? fused with 2 ranges: 0x80000000+2M unknown")
    #expect(lines[3] == "*►0x80000000+2M    ? unknown")
    #expect(lines[4] == "0x80300000+4K    → 0x5000")
    #expect(lines[6] == "payload  0x0000000000000001: bit 0, UNKNOWN_IPA")
    #expect(lines[7].hasSuffix("2 of 15  pivots ►0x80000000 0x80300000"))
    screen.press("j")
    #expect(
      try pane(screen)[6]
        == "payload  0x8000000000005000: bit 63, VALID_ENTRY; bits 55:12 nested IPA 0x5000")
  }

  @Test(arguments: [
    ("v1", "payload  0x0000000000005000: bits 55:12 nested IPA 0x5000", "direct map 1"),
    (
      "v3", "payload  0x4000000000005000: bit 62, VALID_ENTRY; bits 55:12 nested IPA 0x5000",
      "direct map 1"
    ),
    (
      "repaired", "payload  0x8000000000005000: bit 63, VALID_ENTRY; bits 55:12 nested IPA 0x5000",
      "uncovered 0"
    ),
  ])
  func `another policy keeps the moment, and shows its own encoding and trees`(
    policy: String, payload: String, counts: String
  ) throws {
    var screen = try Screen(Self.example, 90, 34)
    screen.press(": ‹goto step:after› Enter 4 z")
    let moment = screen.model.timeline.moment
    screen.press("P ‹\(policy)› Enter j")
    #expect(screen.model.timeline.moment == moment)
    #expect(screen.model.machine.configuration.reverseMap.rawValue == policy)
    let lines = try pane(screen)
    #expect(lines[1].hasPrefix("2 entries  known 1  unknown 1, 2M  stale 0"))
    #expect(lines[1].contains(counts))
    #expect(lines.contains(payload))
  }

  @Test func `an exact map shows overlapping entries, and the cursor comes by each`() throws {
    var screen = try Screen(Self.example, 90, 34)
    screen.press(": ‹policy revmap=ideal› Enter : ‹goto step:after› Enter 4 z g")
    var chosen: [String] = []
    for _ in 0..<4 {
      chosen.append(try pane(screen).first { $0.contains("►0x8") && !$0.contains("leaf") } ?? "")
      screen.press("j")
    }
    #expect(
      chosen == [
        "*►0x80000000+2M    → 0x40000000", "*►0x80080000+4K    → 0x1000",
        "*►0x80100000+4K    → 0x2000", "►0x80300000+4K    → 0x5000",
      ])
  }

  @Test func `what was not recorded, and why, is said`() throws {
    var off = try Screen("scenarios/bugs/stage2-off.pw", 90, 34)
    off.press(": ‹goto step:mapped› Enter 4 z")
    #expect(try pane(off).contains { $0.hasSuffix("not recorded 0x80000000+4K: stage 2 is off") })
    var broken = try Screen("scenarios/bugs/b08-lost-broken.pw", 90, 34)
    broken.press(": ‹goto step:broken› Enter 4 z")
    #expect(try pane(broken).contains { $0.hasSuffix("not inserted 0x80000000+4K: no memory") })
    #expect(try pane(broken)[1].contains("broken"))
    broken.press(": ‹goto step:behind› Enter")
    #expect(
      try pane(broken).contains { $0.hasSuffix("not recorded 0x80001000+4K: the map is broken") })
  }

  @Test func `on a small screen nothing of the counts is lost`() throws {
    var screen = try Screen("scenarios/bugs/b08-lost-broken.pw", 40, 12)
    screen.press(": ‹goto step:broken› Enter 4")
    #expect(try pane(screen)[1...2].joined(separator: " ").contains("broken"))
  }

  // MARK: What is selected

  @Test func `moving in it moves the cursors of the tables`() throws {
    var screen = try Screen(Self.example, 120, 40)
    screen.press(": ‹goto step:after› Enter 4 G")
    let range = try #require(screen.model.selectedRange)
    #expect(range.canonical.lowerBound == 0x8030_0000 && range.nested == 0x5000)
    #expect(screen.model.views[.canonical]?.cursor?.address == 0x8030_0000)
    #expect(screen.model.views[.shadow]?.cursor?.address == 0x5000)
    screen.press("g")
    #expect(screen.model.selectedRange?.canonical.lowerBound == 0x8000_0000)
    #expect(screen.model.views[.canonical]?.cursor?.address == 0x8000_0000)
    // Each table stays what is selected once it has the focus.
    screen.press("3 j")
    #expect(screen.model.selectedRange == nil && screen.model.selected == .shadow(0))
  }

  @Test func `the questions are about its selection`() throws {
    var screen = try Screen(Self.example, 120, 40)
    screen.press(": ‹goto step:after› Enter 4 G w z")
    #expect(screen.text.contains("Range 0x80300000+4K in the reverse map of shadow 0"))
    #expect(screen.text.contains("now: known, nested IPA 0x5000"))
    screen.press("z 4 g w z")
    #expect(screen.text.contains("Range 0x80000000+2M in the reverse map of shadow 0"))
    #expect(screen.text.contains("now: unknown"))
    #expect(screen.model.answer.choices.count >= 2)
    screen.press("enter")
    #expect(screen.model.timeline.steps[screen.model.timeline.stepsDone - 1].changesReverseMap)
    screen.press(": ‹goto step:after› Enter 4 g t 6 z")
    #expect(screen.text.contains("payload  0x0000000000000001: bit 0, UNKNOWN_IPA"))
    #expect(screen.text.contains("canonical IPA 0x80000000"))
    screen.press("z 4 G a 6 z")
    #expect(screen.text.contains("canonical IPA 0x80300000"))
  }

  @Test func `the next touch is of the selected range`() throws {
    var screen = try Screen(Self.example, 120, 40)
    screen.press(": ‹goto step:after› Enter 4 g [")
    let timeline = screen.model.timeline
    #expect(
      timeline.steps.contains {
        $0.changesReverseMap && $0.addresses.overlaps(0x8000_0000..<0x8020_0000)
      })
    #expect(screen.lastLine.contains("Stopped at event"))
  }

  @Test func `what cannot be asked of a range is refused with the reason`() throws {
    var screen = try Screen(Self.example, 120, 40)
    screen.press(": ‹goto step:after› Enter 4 g W")
    #expect(
      screen.lines.suffix(3).joined().contains("A range of the reverse map cannot be watched"))
    var none = try Screen()
    none.press("$ 4")
    for key in ["w", "t", "a", "]", "["] {
      none.press(key)
      #expect(none.lastLine.contains("There is no reverse map under revmap=none"), "\(key)")
    }
    none.press(FrameTests.repaired + "0 4 w")
    #expect(none.lastLine.contains("The map is empty"))
  }

  @Test func `addresses beyond every table are survived in every pane`() throws {
    for address in ["0x1000000001000", "0xfffffffffffff000", "0x10000000000"] {
      var screen = try Screen(
        bytes: [UInt8](
          "pagewalk 1\nvm nested=on\npolicy revmap=v1\nmemslot 0 0x80000000 1M backing=4K\nl1 read \(address)\n"
            .utf8), file: "test.pw", 120, 40)
      screen.press("$")
      for pane in 1...screen.model.panes.count {
        screen.press(
          "\(pane) j k G g h l enter w t a [ : ‹goto \(address)› enter / ‹\(address)› enter")
        #expect(screen.frame.height == 40)
      }
    }
  }

  @Test func `a filter leaves ranges out here, too`() throws {
    var screen = try Screen("scenarios/bugs/worked-example.pw")
    screen.press("c 4")
    let all = screen.model.machine.reverseMap(ofShadow: 0)
    let unknown = all.filter { $0.nested == nil }
    #expect(!unknown.isEmpty && unknown.count < all.count)
    func shown() -> [ReverseMapEntry] {
      guard let first = screen.model.mapped.first else { return [] }
      return screen.model.mapped.entries(100, from: first)
    }
    screen.press("f ‹unknown› enter")
    #expect(shown() == unknown)
    #expect(screen.text.contains("only unknown"))
    screen.press("f ctrl-u ‹known› enter")
    #expect(shown() == all.filter { $0.nested != nil })
    screen.press("f ctrl-u ‹from=0x80300000› enter g")
    #expect(shown().allSatisfy { $0.canonical.contains(0x8030_0000) })
    screen.press("f ctrl-u ‹level=1› enter")
    #expect(shown().isEmpty && screen.text.contains("No range matches."))
    screen.press("F")
    #expect(shown() == all)
  }

  @Test func `entries of tables are filtered by what the reverse map has of them`() throws {
    var screen = try Screen("scenarios/bugs/worked-example.pw")
    screen.press("c 3 f ‹unknown› enter")
    let machine = screen.model.machine
    let unknown = machine.reverseMap(ofShadow: 0).filter { $0.nested == nil }
    for row in screen.rows(of: ShadowPane()) {
      let ipa = try #require(machine.derivation(of: row.address, inShadow: 0)?.ipa)
      #expect(unknown.contains { $0.canonical.contains(ipa) }, "\(row)")
    }
    #expect(!screen.rows(of: ShadowPane()).isEmpty)
  }

  // MARK: What is found

  @Test func `a filter finds the text of each row as it is shown`() throws {
    var screen = try Screen(Self.example, 90, 34)
    screen.press(": ‹goto step:after› Enter 4 z")
    for entry in screen.model.machine.reverseMap(ofShadow: 0) {
      let line = ReverseMapPane().line(of: entry, screen.model).text.string
      screen.press(": ‹filter \"\(line)\"› Enter")
      #expect(screen.model.reverseMap.filtered?.entries == [entry], "\(line)")
    }
  }

  @Test func `a filter says where it has not looked`() throws {
    let count = FilteredRanges.entriesAtMost
    var text = "pagewalk 1\nvm ipa=40 nested=on seen=words\npolicy revmap=repaired\n"
    for index in 0...count {
      let address = 0x8000_0000 + index * 0x2000
      text += "kernel seen-revmap shadow0 \(address) 4K nipa=0x1000\n"
    }
    var screen = try Screen(bytes: Array(text.utf8), file: "long.pw", 90, 34)
    screen.press("$ : ‹filter known› Enter 3")
    #expect(screen.model.reverseMap.filtered?.entries.count == count)
    #expect(screen.text.contains("only known, not all of them"))
    // The last entry is behind those that are looked at.
    screen.press(": ‹filter from=\(0x8000_0000 + count * 0x2000)› Enter")
    #expect(screen.text.contains("None of the first \(count) ranges matches."))
    screen.press(": ‹goto start› Enter")
    #expect(screen.text.contains("No range matches."))
  }
}

extension String {
  fileprivate var trimmed: String {
    let start = firstIndex { $0 != " " } ?? endIndex
    let end = lastIndex { $0 != " " } ?? startIndex
    return start <= end && start != endIndex ? String(self[start...end]) : ""
  }
}
