import TestSupport
import Testing

@testable import Engine
@testable import Language

/// A realm's memory under the RMM.
@Suite struct RealmTests {
  /// The RMM's account in the plainest way: for each page of two regions of 2M.
  private struct Model {
    var granule = [GranuleState](repeating: .undelegated, count: 1024)
    var isAssigned = [Bool](repeating: false, count: 1024)
    var state = [RealmState](repeating: .empty, count: 1024)
    /// Whether a region has a table of pages.
    var hasTable = [true, true]

    func pages(_ region: Int) -> Range<Int> { region * 512..<region * 512 + 512 }

    mutating func delegate(_ pages: Range<Int>, from old: GranuleState, to new: GranuleState)
      -> KernelError?
    {
      if pages.contains(where: { granule[$0] != old }) { return .rmiInput }
      for page in pages { granule[page] = new }
      return nil
    }

    mutating func create(_ page: Int) -> KernelError? {
      if granule[page] != .delegated { return .rmiInput }
      if !hasTable[page / 512] || isAssigned[page] { return .rmiTable }
      granule[page] = .data
      isAssigned[page] = true
      return nil
    }

    mutating func destroy(_ page: Int) -> KernelError? {
      if !hasTable[page / 512] || !isAssigned[page] { return .rmiTable }
      granule[page] = .delegated
      isAssigned[page] = false
      if state[page] == .ram { state[page] = .destroyed }
      return nil
    }

    mutating func set(_ pages: Range<Int>, _ new: RealmState) -> KernelError? {
      if !hasTable[pages.lowerBound / 512], pages.count < 512 { return .rmiTable }
      for page in pages { state[page] = new }
      return nil
    }

    mutating func fold(_ region: Int) -> KernelError? {
      let first = region * 512
      let isAlike = pages(region).allSatisfy {
        isAssigned[$0] == isAssigned[first] && state[$0] == state[first]
      }
      if !hasTable[region] || !isAlike { return .rmiTable }
      hasTable[region] = false
      return nil
    }

    mutating func createTable(_ region: Int) -> KernelError? {
      if hasTable[region] { return .rmiTable }
      hasTable[region] = true
      return nil
    }

