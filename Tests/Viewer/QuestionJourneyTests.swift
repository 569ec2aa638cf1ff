import Canvas
import Engine
import Inquiry
import Testing

@testable import Viewer

/// Questions that people come with, and the keys that answer them.
@Suite struct QuestionJourneyTests {
  /// The answer on the screen, in one line.
  private func answer(_ screen: Screen) -> String {
    screen.model.answer.text.map(\.string).joined(separator: "\n")
  }

  @Test func `no more places are found than can be listed`() throws {
    let maps = (0..<400).map { "iommu map \(0x1_0000_0000 + $0 * 4096) 4K 0x800400000 r\n" }
    var screen = try Screen(
      statements: "memslot 0 0x80000000 1M backing=4K\nl1 write 0x80000000\niommu attach\n"
        + maps.joined())
    screen.press("$ 1 G a")
    #expect(screen.model.link?.places[.iommu(0)]?.count == Link.placesAtMost)
    #expect(screen.text.contains("Some tables may have more than 250 places."))
  }

  @Test func `why did nested 0x30000 lose its mapping`() throws {
    var screen = try Screen(FrameTests.alias)
    // Six keys: to the third chapter, into the shadow, where the cursor is on the page, and why.
    screen.press("} } } } 3 w")
    let answer = answer(screen)
    #expect(answer.contains("Nested IPA 0x30000 in shadow 0"))
    #expect(answer.contains("removed by 38.9 unmap level 3 at 0x30000"))
    #expect(answer.contains("Nothing records which nested IPAs lead to that memory"))
    #expect(answer.contains("39 host discard 0x80006000 4K"))
    #expect(answer.contains("Before that it had been made in"))
    // Each link leads to its moment.
    screen.press("enter")
    #expect(screen.model.timeline.moment == Moment(events: 38, steps: 9))
    screen.press("ctrl-o")
    #expect(screen.model.timeline.moment == Moment(events: 39))
  }

  @Test func `which event first makes the map unknown`() throws {
    var screen = try Screen(FrameTests.alias)
    screen.press("P ‹repaired› enter : ‹run unknown› enter")
    #expect(screen.lastLine.contains("Stopped at event 37: unknown."))
    #expect(screen.lines[0].contains("l2 write 0x20000"))
    #expect(screen.text.contains("fused with 1 range: 0x80005000+4K unknown"))
    #expect(screen.text.contains("0x80005000+4K    ? unknown"))
    screen.press(": ‹run-back unknown› enter")
    #expect(screen.lastLine.contains("No earlier event matches \"unknown\"."))
    #expect(screen.model.timeline.moment == Moment(events: 37))
  }

  @Test func `what would v3 have kept`() throws {
    var screen = try Screen(FrameTests.alias)
    screen.press("} } } } 3 P ‹v3› enter : ‹diff main› enter")
    let answer = answer(screen)
    #expect(answer.contains("Shadow 0, main@39 and v3@39"))
    for kept in ["+ 0x0 ", "+ 0x10000 ", "+ 0x40000 ", "+ 0x70000000 "] {
      #expect(answer.contains(kept), "\(kept)")
    }
    // This one had to go.
    #expect(!answer.contains("+ 0x30000"))
  }

