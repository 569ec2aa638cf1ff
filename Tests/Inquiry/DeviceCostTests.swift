import Foundation
import Testing

@testable import Engine
@testable import Inquiry
@testable import Language

/// What `compare` counts for devices.
@Suite struct DeviceCostTests {
  private func scenario(_ file: String) throws -> Scenario {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "assets/scenarios/\(file)")
    return try Scenario(parsing: [UInt8](Data(contentsOf: url)), file: file)
  }

  private func costs(_ file: String, _ policies: String) throws -> [PolicyCost] {
    try scenario(file).costs(
      under: try policies.split(separator: ",").map { try PolicyChoice(String($0)) })
  }

  private func costs(text: String, _ policies: String) throws -> [DeviceCost] {
    let head = "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\n"
    let scenario = try Scenario(parsing: [UInt8]((head + text).utf8), file: "f.pw")
    return scenario.costs(
      under: try policies.split(separator: ",").map { try PolicyChoice(String($0)) }
    ).compactMap(\.devices)
  }

  private static let convert = """
    memslot 0 0x80000000 4M backing=thp
    iommu attach
    iommu pin 0x80000000 4M
    rmp assign 0x80000000 4M 2M
    dev read 0x80100000
    rmp convert 0x80005000 12K shared
    rmp convert 0x80205000 4K shared
    """
  private static let orders = "rmp-order=iommu-first,rmp-order=rmp-first,rmp-order=firmware"

  @Test func `the orders of the RMP differ in how long DMA fails, or waits`() throws {
    let costs = try costs(text: Self.convert, Self.orders)
    // Pages times instants, of the conversion with a cached 2M and of that without: see the charts.
    let failing: [UInt64] = [512 + 1536, 1536, 0]
    let stalled: [UInt64] = [0, 0, 2 * 3584]
    #expect(costs.map(\.failing) == failing)
    #expect(costs.map(\.stalled) == stalled)
    for cost in costs {
      #expect(cost.forbidden == 0)
      #expect(cost.needless == 0)
      #expect(cost.peakStale == 0)
      // A root, two levels, and a table for each region that was split.
      #expect(cost.peakTables == 20_480)
      // One page of 4M was used.
      #expect(cost.unused == 4_190_208)
    }
  }

  @Test func `a window that is paused is counted on`() throws {
    let paused = Self.convert.replacing("rmp convert", with: "pause\nrmp convert")
      .replacing("shared", with: "shared\nresume next\nresume")
    let windows = try costs(text: paused, Self.orders).map(\.failing)
    let whole = try costs(text: Self.convert, Self.orders).map(\.failing)
    #expect(zip(windows, whole).allSatisfy { $0 >= $1 })
    #expect(windows.map { $0 > 0 } == whole.map { $0 > 0 })
  }

  @Test func `another VM's broadcast costs entries without need, under private VMIDs only`() throws
  {
    let costs = try costs("btm/collision.pw", "smmu-vmid=private,smmu-vmid=kvm,smmu-vmid=pinned")
    let needless = costs.compactMap { $0.devices?.needless }
    #expect(needless == [1, 0, 0])
    #expect(costs.allSatisfy { $0.stopped == nil && $0.violations.isEmpty })
  }

  @Test func `a mirror under another VMID keeps what is stale, and breaks a rule`() throws {
    let costs = try costs("btm/private-mirror.pw", "smmu-vmid=private,smmu-vmid=pinned")
    let stale = costs.compactMap { $0.devices?.peakStale }
    #expect(stale == [1, 0])
    let rules = costs.map { $0.violations.map(\.rule) }
    #expect(rules == [["mirror-vmid", "stale-iotlb"], []])
    let table = CostTable(Scenario(file: "f.pw"), costs).text
    #expect(table.contains("policy            failing stalled forbidden needless stale"))
    #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func `a choice is a reverse map, or policies joined by plus`() throws {
    #expect(try PolicyChoice("v2").reverseMap == .v2)
    #expect(try PolicyChoice("rmp-order=rmp-first+rmp-check=access").reverseMap == nil)
    for wrong in ["v9", "", "rmp-order=rmp-first+", "rmp-order=both"] {
      #expect(throws: ScenarioError.self) { try PolicyChoice(wrong) }
    }
  }

  @Test func `what nobody asks for is what a scenario invites to compare`() throws {
    func choices(_ file: String) throws -> [String] {
      PolicyChoice.choices(for: try scenario(file)).map(\.name)
    }
    #expect(
      try choices("rmp/rmp-first.pw")
        == ["rmp-order=iommu-first", "rmp-order=rmp-first", "rmp-order=firmware"])
    // Without pKVM none of its events would mean anything.
    #expect(try choices("pkvm/donation.pw") == ["pkvm=v4", "pkvm=v5"])
    #expect(try choices("iommu/discard.pw") == ["iommu-sync=on", "iommu-sync=off"])
    let reverseMaps = ["none", "v1", "v2", "v3", "repaired", "ideal"]
    #expect(try choices("nested/three-tables.pw") == reverseMaps)
    #expect(try choices("rules/sizes.pw") == reverseMaps)
    let costs = try costs("rmp/rmp-first.pw", Self.orders)
    #expect(costs.map(\.isInForce) == [false, true, false])
  }

  @Test func `violations at pages that follow each other are one`() {
    func broken(_ rule: Invariant, _ address: UInt64) -> Violation {
      Violation(invariant: rule, table: .iommu(0), address: address)
    }
    let runs = ViolationRun.runs(of: [
      broken(.dmaHole, 0x1000), broken(.dmaHole, 0x2000), broken(.dmaHole, 0x4000),
      broken(.staleIOTLB, 0x5000),
    ])
    #expect(runs.map(\.first.address) == [0x1000, 0x4000, 0x5000])
    #expect(runs.map(\.size) == [0x2000, 0x1000, 0x1000])
  }
}
