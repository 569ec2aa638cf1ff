import Engine
import TestSupport
import Testing

@testable import Inquiry
@testable import Language

/// Window charts that are kept as files, and what they say in numbers.
@Suite struct ChartTests {
  struct Example: CustomTestStringConvertible, Sendable {
    let name: String
    /// Policies and events; the chart is of the last one.
    let text: String
    /// Pages times instants at which DMA fails, reaches what it must not, and waits.
    let failing: UInt64
    var forbidden: UInt64 = 0
    var stalled: UInt64 = 0

    var testDescription: String { name }
  }

  private static let rmp = """
    memslot 0 0x80000000 2M backing=thp
    iommu attach
    iommu pin 0x80000000 2M
    rmp assign 0x80000000 2M 2M
    """
  private static let convert = "rmp convert 0x80005000 12K shared"

  private static func rmp(
    _ order: String, check: String = "walk", cached: Bool, failing: UInt64, stalled: UInt64 = 0
  ) -> Example {
    Example(
      name: "rmp-\(order)-\(cached ? "cached" : "walked")\(check == "walk" ? "" : "-checked")",
      text: """
        policy rmp-order=\(order)
        policy rmp-check=\(check)
        \(rmp)
        \(cached ? "dev read 0x80100000" : "")
        \(convert)
        """,
      failing: failing, stalled: stalled)
  }

  private static let shared = """
    policy iommu=shared
    policy iommu-tlbi=broadcast
    memslot 0 0x80000000 2M backing=4K
    other-vm 1 run
    l1 write 0x80000000
    l1 write 0x80001000
    iommu attach
    dev read 0x80000000
    host discard 0x80000000 4K
    """

  /// A realm's block of 2M, which a device has used, and one call about it.
  private static func realm(_ policies: String, _ call: String) -> String {
    let pages = (0..<512).map { "realm data-create \(0x8000_0000 + $0 * 4096)\n" }.joined()
    return """
      policy cca=on
      \(policies)
      memslot 0 0x80000000 2M backing=thp
      host write 0x80000000 4K
      realm delegate 0x80000000 2M
      realm rtt-create 0x80000000 2
      realm rtt-create 0x80000000 3
      realm ripas 0x80000000 2M ram
      \(pages)
      realm rtt-fold 0x80000000 3
      iommu attach
      dev read 0x80100000
      \(call)
      """
  }

  /// One page of a block that the host, and its device, have used is given to a guest.
  private static func donation(_ policies: String) -> String {
    """
    policy pkvm=v5
    \(policies)
    pkvm memory 0x880000000 2M
    pkvm create guest protected
    pkvm host write 0x880000000
    iommu attach
    dev read 0x880007000
    pkvm donate host guest 0x880007000 0x80007000
    """
  }

  private static let sharing = "policy iommu=shared\npolicy bbm-cpu="

  private static let unfold = "realm rtt-create 0x80000000 3"

