import TestSupport
import Testing

@testable import Engine

@Suite struct FingerprintTests {
  // MARK: Through history

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func `is the same at a moment whatever the way through history`(seed: UInt64) {
    var source = RandomEvents(
      seed: seed, policy: [.none, .repaired, .v3, .ideal][Int(seed) % 4], hugetlb: seed == 2)
    var timeline = Timeline(source.configuration)
    var seen = [timeline.machine.fingerprint]
    // Pages by the thousand, and events by the hundred, so that the journal has several chunks.
    let pages: Range<UInt64> = 0x8000_0000..<0x8080_0000
    let large: [Event] = [.host(.touch(pages, write: true)), .host(.discard(pages))]
    let few = (0..<450).map { _ in source.next() }
    for event in source.setUp() + large + few + large + large + large + few
    where (try? timeline.append(event)) != nil {
      seen.append(timeline.machine.fingerprint)
    }
    // Stores of more than one chunk of the journal.
    #expect(timeline.machine.memory.journalCount > Storage.chunkEntries)
    var random = Generator(seed: seed)
    for _ in 0..<100 {
      let events = random.below(seen.count)
      timeline.seek(to: Moment(events: events))
      #expect(timeline.machine.fingerprint == seen[events], "seed \(seed), event \(events)")
      timeline.seek(to: Moment(events: random.below(seen.count), steps: random.below(4)))
      let reached = timeline.machine.fingerprint
      let moment = timeline.moment
      if random.below(2) == 0 { _ = timeline.stepBack() } else { _ = timeline.forward() }
      timeline.seek(to: moment)
      #expect(timeline.machine.fingerprint == reached, "seed \(seed), \(moment)")
    }
    // In another future, from a copy, and in a machine of its own.
    let half = seen.count / 2
    timeline.seek(to: Moment(events: half))
    var other = Machine(source.configuration)
    for event in timeline.events[..<half] { try? other.apply(event) }
    #expect(other.fingerprint == seen[half])
    timeline.forgetFuture()
    for event in (0..<100).map({ _ in source.next() }) {
      let first: Void? = try? timeline.append(event)
      let second: Void? = try? other.apply(event)
      #expect((first == nil) == (second == nil))
      #expect(timeline.machine.fingerprint == other.fingerprint)
    }
  }

  @Test func `a journal that is cut off leaves it as it is`() {
    var source = RandomEvents(seed: 5)
    var machine = Machine(source.configuration)
    for event in source.setUp() { try? machine.apply(event) }
    let before = machine.fingerprint
    machine.memory.forgetPast()
    #expect(machine.fingerprint == before)
    try? machine.apply(source.next())
    machine.memory.seek(to: 0)
    #expect(machine.fingerprint == before)
  }

  // MARK: Against a reference

  /// What has been seen of machines of one configuration.
  private struct Seen {
    var fingerprints: [InspectedState: Fingerprint] = [:]
    var states: [Fingerprint: InspectedState] = [:]
    /// How often a state was met again.
    var again = 0

    /// Whether state and fingerprint go together as ever.
    mutating func add(_ machine: Machine) -> Bool {
      let state = InspectedState(machine)
      let fingerprint = machine.fingerprint
      if let known = fingerprints[state] {
        again += 1
        return known == fingerprint
      }
      fingerprints[state] = fingerprint
      return states.updateValue(state, forKey: fingerprint) == nil
    }
  }

