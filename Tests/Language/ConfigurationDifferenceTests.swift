import Engine
import Testing

@testable import Language

/// What two VMs differ in, in words.
@Suite struct ConfigurationDifferenceTests {
  private static func scenario(_ vm: String) throws -> Scenario {
    try Scenario(parsing: Array("pagewalk 1\n\(vm)\n".utf8), file: "vm")
  }

  private static let base = "vm ipa=40 vcpus=1 nested=on"

  /// The keys of the differences, each of which has two other values.
  private func keys(of differences: [ConfigurationDifference]) -> [String] {
    differences.map { difference in
      let sides = [difference.first, difference.second].map { side in
        side.hasPrefix("no ") ? String(side.dropFirst(3)) : String(side.prefix { $0 != "=" })
      }
      #expect(sides[0] == sides[1] && difference.first != difference.second)
      return sides[0]
    }
  }

  @Test(arguments: Policy.settings)
  func `every word of every policy is a difference, unless it is the default`(
    setting: String
  ) throws {
    let setting = setting.hasSuffix("=") ? setting + "2G" : setting
    let one = try Self.scenario(Self.base)
    let other = try one.under(policy: setting)
    let differences = one.configuration.differences(from: other.configuration)
    let key = String(setting.prefix { $0 != "=" })
    let isDefault = Self.defaults.contains(setting)
    #expect(keys(of: differences).contains(key) != isDefault, "\(differences)")
    // A VMID of its own brings along the stage that has one.
    #expect(differences.isEmpty == isDefault || setting == "smmu-vmid=private")
    // Seen from the other side it is the same.
    let back = other.configuration.differences(from: one.configuration)
    #expect(back.map(\.first) == differences.map(\.second))
    for side in back where !side.first.hasPrefix("no ") {
      #expect(side.first.hasPrefix(key + "=") ? side.first == setting : true)
      #expect(throws: Never.self) { try one.under(policy: side.first) }
    }
  }

  /// What the language says of each key.
  private static let defaults = [
    "revmap=none", "cpu-tlb=evicted", "iommu=own", "iommu-stage=1", "iommu-tlbi=forward",
    "iommu-fault=abort", "iommu-pin=iommufd", "iommu-walk=coherent", "iommu-sync=on",
    "smmu-vmid=private", "sva-asid=private", "sva-aset=on", "sva-notifier=on", "cca=off",
    "bbm-cpu=0", "bbm-smmu=0", "smmu-httu=off", "pkvm=off",
  ]

  @Test(arguments: [
    ("ipa", "vm ipa=41 vcpus=1 nested=on"), ("vcpus", "vm ipa=40 vcpus=2 nested=on"),
    ("nested", "vm ipa=40 vcpus=1"), ("vmid-bits", base + " vmid-bits=8"),
    ("recorded", base + " recorded=on"), ("seen", base + " seen=words"),
  ])
  func `every key of vm is a difference`(key: String, vm: String) throws {
    let one = try Self.scenario(Self.base).configuration
    let other = try Self.scenario(vm).configuration
    #expect(keys(of: one.differences(from: other)) == [key])
    #expect(keys(of: other.differences(from: one)) == [key])
    #expect(one.differences(from: one).isEmpty && other.differences(from: other).isEmpty)
  }

  @Test func `policies that another one brings along have no value without it`() throws {
    let open = try Self.scenario("vm ipa=40")
    let checked = try open.under(policy: "rmp-check=access")
    #expect(
      open.configuration.differences(from: checked.configuration).map(\.text) == [
        "no rmp-order, rmp-order=firmware", "no rmp-check, rmp-check=access",
      ])
    let shared = try open.under(policy: "iommu=shared")
    #expect(
      open.configuration.differences(from: shared.configuration).map(\.text) == [
        "iommu=own, iommu=shared", "smmu-vmid=private, smmu-vmid=kvm",
      ])
  }
}