  static let examples: [Example] = [
    // The 2M that is cached hides the IOMMU's new table until the flush; PSMASH ends it: one instant.
    rmp("iommu-first", cached: true, failing: 512),
    // Nothing cached: from the swap on, past the command and the sync.
    rmp("iommu-first", cached: false, failing: 512 * 3),
    // A cached 2M hides PSMASH altogether; unless it is checked at each access: until the flush.
    rmp("rmp-first", cached: true, failing: 0),
    rmp("rmp-first", check: "access", cached: true, failing: 512 * 5),
    rmp("rmp-first", cached: false, failing: 512 * 3),
    // Firmware: no DMA fails, all of it waits.
    rmp("firmware", cached: true, failing: 0, stalled: 512 * 7),
    rmp("firmware", cached: false, failing: 0, stalled: 512 * 7),
    // Shadowed: the page alone, from the sync on, before its state and the guest's table change.
    Example(name: "pkvm-shadowed", text: donation(""), failing: 10),
    // Shared: the block is broken, and gone for the device from the sync on; nobody makes it whole.
    Example(name: "pkvm-shared-bbm0", text: donation(sharing + "0"), failing: 512 * 13),
    // In place on both sides: the page alone, from its own break on.
    Example(
      name: "pkvm-shared-bbm2", text: donation(sharing + "2\npolicy bbm-smmu=2"), failing: 14),
    // In place, but the SMMU cannot cope: a conflict for all, from the swap to the sync.
    Example(
      name: "pkvm-shared-conflict", text: donation(sharing + "2"), failing: 512 * 3 + 14),
    // The flag of v4: nothing fails, and from the state's change on the DMA reaches what it must not.
    Example(
      name: "pkvm-v4", text: donation("policy pkvm=v4"), failing: 0, forbidden: 9),
    // The mirror's entry goes with the broadcast if the VMID is the CPUs', and stays if it is another.
    Example(name: "btm-kvm-vmid", text: "policy smmu-vmid=kvm\n" + shared, failing: 3),
    // One table, one edit: broken, gone with the sync, and there again. The cached 2M works up to the sync.
    Example(name: "cca-unfold", text: realm("", unfold), failing: 512),
    Example(
      name: "cca-unfold-hitless", text: realm("policy bbm-cpu=2\npolicy bbm-smmu=2", unfold),
      failing: 0),
    // The page that is taken away fails from the sync on, before its granule changes.
    Example(
      name: "cca-destroy",
      text: realm("", unfold) + "\ndev read 0x80005000\nrealm data-destroy 0x80005000", failing: 3),
    // Without the wait for it, the granule is the host's again while the device still reaches it.
    Example(
      name: "cca-destroy-unsynced",
      text: realm("policy iommu-sync=off", unfold)
        + "\ndev read 0x80005000\nrealm data-destroy 0x80005000",
      failing: 0, forbidden: 1),
    Example(name: "btm-private-vmid", text: "policy smmu-vmid=private\n" + shared, failing: 0),
    // The page that is not cached fails from the zap on, the other one from the sync on.
    Example(name: "sva-notifier", text: sharedAddresses(""), failing: 5 + 2),
    // By broadcast: with the CPU's TLBI, one step earlier.
    Example(
      name: "sva-broadcast",
      text: sharedAddresses(
        "policy iommu-tlbi=broadcast\npolicy sva-asid=process\npolicy sva-notifier=off"),
      failing: 4 + 2),
    // The entry has ASET and nobody sends a command: it stays.
    Example(
      name: "sva-missed",
      text: sharedAddresses(
        "policy iommu-tlbi=broadcast\npolicy sva-asid=process\npolicy sva-aset=on\n"
          + "policy sva-notifier=off"),
      failing: 4),
  ]

  /// The VMM frees a page that a device, which works with its addresses, has cached.
  private static func sharedAddresses(_ policies: String) -> String {
    policies + """

      memslot 0 0x80000000 4M backing=4K
      host write 0x80000000 8K
      iommu sva
      dev read 0xffff9bc00000
      host discard 0x80000000 8K
      """
  }

  private static let files = GoldenFiles("Charts")

  private func chart(_ example: Example) throws -> WindowChart {
    let head = "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\n"
    var session = Session(
      try Scenario(parsing: [UInt8]((head + example.text).utf8), file: example.name))
    try session.finish()
    return try #require(
      WindowChart(ofEvent: session.timeline.events.count - 1, in: &session))
  }

  @Test(arguments: examples)
  func `a chart is as it is kept`(example: Example) throws {
    let text = try chart(example).text
    #expect(try Self.files.difference("\(example.name).txt", text) == nil)
  }

  @Test(arguments: examples)
  func `a chart's windows are as long as they must be`(example: Example) throws {
    let chart = try chart(example)
    func pages(_ holds: (WindowChart.Cell) -> Bool) -> UInt64 {
      chart.rows.indices.reduce(0) { sum, row in
        sum
          + zip(chart.columns, chart.cells(ofRow: row)).reduce(0) {
            $0 + (holds($1.1) ? $1.0.pages : 0)
          }
      }
    }
    #expect(pages(\.fails) == example.failing)
    #expect(pages(\.isForbidden) == example.forbidden)
    #expect(pages { $0.read == .stalled } == example.stalled)
  }

  @Test func `every chart that is kept is of an example`() throws {
    #expect(try Self.files.strangers(beside: Self.examples.map { "\($0.name).txt" }).isEmpty)
  }
}
