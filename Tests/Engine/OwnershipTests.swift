import TestSupport
import Testing

@testable import Engine

/// Who may do what with a page under pKVM: every state of a page, and every hypercall. The tables below are
/// those of the kernel's mem_protect.c, written down by hand.
@Suite struct OwnershipTests {
  private static let page: UInt64 = 0x8_8000_5000
  private static let address: UInt64 = 0x8000_5000
  private static let other: UInt64 = 0x9000_5000
  /// Guest 0 is protected, guest 1 is not.
  private static let guest = 0
  private static let plain = 1

  private static var range: Range<UInt64> { page..<page + 4096 }

  /// The hypercalls, in the order of the columns below.
  private static let calls: [(name: String, call: PKVMCall)] = [
    ("shareHyp", .hostShareHyp(page)), ("unshareHyp", .hostUnshareHyp(page)),
    ("donateHyp", .hostDonateHyp(range)), ("hypDonate", .hypDonateHost(range)),
    ("pin", .hypPin(page)), ("unpin", .hypUnpin(page)), ("ffa", .hostShareFFA(range)),
    ("unffa", .hostUnshareFFA(range)), ("donateGuest", .hostDonateGuest(guest, page, at: address)),
    ("shareGuest", .hostShareGuest(plain, range, at: other, write: true)),
    ("unshareGuest", .hostUnshareGuest(plain, other..<other + 4096)),
    ("guestShare", .guestShareHost(guest, address)),
    ("guestUnshare", .guestUnshareHost(guest, address)),
    ("reclaim", .reclaimGuest(guest, address)), ("force", .forceReclaim(page)),
  ]

  /// How a page comes into a state, and what the parties then have of it: host, hypervisor, the protected
  /// guest at one address, the plain one at another; shares; references.
  private struct Situation {
    let calls: [PKVMCall]
    var isDying = false
    let states: [PageState]
    var shares: UInt64 = 0
    var references: UInt64 = 0
  }

  private static let situations: [String: Situation] = [
    "owned": Situation(calls: [], states: [.owned, .noPage, .noPage, .noPage]),
    "lentHyp": Situation(
      calls: [.hostShareHyp(page)], states: [.sharedOwned, .sharedBorrowed, .noPage, .noPage]),
    "pinned": Situation(
      calls: [.hostShareHyp(page), .hypPin(page)],
      states: [.sharedOwned, .sharedBorrowed, .noPage, .noPage], references: 1),
    "pinned2": Situation(
      calls: [.hostShareHyp(page), .hypPin(page), .hypPin(page)],
      states: [.sharedOwned, .sharedBorrowed, .noPage, .noPage], references: 2),
    "hyp": Situation(
      calls: [.hostDonateHyp(range)], states: [.noPage, .owned, .noPage, .noPage]),
    "firmware": Situation(
      calls: [.hostShareFFA(range)], states: [.sharedOwned, .noPage, .noPage, .noPage]),
    "guest": Situation(
      calls: [.hostDonateGuest(guest, page, at: address)],
      states: [.noPage, .noPage, .owned, .noPage]),
    "guestLends": Situation(
      calls: [.hostDonateGuest(guest, page, at: address), .guestShareHost(guest, address)],
      states: [.sharedBorrowed, .noPage, .sharedOwned, .noPage]),
    "plain": Situation(
      calls: [.hostShareGuest(plain, range, at: other, write: true)],
      states: [.sharedOwned, .noPage, .noPage, .sharedBorrowed], shares: 1),
    "plainTwice": Situation(
      calls: [
        .hostShareGuest(plain, range, at: other + 4096, write: true),
        .hostShareGuest(plain, range, at: other, write: true),
      ], states: [.sharedOwned, .noPage, .noPage, .sharedBorrowed], shares: 2),
    "plainElsewhere": Situation(
      calls: [.hostShareGuest(plain, range, at: other + 4096, write: true)],
      states: [.sharedOwned, .noPage, .noPage, .noPage], shares: 1),
    "poisoned": Situation(
      calls: [.hostDonateGuest(guest, page, at: address), .forceReclaim(page)],
      states: [.owned, .noPage, .poison, .noPage]),
    "dying": Situation(
      calls: [.hostDonateGuest(guest, page, at: address)], isDying: true,
      states: [.noPage, .noPage, .owned, .noPage]),
    "dyingLends": Situation(
      calls: [.hostDonateGuest(guest, page, at: address), .guestShareHost(guest, address)],
      isDying: true, states: [.sharedBorrowed, .noPage, .sharedOwned, .noPage]),
    "dead": Situation(calls: [], isDying: true, states: [.owned, .noPage, .noPage, .noPage]),
    "poisonedHyp": Situation(
      calls: [
        .hostDonateGuest(guest, page, at: address), .forceReclaim(page), .hostShareHyp(page),
      ],
      states: [.sharedOwned, .sharedBorrowed, .poison, .noPage]),
    "poisonedPlain": Situation(
      calls: [
        .hostDonateGuest(guest, page, at: address), .forceReclaim(page),
        .hostShareGuest(plain, range, at: other, write: true),
      ], states: [.sharedOwned, .noPage, .poison, .sharedBorrowed], shares: 1),
    "poisonedFirmware": Situation(
      calls: [
        .hostDonateGuest(guest, page, at: address), .forceReclaim(page), .hostShareFFA(range),
      ], states: [.sharedOwned, .noPage, .poison, .noPage]),
    "poisonedGone": Situation(
      calls: [
        .hostDonateGuest(guest, page, at: address), .forceReclaim(page), .hostDonateHyp(range),
      ], states: [.noPage, .owned, .poison, .noPage]),
  ]

