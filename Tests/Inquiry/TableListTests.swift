import Engine
import Language
import TestSupport
import Testing

@testable import Inquiry

/// Which tables exist: each once, and as long as it does.
@Suite struct TableListTests {
  private func session(_ text: String) throws -> Session {
    var session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "test.pw"))
    try session.finish()
    return session
  }

  private func count(_ filter: String, _ session: inout Session) throws -> CountAnswer {
    var subject = Subject()
    subject.text = filter
    return try CountAnswer(about: subject, in: &session)
  }

  @Test func `a table that two devices share is one table, and stays when both are detached`()
    throws
  {
    var session = Session(try shippedScenario("iommu/two-devices.pw"))
    try session.finish()
    let statements = session.timeline.events.indices.map { session.text(ofEvent: $0) }
    let joined = try #require(statements.firstIndex { $0.hasPrefix("iommu@1 attach") })
    session.seek(to: Moment(events: joined + 1))
    let shared = try count("w", &session)
    #expect(shared.tables.map(\.table) == [.canonical, .iommu(0)])
    #expect(shared.total == 4)
    let last = try #require(statements.firstIndex { $0.hasPrefix("iommu unmap") })
    session.seek(to: Moment(events: last + 1))
    #expect(session.timeline.machine.attachedDevices.isEmpty)
    #expect(try count("w", &session).total == 3)
    // What is mapped for devices and not for CPUs is told of it, too.
    var subject = Subject()
    let all = try DisagreementAnswer(about: subject, in: &session)
    subject.table = .iommu(0)
    let own = try DisagreementAnswer(about: subject, in: &session)
    #expect(!all.items.isEmpty && all.items.count == own.items.count)
    // Device 1 has the same table by its own name.
    subject.table = .iommu(1)
    #expect(try DisagreementAnswer(about: subject, in: &session).items.count == own.items.count)
  }

  @Test func `a table that is the CPUs' own is not counted again for a device`() throws {
    var session = try session(
      """
      pagewalk 1
      vm ipa=40
      policy iommu=shared
      memslot 0 0x80000000 4M backing=4K
      l1 write 0x80000000
      iommu attach
      """)
    #expect(session.timeline.machine.tableIDs == [.canonical])
    #expect(try count("page", &session).total == 1)
  }

  @Test func `two of L1's tables with one VMID have one name`() throws {
    var session = try session(
      """
      pagewalk 1
      vm ipa=40 vcpus=2 nested=on
      memslot 0 0x40000000 4M backing=4K
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l1@1 context vttbr=0x0001000040200000 vtcr=0x80023559 hcr=1
      """)
    let machine = session.timeline.machine
    #expect(machine.guestTables.count == 2)
    #expect(Set(machine.tableIDs).count == machine.tableIDs.count)
    #expect(machine.tableIDs.contains(.guest(1)))
    #expect(try count("", &session).tables.count { $0.table == .guest(1) } == 1)
  }
}