  @Test func `what does each policy cost`() throws {
    var screen = try Screen(FrameTests.alias)
    screen.press("$ %")
    let answer = answer(screen)
    for policy in ReverseMapVersion.allCases { #expect(answer.contains("\n" + policy.rawValue)) }
  }

  @Test func `what would the other orders have cost the device`() throws {
    var screen = try Screen("scenarios/rmp/rmp-first.pw")
    screen.press("%")
    let lines = answer(screen).split(separator: "\n")
    let orders = lines.filter { $0.hasPrefix("rmp-order=") }.map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(
      orders.map { $0.prefix(3) } == [
        ["rmp-order=iommu-first", "2560", "0"], ["rmp-order=rmp-first", "1536", "0"],
        ["rmp-order=firmware", "0", "11776"],
      ])
  }

  @Test func `who wrote the entry that the shadow was made from`() throws {
    var screen = try Screen()
    screen.press("} } } } 3 w")
    #expect(answer(screen).contains("L1's entry at canonical 0x40102180 had been stored by"))
    #expect(answer(screen).contains("l1 store 0x40102180 0x400000800067ff"))
  }

  @Test func `where else is this page`() throws {
    var screen = try Screen()
    screen.press("} } } } } 3 a")
    let answer = answer(screen)
    #expect(answer.contains("One page with 2 nested addresses"))
    #expect(answer.contains("canonical IPA 0x80005000"))
    for place in ["canonical  0x80005000", "guest1     0x10000", "shadow0    0x20000"] {
      #expect(answer.contains(place), "\(place)")
    }
    // Down to the last place, and there.
    screen.press("G enter")
    #expect(screen.model.focus == .shadow)
    #expect(screen.model.views[.shadow]?.cursor?.address == 0x20000)
  }

  @Test func `what is this leaf made from, and what do its bits mean`() throws {
    var screen = try Screen()
    screen.press("} } } } 3 t")
    let answer = answer(screen)
    #expect(answer.contains("made from  L1's 4K RW- and host's 4K RWX = 4K RW-, tag 3"))
    #expect(answer.contains("0x30000 → 0x80006000 → 0x800401000"))
    #expect(answer.contains("L3 [20:12]=48"))
    #expect(answer.contains("0x01c0_0008_0040_17db"))
    #expect(answer.contains("56:55 tag     0x3          KVM L1's leaf has level 3"))
    #expect(answer.contains("7:6 S2AP    0x3          hw  read and write"))
  }

  @Test func `what will the next event do`() throws {
    var screen = try Screen()
    screen.press("} } } } } v")
    #expect(answer(screen).contains("- shadow0 0x30000: removed"))
    #expect(screen.text.contains("»    L3 00030000 → 800401000"))
    // It has not happened.
    #expect(screen.model.timeline.moment == Moment(events: 14))
    screen.press("escape")
    #expect(!screen.text.contains("»    L3"))
  }

  @Test func `nothing happened, and why`() throws {
    var screen = try Screen()
    screen.press("} } } } } } } . ,")
    screen.press(": ‹l1 tlbi vmalle1is› enter")
    #expect(answer(screen).contains("No table changed."))
  }

  @Test func `which TLB entries are stale, and what clears them`() throws {
    var screen = try Screen(
      statements: """
        memslot 0 0x80000000 1M backing=4K
        iommu attach
        iommu map 0x80000000 4K 0x800400000 rw
        dev write 0x80000000
        """)
    screen.press("$ T")
    let answer = answer(screen)
    #expect(answer.contains("1 live, 0 stale"))
    #expect(answer.contains("SMMU"))
    #expect(answer.contains("0x80000000 → 0x800400000 RWX level 3"))
  }

  @Test func `which shadows are there`() throws {
    var screen = try Screen()
    screen.press("} } } } L")
    let answer = answer(screen)
    #expect(answer.contains("shadow 0   in use  L1's VMID 1, VMID 2"))
    #expect(answer.contains("VTTBR 0x1000040100000  VTCR 0x80023559"))
    #expect(answer.contains("shadow 1   not in use"))
    screen.press("j enter")
    #expect(screen.model.tableID(of: .shadow) == .shadow(1))
  }

  @Test func `a shadow that another context takes over is recycled`() throws {
    var screen = try Screen(
      statements: """
        memslot 0 0x80000000 4M backing=4K
        l1 context vttbr=0x1000080000000 vtcr=0x80023559 hcr=0x0
        l2 read 0x80000000
        l1 context vttbr=0x2000080000000 vtcr=0x80023559 hcr=0x0
        l2 read 0x80000000
        l1 context vttbr=0x3000080000000 vtcr=0x80023559 hcr=0x0
        l2 read 0x80000000
        """)
    screen.press("$ L")
    #expect(answer(screen).contains("shadow 0   in use, just recycled, stage 2 off  L1's VMID 3"))
    screen.press(",")
    #expect(!answer(screen).contains("recycled, stage 2"))
  }

  @Test func `what has changed since a mark`() throws {
    var screen = try Screen()
    screen.press("} } } } m a } } 3 d")
    #expect(answer(screen).contains("Shadow 0, @11 and @"))
    #expect(answer(screen).contains("- 0x30000"))
    screen.press("escape ' a")
    #expect(screen.model.timeline.moment == Moment(events: 11))
  }

  @Test func `in what do two tables differ`() throws {
    var screen = try Screen()
    screen.press("} } } } } } } } 3 D")
    #expect(
      answer(screen).contains(
        "Shadow 0 and the canonical table, of the pages that both tables name"))
    #expect(answer(screen).contains("0x30000"))
    screen.press(": ‹diff-panes guest1› enter")
    #expect(answer(screen).contains("Shadow 0 and L1's table"))
  }

