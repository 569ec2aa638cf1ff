import TestSupport
import Testing

@testable import Engine
@testable import Language

/// AMD's RMP beside the IOMMU.
@Suite struct RMPTests {
  /// The table of size classes, as the thread states it, row by row; and pages that are the hypervisor's.
  @Test(arguments: [
    ("2M", "2M", true), ("2M", "4K", false), ("4K", "4K", true), ("4K", "2M", false),
    ("2M", "none", true), ("4K", "none", true), ("1G", "2M", true), ("1G", "4K", false),
    ("64K", "4K", true), ("64K", "2M", false),
  ])
  func `a DMA needs the same size class on both sides`(page: String, rmp: String, works: Bool)
    throws
  {
    let backing = page == "1G" ? "hugetlb-1G" : "thp"
    let size = page == "1G" ? "1G" : "2M"
    // A map that is not aligned to 2M is of pages.
    let map =
      page == "4K" || page == "64K"
      ? "iommu map 0x40001000 0x1ff000 PAGE rw" : "iommu map 0x40000000 \(size) HEAD rw"
    let base: UInt64 = page == "1G" ? 0x8_4000_0000 : 0x8_0040_0000
    let text = """
      policy rmp-order=firmware
      memslot 0 0x40000000 \(size) backing=\(backing)
      host write 0x40000000 4K
      \(rmp == "none" ? "" : "rmp assign 0x40000000 2M \(rmp)")
      iommu attach
      \(map)
      dev read 0x40003000
      """.replacing("HEAD", with: "\(base)").replacing("PAGE", with: "\(base + 0x1000)")
    let machine = try session(text).timeline.machine
    let outcome = try #require(machine.lastDeviceOutcome)
    let level = try #require(
      machine.table(.iommu(0)).map { machine.walk(0x4000_3000, in: $0).level })
    #expect(level == ["1G": 1, "2M": 2][page, default: 3])
    #expect(outcome == (works ? .walked(base + 0x3000, level: level) : .fault(.rmp, level: level)))
    if works {
      // What is cached is of 2M or of 4K, nothing else.
      #expect(machine.iotlbEntries.map(\.level) == [level < 3 ? 2 : 3])
    }
  }

  /// The RMP as a dictionary of pages: who owns it, and whether it came as 2M.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `the RMP agrees with a dictionary of pages`(seed: UInt64) throws {
    var random = Generator(seed: seed)
    var model: [UInt64: Bool] = [:]
    var held: Set<UInt64> = []
    // Regions that the IOMMU maps by pages.
    var split: Set<UInt64> = []
    var session = try session(
      """
      policy rmp-order=\(["iommu-first", "rmp-first", "firmware"][random.below(3)])
      memslot 0 0x80000000 8M backing=thp
      host write 0x80000000 8M
      iommu attach
      iommu pin 0x80000000 8M
      """)
    for number in 0..<120 {
      let region = 0x8000_0000 + UInt64(random.below(4)) << 21
      let page = region + UInt64(random.below(512)) << 12
      let count = UInt64(1 + random.below(3))
      let range = page..<min(page + count << 12, region + 2 << 20)
      let pages = Array(stride(from: range.lowerBound, to: range.upperBound, by: 4096))
      let all = (0..<UInt64(512)).map { region + $0 << 12 }
      let text: String
      switch random.below(6) {
      case 0:
        text = "rmp assign 0x\(hex(region)) 2M 2M"
        if all.allSatisfy({ model[$0] == nil }) { for page in all { model[page] = true } }
      case 1:
        text = "rmp hold 0x\(hex(page))"
        if model[page] != nil { held.insert(model[page] == true ? region : page) }
      case 2:
        text = "rmp release 0x\(hex(page))"
        if model[page] != nil { held.remove(model[page] == true ? region : page) }
      case 3:
        text = "rmp smash 0x\(hex(page))"
        if model[page] == true, !held.contains(region) { for page in all { model[page] = false } }
      default:
        let shared = random.below(2) == 0
        text =
          "rmp convert 0x\(hex(range.lowerBound)) \(range.upperBound - range.lowerBound) "
          + (shared ? "shared" : "private")
        let isHeld = pages.contains { held.contains(model[$0] == true ? region : $0) }
        if !isHeld, pages.allSatisfy({ (model[$0] != nil) == shared }) {
          split.insert(region)
          if shared, model[page] == true { for page in all { model[page] = false } }
          for page in pages { model[page] = shared ? nil : false }
        }
      }
      try session.carryOut(text)
      let machine = session.timeline.machine
      for page in all {
        let (entry, _) = machine.rmpEntry(of: 0x8_0040_0000 + (page - 0x8000_0000))
        let found = entry.isAssigned ? entry.isLarge : nil
        #expect(found == model[page], "seed \(seed), event \(number), \(text), 0x\(hex(page))")
        if found != model[page] { return }
        if entry.isAssigned {
          #expect(entry.guestAddress == (entry.isLarge ? region : page) && entry.isValidated)
        }
      }
      // PSMASH alone, or 2M given over an I/O table of pages, is what must not be done: DMA fails.
      let regions = (0..<UInt64(4)).map { 0x8000_0000 + $0 << 21 }.filter { region in
        (0..<UInt64(512)).contains { page in
          model[region + page << 12].map { $0 == split.contains(region) } ?? false
        }
      }
      let violations = machine.violations(after: 0..<0)
      #expect(
        Set(violations.map { $0.address & ~0x1f_ffff }) == Set(regions)
          && violations.allSatisfy { $0.invariant == .dmaHole },
        "seed \(seed), event \(number), \(text)")
    }
    let end = session.timeline.machine.memory
    session.seek(to: Moment(events: 0))
    session.seek(to: Moment(events: session.timeline.events.count))
    #expect(session.timeline.machine.memory.hasSameWords(as: end))
  }

  @Test func `what cannot be done is an error of the kernel, and changes nothing`() throws {
    let session = try session(
      """
      policy rmp-order=iommu-first
      memslot 0 0x80000000 4M backing=thp
      rmp assign 0x80000000 2M 2M
      expect error enoent
      host write 0x80000000 4K
      rmp assign 0x80001000 4K 2M
      expect error einval
      rmp assign 0x80000000 2M 2M
      rmp assign 0x80001000 4K 4K
      expect error eexist
      rmp convert 0x80001000 4K private
      expect error einval
      rmp smash 0x80200000
      expect error enoent
      rmp hold 0x80001000
      rmp smash 0x80001000
      expect error eagain
      rmp convert 0x80001000 4K shared
      expect error eagain
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    let entry = session.timeline.machine.rmpEntry(of: 0x8_0040_1000).entry
    #expect(entry.isLarge && entry.isValidated && entry.isInUse)
  }

  /// `__set_pages_state`, and `sev_handle_rmp_fault` for PVALIDATE of 4K where the RMP has 2M.
  @Test(arguments: [
    (
      "2M 2M", "4K",
      ["tooSmall", "psmash", "clearLeaf", "rescinded", "shared"]
    ), ("2M 2M", "2M", ["rescinded", "clearLeaf", "shared"]),
    ("2M 4K", "4K", ["rescinded", "clearLeaf", "shared"]),
  ])
  func `a guest rescinds its validation before a page is shared`(
    assigned: String, size: String, order: [String]
  ) throws {
    var session = try session(
      """
      policy rmp-order=rmp-first
      memslot 0 0x80000000 2M backing=thp
      host write 0x80000000 4K
      rmp assign 0x80000000 \(assigned)
      l1 write 0x80000000 value=1
      rmp convert 0x80000000 \(size) shared
      """)
    session.seek(to: Moment(events: session.timeline.events.count))
    let names = session.timeline.steps.map(\.action.caseName).filter { order.contains($0) }
    #expect(names == order)
    let isOwned = session.timeline.machine.rmpEntry(of: 0x8_0040_0000).entry.isAssigned
    #expect(!isOwned)
  }

  @Test func `a page that a guest has rescinded stays its own until RMPUPDATE`() throws {
    let session = try session(
      """
      policy rmp-order=rmp-first
      memslot 0 0x80000000 2M backing=thp
      host write 0x80000000 4K
      rmp assign 0x80000000 2M 4K
      pause
      rmp convert 0x80001000 4K shared
      """)
    let entries = [0, 1, 2].map {
      session.timeline.machine.rmpEntry(of: 0x8_0040_0000 + $0 << 12).entry
    }
    #expect(entries.map(\.isValidated) == [true, false, true])
    #expect(entries.map(\.isAssigned) == [true, true, true])
  }

  @Test func `an entry that is taken during a conversion makes it wait`() throws {
    let session = try session(
      """
      policy rmp-order=firmware
      memslot 0 0x80000000 2M backing=thp
      iommu attach
      iommu pin 0x80000000 2M
      rmp assign 0x80000000 2M 2M
      pause
      rmp convert 0x80001000 4K shared
      dev read 0x80003000
      expect dma stalled
      rmp hold 0x80000000
      resume
      dev read 0x80003000
      expect dma stalled
      rmp release 0x80000000
      resume
      dev read 0x80003000
      expect dma pa=0x800403000 walked
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `statements that make no sense are refused with their place`() {
    let slot = "policy rmp-order=firmware\nmemslot 0 0x80000000 4M backing=thp\n"
    #expect(refusal("rmp smash 0")?.hasPrefix("f.pw:3:1: expected 'policy rmp-order=") == true)
    #expect(
      refusal(slot + "rmp convert 0x801ff000 8K shared")
        == "f.pw:5:24: expected pages of one region of 2M")
    #expect(refusal(slot + "rmp assign 0x90000000 2M 2M")?.hasPrefix("f.pw:5:12: expected") == true)
    #expect(refusal("rmp melt 0")?.hasPrefix("f.pw:3:5: expected assign, convert") == true)
    #expect(
      refusal("policy rmp-order=both")?.hasPrefix("f.pw:3:18: expected rmp-order=iommu-first|")
        == true)
  }

  /// Nothing translates its DMA, so no size can differ, but what is the guest's is not the host's.
  @Test func `a device of the host's own does not reach what the guest owns`() throws {
    let session = try session(
      """
      policy rmp-order=firmware
      memslot 0 0x80000000 4M backing=thp
      host write 0x80000000 4M
      iommu@1 bypass
      dev@1 write 0x800400000
      expect dma pa=0x800400000
      rmp assign 0x80000000 2M 2M
      dev@1 read 0x800400000
      expect dma fault=rmp
      dev@1 read 0x800600000
      expect dma pa=0x800600000
      rmp convert 0x80001000 4K shared
      dev@1 read 0x800401000
      expect dma pa=0x800401000
      dev@1 read 0x800402000
      expect dma fault=rmp
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }
}