  /// Few events, so that the same states come again in other ways.
  private static let fewEvents: [Event] = {
    let first: UInt64 = 0x8000_0000
    let far: UInt64 = 0x8020_0000
    let tables: UInt64 = 0x4000_0000
    func entry(_ at: UInt64, _ bits: UInt64) -> Event {
      .access(.l1, vcpu: 0, .write, at, value: bits)
    }
    return [
      .access(.l1, vcpu: 0, .read, first, value: nil),
      .access(.l1, vcpu: 0, .read, far, value: nil),
      .access(.l1, vcpu: 0, .write, first, value: 7),
      .access(.l1, vcpu: 0, .write, first + 8, value: 0),
      .access(.l2, vcpu: 0, .read, 0x1000, value: nil),
      .access(.l2, vcpu: 0, .read, 0x4000_0000, value: nil),
      .access(.l2, vcpu: 0, .write, 0x1000, value: 7),
      entry(tables + 0x2008, first | 0x7ff), entry(tables + 0x2008, 0),
      entry(tables + 0x2008, far | 0x7ff),
      .host(.discard(first..<first + 4096)), .host(.discard(far..<far + 4096)),
      .host(.protect(first..<first + 4096, write: false)),
      .host(.protect(first..<first + 4096, write: true)),
      .host(.idle(first)), .host(.testIdle(first)), .host(.fork),
      .host(.dirtyLog(first, true)), .host(.dirtyLog(first, false)), .host(.getDirtyLog(first)),
      .invalidate(vcpu: 0, .all), .invalidate(vcpu: 0, .address(0x1000, ttl: 0)),
      .pause(0), .resume(next: false), .l2Invalidate(vcpu: 0),
      .vncr(vcpu: 0, far), .run(vcpu: 0), .wait(vcpu: 0), .otherVM(1, .run(cpu: 0)),
      .iommu(device: 0, .attach), .iommu(device: 0, .detach), .iommu(device: 0, .free),
      .iommu(device: 0, .map(0x1000..<0x2000, to: 0x8_0000_0000, write: false)),
      .iommu(device: 0, .unmap(0x1000..<0x2000)), .dma(device: 0, 0x1000, write: false),
      .failReverseMap(insertions: 1, erasures: 0),
    ]
  }()

  /// Slots, pages that are there already, and L1's table: a level-1 root, a level-2 and two level-3 tables.
  private static func small(_ policy: ReverseMapVersion) -> Machine {
    var configuration = VMConfiguration(ipaBits: 40, vcpus: 1, nested: true, reverseMap: policy)
    configuration.vmidBits = 4
    var machine = Machine(configuration)
    let tables: UInt64 = 0x4000_0000
    func entry(_ place: UInt64, _ bits: UInt64) -> Event {
      .access(.l1, vcpu: 0, .write, tables + place, value: bits)
    }
    let events: [Event] = [
      .addMemslot(id: 3, tables..<tables + 0x8000, .pages),
      .addMemslot(id: 1, 0x8000_0000..<0x8040_0000, .pages),
      entry(0, tables + 0x1003), entry(8, tables + 0x3003), entry(0x1000, tables + 0x2003),
      entry(0x3000, tables + 0x4003), entry(0x2008, 0x8000_0000 | 0x7ff),
      entry(0x4000, 0x8020_0000 | 0x7ff),
      .context(vcpu: 0, vttbr: 1 << 48 | tables, vtcr: 0x8002_3559, hcr: 1),
    ]
    for event in events { try? machine.apply(event) }
    return machine
  }

  @Test(arguments: [.none, .v3, .repaired] as [ReverseMapVersion])
  func `goes together with the state, whatever the way to it`(policy: ReverseMapVersion) {
    let start = Self.small(policy)
    var seen = Seen()
    var random = Generator(seed: 11)
    for walk in 0..<40 {
      var machine = start
      machine.memory.makeUnique()
      for step in 0..<24 {
        let event = Self.fewEvents[random.below(Self.fewEvents.count)]
        let before = machine.fingerprint
        guard (try? machine.apply(event)) != nil else {
          #expect(machine.fingerprint == before, "refused: \(event)")
          continue
        }
        let agrees = seen.add(machine)
        #expect(agrees, "walk \(walk), step \(step): \(event)")
        if !agrees { return }
      }
    }
    #expect(seen.fingerprints.count > 200 && seen.again > 50, "\(seen.again) times again")
  }