  @Test func `which rule is broken, since when, and why`() throws {
    var screen = try Screen("scenarios/bugs/relax.pw")
    screen.press("c")
    #expect(screen.lastLine.contains("Stopped at event 9"))
    #expect(screen.lines[0].contains("! writable-leaf"))
    screen.press("!")
    #expect(answer(screen).contains("1 violation now."))
    screen.press("enter")
    #expect(screen.model.focus == .shadow)
    #expect(screen.model.views[.shadow]?.cursor?.address == 0x1000)
  }

  @Test func `what does a word mean, and which words are near it`() throws {
    var screen = try Screen()
    screen.press("} } } } . K")
    #expect(screen.text.contains("┌ canonical table"))
    screen.press("enter")
    #expect(screen.text.contains("┌ canonical IPA"))
    screen.press("escape : ‹glossary stale› enter")
    #expect(screen.text.contains("┌ stale"))
  }

  @Test func `where does the rule of a step come from`() throws {
    var screen = try Screen()
    screen.press("} } } } . R")
    #expect(screen.text.contains("Source: arch/arm64/kvm/nested.c: kvm_inject_s2_fault"))
  }

  @Test func `how much was counted until here`() throws {
    var screen = try Screen()
    screen.press("$ #")
    #expect(answer(screen).contains("7  faults on shadow tables"))
    #expect(answer(screen).contains("1  unmaps of a whole shadow"))
    screen.press("0")
    #expect(answer(screen).contains("0  faults on shadow tables"))
  }

  @Test func `what does a device get while a page is taken from it`() throws {
    var screen = try Screen(statements: FrameTests.device)
    screen.press("$ , V")
    #expect(screen.lines[0].contains("iommu unmap 0x80000000 4K"))
    #expect(answer(screen).contains("before"))
    #expect(answer(screen).contains("cached") || answer(screen).contains("TLB"))
  }

  @Test func `where does a device's table differ from the CPUs', and may it`() throws {
    var screen = try Screen("scenarios/iommu/discard.pw")
    // The device goes on with the old page while the guest has a new one.
    screen.press("} } } 2 : ‹0x80001000› enter t")
    #expect(screen.text.contains("L3 0x80000000 → 0x800400000 RWX   ×4  AF     !o"))
    #expect(
      answer(screen).contains(
        "!o  The CPUs' table maps 0x80001000 to other memory, 0x800404000, although"))
    screen.press("} j j")
    #expect(!screen.text.contains("!o"))
  }

  @Test func `whose is the memory`() throws {
    var screen = try Screen("scenarios/rmp/firmware.pw")
    screen.press("$ O")
    #expect(answer(screen).contains("+2068K the guest: at 0x80000000, by 4K, accepted"))
    var realm = try Screen("scenarios/cca/one-owner.pw")
    realm.press("$ O")
    #expect(answer(realm).contains("the realm: data"))
    var protected = try Screen("scenarios/pkvm/donation.pw")
    protected.press("$ O")
    #expect(answer(protected).contains("host "), "\(answer(protected))")
    var plain = try Screen()
    plain.press("O")
    #expect(plain.lastLine.contains("no policy here tracks owners"))
  }

  @Test func `under pKVM the TLB's entries belong to the host's table and the guests'`() throws {
    var screen = try Screen("scenarios/pkvm/donation.pw")
    screen.press("$ T")
    #expect(screen.text.contains("VMID 0  the host's stage 2"))
    #expect(screen.text.contains("VMID 1  the stage 2 of guest 0"))
    #expect(screen.text.contains(" live, 0 stale"))
  }

  @Test func `a guest of pKVM is compared by the pages that another table maps, too`() throws {
    var screen = try Screen("scenarios/pkvm/guest-sharing.pw")
    screen.press("} } } 2 D")
    #expect(screen.text.contains("Pages that both map:"))
    #expect(screen.text.contains("0x80010000    4K  → 0x880010000  pkvm-guest0 RWX, iommu"))
    screen.press("} 2 : ‹diff-panes pkvm-host› enter")
    #expect(screen.text.contains("│ none"))
  }
}