    mutating func destroyTable(_ region: Int) -> KernelError? {
      if !hasTable[region] || pages(region).contains(where: { isAssigned[$0] }) {
        return .rmiTable
      }
      hasTable[region] = false
      for page in pages(region) { state[page] = .destroyed }
      return nil
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `random calls agree with an account page by page`(seed: UInt64) throws {
    var random = Generator(seed: seed)
    var model = Model()
    let hitless = random.below(2) == 0
    var session = try session(
      """
      policy cca=on
      policy bbm-cpu=\(hitless ? 2 : 0)
      policy bbm-smmu=\(hitless ? 2 : 0)
      memslot 0 0x80000000 4M backing=thp
      host write 0x80000000 4M
      realm rtt-create 0x80000000 2
      realm rtt-create 0x80000000 3
      realm rtt-create 0x80200000 3
      iommu attach
      iommu@1 bypass
      """)
    func ipa(_ page: Int) -> String { "0x\(hex(0x8000_0000 + UInt64(page) << 12))" }
    var folds = 0
    for number in 0..<60 {
      let region = random.below(2)
      let page = region * 512 + random.below(512)
      let isWhole = random.below(5) == 0
      let some = isWhole ? model.pages(region) : page..<min(page + 3, region * 512 + 512)
      let size = some.count << 12
      var error: KernelError?
      var calls: [String] = []
      switch random.below(10) {
      case 0:
        calls = ["delegate \(ipa(some.lowerBound)) \(size)"]
        error = model.delegate(some, from: .undelegated, to: .delegated)
      case 1:
        calls = ["undelegate \(ipa(some.lowerBound)) \(size)"]
        error = model.delegate(some, from: .delegated, to: .undelegated)
      case 2, 3:
        calls = some.map { "data-create \(ipa($0))" }
        for page in some { error = model.create(page) }
      case 4:
        calls = some.map { "data-destroy \(ipa($0))" }
        for page in some { error = model.destroy(page) }
      case 5, 6:
        let state: RealmState = random.below(3) == 0 ? .empty : .ram
        calls = ["ripas \(ipa(some.lowerBound)) \(size) \(state == .ram ? "ram" : "empty")"]
        error = model.set(some, state)
      case 7:
        calls = ["rtt-fold \(ipa(page)) 3"]
        error = model.fold(region)
        if error == nil { folds += 1 }
      case 8:
        calls = ["rtt-create \(ipa(page)) 3"]
        error = model.createTable(region)
      default:
        calls = ["rtt-destroy \(ipa(page)) 3"]
        error = model.destroyTable(region)
      }
      for call in calls { try session.carryOut("realm " + call) }
      let machine = session.timeline.machine
      #expect(machine.lastError == error, "seed \(seed), event \(number), \(calls.last ?? "")")
      for page in model.pages(region) {
        let address = 0x8000_0000 + UInt64(page) << 12
        let physical = 0x8_0040_0000 + UInt64(page) << 12
        let isMapped = model.isAssigned[page] && model.state[page] == .ram
        let agrees =
          machine.granule(at: physical) == model.granule[page]
          && machine.deviceOutcome(of: address, write: true).physical
            == (isMapped ? physical : nil)
          && machine.deviceOutcome(of: physical, write: true, device: 1).physical
            == (model.granule[page] == .undelegated ? physical : nil)
        #expect(agrees, "seed \(seed), event \(number), \(calls.last ?? ""), \(ipa(page))")
        if !agrees { return }
      }
      if page & 3 == 0 { try session.carryOut("dev read \(ipa(page))") }
      #expect(machine.violations(after: 0..<0).isEmpty, "seed \(seed), event \(number)")
    }
    let end = session.timeline.machine.memory
    session.seek(to: Moment(events: 5))
    session.seek(to: Moment(events: session.timeline.events.count))
    #expect(session.timeline.machine.memory.hasSameWords(as: end))
  }

  @Test func `statements that make no sense are refused with their place`() {
    let slot = "policy cca=on\nmemslot 0 0x80000000 4M backing=4K\n"
    #expect(refusal("realm data-create 0")?.hasPrefix("f.pw:3:1: expected 'policy cca=on'") == true)
    for call in ["discard", "unmap", "collapse", "merge"] {
      #expect(
        refusal(slot + "host \(call) 0x80000000 4K")?.hasPrefix("f.pw:5:1: expected what a host")
          == true)
    }
    #expect(
      refusal(slot + "realm data-create 0x80000008")?.hasPrefix("f.pw:5:19: expected") == true)
    #expect(refusal(slot + "realm data-create 1T")?.hasPrefix("f.pw:5:19: expected") == true)
    #expect(
      refusal(slot + "realm rtt-create 0x80000000 0")?.hasPrefix("f.pw:5:29: expected") == true)
    #expect(
      refusal(slot + "realm delegate 0x90000000 4K")?.hasPrefix("f.pw:5:16: expected") == true)
    #expect(refusal(slot + "iommu map 0 4K 0 rw")?.hasPrefix("f.pw:5:1: expected") == true)
  }

  @Test func `an unfolding that is paused goes on, and back is exact`() throws {
    var session = try session(
      """
      policy cca=on
      memslot 0 0x40000000 1G backing=4K
      realm rtt-create 0x40000000 2
      realm ripas 0x40000000 1G ram
      realm rtt-fold 0x40000000 2
      pause
      realm rtt-create 0x40000000 2
      expect violation none
      l1 write 0x40000000
      iommu attach
      resume
      dev read 0x40000000
      expect dma pa=0x800400000 walked
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    let end = session.timeline.machine.memory
    while session.move({ $0.stepBack() }) {}
    while session.move({ $0.stepForward() }) {}
    #expect(session.timeline.machine.memory.hasSameWords(as: end))
  }
}