  @Test(arguments: 0..<6)
  func `goes together with the state of devices and of owners`(number: Int) {
    var configuration = VMConfiguration(vcpus: 1)
    configuration.vmidBits = 4
    let systems: [RandomDevices.System?] = [.own, .mirror, .process, .rmp, .realm, nil]
    switch systems[number] {
    case .own, .process: break
    case .mirror: configuration.iommu.table = .shared
    case .rmp: configuration.isolation = .rmp
    case .realm:
      configuration.iommu.table = .shared
      configuration.isolation = .cca
    case nil: configuration.isolation = .pkvm(.v5)
    }
    var seen = Seen()
    for seed: UInt64 in 1...3 {
      var machine = Machine(configuration)
      var devices = systems[number].map { RandomDevices(seed: seed, $0, configuration) }
      var owners = RandomProtectedEvents(seed: seed)
      let setUp = devices?.setUp() ?? owners.setUp()
      for index in 0..<(setUp.count + 60) {
        let event = index < setUp.count ? setUp[index] : devices?.next() ?? owners.next()
        guard (try? machine.apply(event)) != nil else { continue }
        if index + 1 < setUp.count { continue }
        let agrees = seen.add(machine)
        #expect(agrees, "system \(number), seed \(seed), event \(index): \(event)")
        if !agrees { return }
      }
    }
  }

  @Test func `frames that were taken in another order make no difference`() throws {
    let events: [Event] = [
      .access(.l1, vcpu: 0, .read, 0x8000_0000, value: nil),
      .access(.l1, vcpu: 0, .read, 0x8020_0000, value: nil),
      .access(.l2, vcpu: 0, .read, 0x1000, value: nil),
      .access(.l2, vcpu: 0, .read, 0x4000_0000, value: nil),
      .iommu(device: 1, .shareAddresses),
      .iommu(device: 0, .attach),
      .iommu(device: 0, .map(0..<4096, to: 0x8_0000_0000, write: true)),
    ]
    var first = Self.small(.v3)
    var second = Self.small(.v3)
    for event in events { try first.apply(event) }
    // The table of the device first, and a memory slot's table that goes again.
    for index in [4, 5, 6, 3, 1, 2, 0] { try second.apply(events[index]) }
    #expect(!first.memory.hasSameWords(as: second.memory))
    #expect(InspectedState(first) == InspectedState(second))
    #expect(first.fingerprint == second.fingerprint)
  }

  @Test func `what was mapped and went again has left nothing`() throws {
    var machine = Self.small(.v3)
    try machine.apply(.access(.l2, vcpu: 0, .read, 0x4000_0000, value: nil))
    let before = machine.fingerprint
    try machine.apply(.iommu(device: 0, .attach))
    try machine.apply(.iommu(device: 0, .detach))
    let idle = machine.fingerprint
    try machine.apply(.iommu(device: 0, .attach))
    let attached = machine.fingerprint
    let iova: Range<UInt64> = 0x4000_0000..<0x4000_3000
    try machine.apply(.iommu(device: 0, .map(iova, to: 0x8_0000_0000, write: true)))
    #expect(machine.fingerprint != attached)
    try machine.apply(.iommu(device: 0, .unmap(iova)))
    #expect(Set([before, idle, attached, machine.fingerprint]).count == 4)
    // The tables above the pages stay, as in Linux.
    try machine.apply(.iommu(device: 0, .map(iova, to: 0x8_0000_0000, write: true)))
    let mapped = machine.fingerprint
    try machine.apply(.iommu(device: 0, .unmap(iova)))
    try machine.apply(.iommu(device: 0, .map(iova, to: 0x8_0000_0000, write: true)))
    #expect(machine.fingerprint == mapped)
  }

  // MARK: Word by word