  /// For each situation, what each call comes to, in the order of `calls`: an error, or another situation.
  private static let table: [(from: String, to: String)] = [
    // shareHyp unshareHyp donateHyp hypDonate pin unpin ffa unffa
    //   donateGuest shareGuest unshareGuest guestShare guestUnshare reclaim force
    (
      "owned",
      """
      lentHyp EPERM hyp EPERM EPERM EPERM firmware EPERM
      guest plain ENOENT ENOENT ENOENT EINVAL EAGAIN
      """
    ),
    (
      "lentHyp",
      """
      EPERM owned EPERM EPERM pinned EINVAL EPERM EPERM
      EPERM EPERM ENOENT ENOENT ENOENT EINVAL EAGAIN
      """
    ),
    (
      "pinned",
      """
      EPERM EBUSY EPERM EPERM pinned2 lentHyp EPERM EPERM
      EPERM EPERM ENOENT ENOENT ENOENT EINVAL EAGAIN
      """
    ),
    (
      "hyp",
      """
      EPERM EPERM EPERM owned EPERM EPERM EPERM EPERM
      EPERM EPERM ENOENT ENOENT ENOENT EINVAL EPERM
      """
    ),
    (
      "firmware",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM owned
      EPERM EPERM ENOENT ENOENT ENOENT EINVAL EAGAIN
      """
    ),
    (
      "guest",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM
      EPERM EPERM ENOENT guestLends EPERM EINVAL poisoned
      """
    ),
    (
      "guestLends",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM
      EPERM EPERM ENOENT EPERM guest EINVAL EAGAIN
      """
    ),
    (
      "plain",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM
      EPERM EPERM owned ENOENT ENOENT EINVAL EAGAIN
      """
    ),
    (
      "plainTwice",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM
      EPERM EPERM plainElsewhere ENOENT ENOENT EINVAL EAGAIN
      """
    ),
    (
      "plainElsewhere",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM
      EPERM plainTwice ENOENT ENOENT ENOENT EINVAL EAGAIN
      """
    ),
    (
      "poisoned",
      """
      poisonedHyp EPERM poisonedGone EPERM EPERM EPERM poisonedFirmware EPERM
      EPERM poisonedPlain ENOENT EHWPOISON EHWPOISON EINVAL EAGAIN
      """
    ),
    (
      "dying",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM
      EINVAL EPERM ENOENT EINVAL EINVAL dead poisoned
      """
    ),
    (
      "dyingLends",
      """
      EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM
      EINVAL EPERM ENOENT EINVAL EINVAL dead EAGAIN
      """
    ),
    (
      "dead",
      """
      lentHyp EPERM hyp EPERM EPERM EPERM firmware EPERM
      EINVAL plain ENOENT EINVAL EINVAL ENOENT EAGAIN
      """
    ),
  ]

  private func machine(_ configure: (inout VMConfiguration) -> Void = { _ in }) throws -> Machine {
    var configuration = VMConfiguration()
    configuration.isolation = .pkvm(.v5)
    configure(&configuration)
    var machine = Machine(configuration)
    machine.steps.isRecording = true
    try machine.apply(.pkvm(.memory(0x8_8000_0000..<0x8_8040_0000)))
    try machine.apply(.pkvm(.createGuest(Self.guest, isProtected: true)))
    try machine.apply(.pkvm(.createGuest(Self.plain, isProtected: false)))
    try machine.apply(.iommu(device: 0, .attach))
    // A block, for what happens to it.
    try machine.apply(.pkvm(.hostAccess(.write, Self.page, value: 1)))
    return machine
  }

  private func machine(in situation: Situation) throws -> Machine {
    var machine = try machine()
    for call in situation.calls {
      try machine.apply(.pkvm(.call(call)))
      #expect(machine.lastError == nil)
    }
    if situation.isDying { try machine.apply(.pkvm(.tearDownGuest(Self.guest))) }
    return machine
  }

  private func states(of machine: Machine) -> [PageState] {
    [
      machine.hostState(of: Self.page), machine.hypervisorState(of: Self.page),
      machine.guestState(of: Self.address, guest: Self.guest),
      machine.guestState(of: Self.other, guest: Self.plain),
    ]
  }

  @Test(arguments: table.map(\.from))
  func `every hypercall is allowed or refused as the page's states say`(from: String) throws {
    let situation = try #require(Self.situations[from])
    let before = try machine(in: situation)
    #expect(states(of: before) == situation.states)
    let outcomes = try #require(Self.table.first { $0.from == from }).to.split {
      $0 == " " || $0 == "\n"
    }.map(String.init)
    try #require(outcomes.count == Self.calls.count)
    for ((name, call), outcome) in zip(Self.calls, outcomes) {
      var after = before
      try after.apply(.pkvm(.call(call)))
      if let error = KernelError.allCases.first(where: { $0.name == outcome }) {
        #expect(after.lastError == error, "\(name) when \(from)")
        #expect(wordsThatDiffer(before, after) == [], "\(name) when \(from) is half done")
        // The step says which check refused, and has another source than the errors' names.
        let refusals = after.steps.steps.filter {
          if case .end(.failed(error, .some)) = $0.action { true } else { false }
        }
        #expect(refusals.count == 1, "\(name) when \(from)")
        let sources = refusals.map { $0.explanation.source.place }
        #expect(!sources.contains { $0.contains("errno-base.h") })
      } else {
        let target = try #require(Self.situations[outcome])
        #expect(after.lastError == nil, "\(name) when \(from)")
        #expect(states(of: after) == target.states, "\(name) when \(from)")
        #expect(after.shareCount(of: Self.page) == target.shares)
        #expect(after.referenceCount(of: Self.page) == target.references)
        #expect(after.violations(after: 0..<0) == [], "\(name) when \(from)")
      }
    }
  }

  /// Slots of words that are not alike, but for the error that the last event ended in, and for words that
  /// count.
  private func wordsThatDiffer(_ a: Machine, _ b: Machine) -> [Int] {
    let counters = Machine.Register.counters.slot
    return (0..<min(a.memory.wordCount, b.memory.wordCount)).filter {
      a.memory.load($0) != b.memory.load($0) && $0 != Machine.Register.lastError.slot
        && !(counters..<counters + Counter.allCases.count).contains($0)
    } + Array(a.memory.wordCount..<max(a.memory.wordCount, b.memory.wordCount))
  }

  @Test func `annotations have the kernel's bits`() {
    #expect(Descriptor.donation(to: .hypervisor).bits == 0x2000_0000_0000_0002)
    let guest = PageOwner.guest(handle: 0x1000, page: 0x80000)
    #expect(Descriptor.donation(to: guest).bits == 0x2000_0080_0001_0004)
    #expect(Descriptor.donation(to: guest).donation == guest)
    #expect(Descriptor.donation(to: .hypervisor).donation == .hypervisor)
    #expect(Descriptor.poisoned.bits == 0x3000_0000_0000_0000)
    #expect(Descriptor(Descriptor.locked).donation == nil)
    #expect(Descriptor(0).donation == nil)
  }

  @Test func `a donated page is annotated for its owner, and its block is broken to a table`()
    throws
  {
    var machine = try machine()
    let table = machine.pkvmHostTable
    #expect(machine.leafSize(at: Self.page, of: table) == 2 << 20)
    try machine.apply(
      .pkvm(.call(.hostDonateGuest(Self.guest, Self.page, at: Self.address))))
    let end = machine.walk(Self.page, in: table)
    #expect(end.level == 3)
    #expect(end.descriptor.bits == 0x2000_0080_0051_0004)
    for neighbour in stride(from: Self.page & ~0x1fffff, to: Self.page | 0x1fffff, by: 4096)
    where neighbour != Self.page {
      #expect(machine.walk(neighbour, in: table).descriptor.bits == 0)
    }
    // Read-write-execute, normal memory, accessed, owned: bits 56:55 are 0.
    let leaf = machine.walk(Self.address, in: try #require(machine.table(.protectedGuest(0))))
    #expect(leaf.descriptor.bits == Self.page | 0x7db)
  }

  @Test func `break, TLBI and make happen before the device's entry goes, and the state is last`()
    throws
  {
    var machine = try machine()
    try machine.apply(
      .pkvm(.call(.hostDonateGuest(Self.guest, Self.page, at: Self.address))))
    let order = machine.steps.steps.compactMap { step -> String? in
      switch (step.action, step.table) {
      case (.table(.breakEntry), .pkvmHost): "host break L\(step.level)"
      case (.tlb(.invalidate), .pkvmHost): "host TLBI"
      case (.table(.makeTable), .pkvmHost): "host table"
      case (.table(.makeLeaf), .pkvmHost): "host annotation"
      case (.table(.clearLeaf), .iommu): "device unmap"
      case (.tlb(.command), .iommu): "device TLBI"
      case (.tlb(.sync), .iommu): "device sync"
      case (.pkvm(.hostState), _): "host state"
      case (.table(.makeLeaf), .protectedGuest): "guest leaf"
      default: nil
      }
    }
    #expect(
      order == [
        "host break L2", "host TLBI", "host table", "host break L3", "host annotation",
        "device unmap", "device TLBI", "device sync", "host state", "guest leaf",
      ])
  }

  @Test func `a page that was a guest's is zero when the host gets it`() throws {
    var machine = try machine()
    for call: [PKVMCall] in [
      [.forceReclaim(Self.page)], [.reclaimGuest(Self.guest, Self.address)],
    ] {
      var copy = machine
      try copy.apply(.pkvm(.call(.hostDonateGuest(Self.guest, Self.page, at: Self.address))))
      try copy.apply(.pkvm(.guestAccess(Self.guest, .write, Self.address, value: 0x5ec2e7)))
      if call == [.reclaimGuest(Self.guest, Self.address)] {
        try copy.apply(.pkvm(.tearDownGuest(Self.guest)))
      }
      for call in call { try copy.apply(.pkvm(.call(call))) }
      try copy.apply(.pkvm(.hostAccess(.read, Self.page, value: nil)))
      #expect(copy.lastError == nil)
      #expect(copy.lastValue == 0)
    }
    // What it had only lent stays as it is.
    try machine.apply(.pkvm(.call(.hostDonateGuest(Self.guest, Self.page, at: Self.address))))
    try machine.apply(.pkvm(.guestAccess(Self.guest, .write, Self.address, value: 7)))
    try machine.apply(.pkvm(.call(.guestShareHost(Self.guest, Self.address))))
    try machine.apply(.pkvm(.tearDownGuest(Self.guest)))
    try machine.apply(.pkvm(.call(.reclaimGuest(Self.guest, Self.address))))
    try machine.apply(.pkvm(.hostAccess(.read, Self.page, value: nil)))
    #expect(machine.lastValue == 7)
  }

  @Test(arguments: [
    PKVMCall.hostShareHyp(0x8_8000_0800), .hostDonateHyp(0x8_8000_0800..<0x8_8000_1800),
    .hostDonateHyp(0x8_803f_f000..<0x8_8040_1000),
    .hostDonateGuest(0, 0x8_8000_0000, at: 0x801), .hostDonateGuest(1, 0x8_8000_0000, at: 0x1000),
    .hostDonateGuest(7, 0x8_8000_0000, at: 0x1000),
    .hostShareGuest(1, 0x8_8000_0000..<0x8_8000_2000, at: 0, write: true),
    .hostShareGuest(1, 0x8_8020_0000..<0x8_8040_0000, at: 0x1000, write: true),
    .hostShareGuest(0, 0x8_8000_0000..<0x8_8000_1000, at: 0, write: true),
    .hostUnshareGuest(0, 0..<4096), .guestShareHost(1, 0), .guestShareHost(0, 0x800),
    .reclaimGuest(1, 0),
  ])
  func `operands without sense are EINVAL, and change nothing`(call: PKVMCall) throws {
    let before = try machine()
    var after = before
    try after.apply(.pkvm(.call(call)))
    #expect(after.lastError == .einval)
    #expect(wordsThatDiffer(before, after) == [])
  }

  @Test(arguments: [0x900_0000 as UInt64, 0x8_8040_0000, 0x9_0000_0000, 0xff_ffff_f000, 1 << 47])
  func `MMIO has no owner to be changed`(address: UInt64) throws {
    var machine = try machine()
    let page = address..<address + 4096
    for call: PKVMCall in [
      .hostShareHyp(address), .hostDonateHyp(page), .hostShareFFA(page),
      .hostDonateGuest(Self.guest, address, at: 0),
      .hostShareGuest(Self.plain, page, at: 0, write: true),
    ] {
      try machine.apply(.pkvm(.call(call)))
      // `pfn_range_is_valid`, only in calls that take a number of pages
      let isCounted =
        switch call {
        case .hostDonateHyp, .hostShareFFA, .hostShareGuest: true
        default: false
        }
      #expect(machine.lastError == (isCounted && address >= 1 << 40 ? .einval : .eperm))
    }
    try machine.apply(.pkvm(.call(.forceReclaim(address))))
    #expect(machine.lastError == .efault)
  }
}