  /// A machine in which every kind of frame is in use.
  private static func busy() -> [Machine] {
    var source = RandomEvents(seed: 3, policy: .v3)
    var nested = Machine(source.configuration)
    for event in source.setUp() { try? nested.apply(event) }
    for _ in 0..<400 { try? nested.apply(source.next()) }
    try? nested.apply(.host(.dirtyLog(0x8000_0000, true)))
    try? nested.apply(.access(.l1, vcpu: 0, .write, 0x8000_0000, value: 1))
    try? nested.apply(.iommu(device: 0, .attach))
    var configuration = VMConfiguration()
    configuration.isolation = .pkvm(.v5)
    var protected = Machine(configuration)
    var owners = RandomProtectedEvents(seed: 3)
    for event in owners.setUp() { try? protected.apply(event) }
    for _ in 0..<100 { try? protected.apply(owners.next()) }
    return [nested, protected]
  }

  /// Whether the words of a use of frames count by themselves.
  private static func isSingle(_ use: FrameUse) -> Bool {
    use.rawValue < FrameUse.firstCombined.rawValue
  }

  @Test func `a word of state changes it, and a word of history does not`() {
    var uses: Set<FrameUse> = []
    for var machine in Self.busy() {
      machine.memory.makeUnique()
      let before = machine.fingerprint
      let position = machine.memory.position
      for frame in stride(from: 0, to: machine.memory.wordCount, by: Memory.frameWords) {
        let role = FrameRole(
          bits: machine.memory.load(Memory.information(ofFrameAt: frame)))
        guard let use = FrameUse(rawValue: role.use), Self.isSingle(use) else { continue }
        // Words of a free frame are zero, and information about frames says what words are.
        if use == .free || !uses.insert(use).inserted { continue }
        for (index, kind) in use.classes.enumerated() {
          let old = machine.memory.load(frame + index)
          machine.memory.store(old ^ 1 << 62, at: frame + index)
          #expect((machine.fingerprint == before) == (kind == .history), "\(use), word \(index)")
          machine.memory.store(old, at: frame + index)
          #expect(machine.fingerprint == before)
          if kind == .entry {
            // A table: the flags count, and the address does not.
            machine.memory.store(0x4000_0003, at: frame + index)
            let table = machine.fingerprint
            machine.memory.store(0x4123_4003, at: frame + index)
            #expect(machine.fingerprint == table)
            machine.memory.store(0x4000_0001, at: frame + index)
            let block = machine.fingerprint
            machine.memory.store(0x4020_0001, at: frame + index)
            #expect(machine.fingerprint != block)
            machine.memory.store(old, at: frame + index)
          }
        }
      }
      machine.memory.seek(to: position)
      #expect(machine.fingerprint == before)
    }
    #expect(uses == Set(FrameUse.allCases.filter { Self.isSingle($0) && $0 != .free }))
  }

  @Test func `an entry of a tree counts by its key and payload alone`() {
    var memory = Memory.boot()
    let tree = RangeTree(slot: Machine.Register.vmas.slot, number: 1)
    let other = RangeTree(slot: Machine.Register.noHugePages.slot, number: 2)
    let derived = RangeTree(slot: Machine.Register.memslots.slot, number: 0)
    let empty = memory.fingerprint
    memory.store(5, for: 0x1000..<0x3000, in: tree)
    let one = memory.fingerprint
    memory.erase(0x1000..<0x3000, in: tree)
    #expect(memory.fingerprint == empty && one != empty)
    var seen: Set = [empty, one]
    for (payload, range, tree) in [
      (6, 0x1000..<0x3000, tree), (5, 0x1000..<0x4000, tree), (5, 0x2000..<0x3000, tree),
      (5, 0x1000..<0x3000, other), (5, 0x1000..<1 << 40, tree), (6, 0x1000..<1 << 40, tree),
      (6, 0x1000..<1 << 41, tree),
    ] as [(UInt64, Range<UInt64>, RangeTree)] {
      memory.store(payload, for: range, in: tree)
      #expect(seen.insert(memory.fingerprint).inserted)
      memory.removeAll(in: tree)
      #expect(memory.fingerprint == empty)
    }
    memory.store(5, for: 0x1000..<0x3000, in: derived)
    #expect(memory.fingerprint == empty)

    // In any order, and with nodes split and joined on the way.
    var random = Generator(seed: 1)
    var sums: Set<Fingerprint> = []
    for _ in 0..<4 {
      var memory = Memory.boot()
      for page in (0..<400).map({ UInt64($0) * 2 + 1 }).shuffled(using: &random) {
        memory.store(page, for: page << 12..<(page + 1) << 12, in: tree)
        memory.store(3, for: (page + 1) << 12..<(page + 2) << 12, in: other)
      }
      for page in (0..<800).filter({ $0 % 3 == 0 }).shuffled(using: &random) {
        memory.erase(UInt64(page) << 12..<UInt64(page + 1) << 12, in: tree)
      }
      memory.removeAll(in: other)
      #expect(memory.faults(in: tree).isEmpty)
      sums.insert(memory.fingerprint)
    }
    #expect(sums.count == 1)
  }

  @Test func `contents count the same however they are kept, and a slot by its id`() throws {
    var machine = Self.small(.none)
    let page = Machine.pagesBase + 8 << 20
    let before = machine.fingerprint
    machine.storeGuestWord(7, at: page + 8)
    let one = machine.fingerprint
    machine.storeGuestWord(9, at: page + 16)
    let two = machine.fingerprint
    machine.storeGuestWord(0, at: page + 16)
    #expect(machine.fingerprint == one && Set([before, one, two]).count == 3)
    machine.storeGuestWord(0, at: page + 8)
    #expect(machine.fingerprint == before)
    machine.storeUnknownContents(in: page)
    #expect(machine.fingerprint != before)
    machine.storeZeros(in: page)
    #expect(machine.fingerprint == before)

    let memslot: Event = .addMemslot(id: 8, 0..<0x1000, .pages)
    try machine.apply(memslot)
    let added = machine.fingerprint
    let slot = try #require(machine.memslot(at: 0))
    for field in Memslot.Field.allCases {
      let old = machine[slot, field]
      machine[slot, field] = old ^ 1
      let counts = field == .id || field.words == [.state]
      #expect((machine.fingerprint != added) == counts, "\(field)")
      machine[slot, field] = old
      #expect(machine.fingerprint == added)
    }
  }

  @Test func `answers about the past do not change it`() throws {
    var machine = Self.small(.v2)
    let read: Event = .access(.l1, vcpu: 0, .read, 0x8000_0000, value: nil)
    try machine.apply(read)
    let before = machine.fingerprint
    let counters = Counter.allCases.map { machine[$0] }
    try machine.apply(read)
    #expect(machine.fingerprint == before)
    // A fault that is given to L1 counts, and changes no state.
    try machine.apply(.access(.l2, vcpu: 0, .read, 0x9000, value: nil))
    let faulted = machine.fingerprint
    try machine.apply(.access(.l2, vcpu: 0, .read, 0x9000, value: nil))
    #expect(machine.fingerprint == faulted && counters != Counter.allCases.map { machine[$0] })
    #expect(throws: Refusal.self) { try machine.apply(.resume(next: false)) }
    #expect(machine.fingerprint == faulted)
  }

  @Test func `fields of records do not overlap`() {
    func check<Field: RecordField>(_ fields: Field.Type, _ size: Int) {
      var end = 0
      for field in fields.allCases.sorted(by: { $0.rawValue < $1.rawValue }) {
        #expect(field.rawValue >= end, "\(field)")
        end = field.rawValue + field.words.count
      }
      #expect(end <= size, "\(fields)")
    }
    check(Machine.Register.self, Memory.frameWords - Memory.registersOffset)
    check(MMU.Field.self, MMU.Field.count)
    check(VCPU.Field.self, VCPU.Field.count)
    check(Memslot.Field.self, Memslot.Field.count)
    check(VMIDAllocator.Field.self, 16)
    check(VMIDAllocator.CPUField.self, VMIDAllocator.CPUField.count)
    check(SMMU.Field.self, SMMU.Field.count)
    check(PKVM.Field.self, Memory.frameWords)
  }
}
