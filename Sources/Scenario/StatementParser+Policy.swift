import Engine

/// What a statement `policy` sets.
typealias PolicyChange = (inout Configuration) -> Void

extension StatementParser {
  /// `KEY=VALUE`.
  mutating func policy() throws(Mistake) -> PolicyChange {
    guard let word = operands.next else { throw operands.mistake(Self.policyKeys) }
    func isKey(_ key: StaticString) -> Bool { operands.words.hasPrefix(word, key) }
    if isKey("revmap=") {
      let name = try operands.required(
        "revmap=",
        [
          "none": ReverseMapPolicyName.none, "v1": .v1, "v2": .v2, "v3": .v3,
          "repaired": .repaired, "ideal": .ideal,
        ])
      return { $0.reverseMap = name }
    }
    if isKey("iommu=") {
      let table = try operands.required(
        "iommu=", ["own": IOMMUConfiguration.TableChoice.own, "shared": .shared])
      return { $0.iommu.table = table }
    }
    if isKey("iommu-tlbi=") {
      let forwarding = try operands.required(
        "iommu-tlbi=",
        ["forward": IOMMUConfiguration.Forwarding.forward, "broadcast": .broadcast, "none": .none])
      return { $0.iommu.forwarding = forwarding }
    }
    if isKey("iommu-fault=") {
      let faults = try operands.required(
        "iommu-fault=",
        ["abort": IOMMUConfiguration.FaultHandling.abort, "stall": .stall, "pin": .pin])
      return { $0.iommu.faults = faults }
    }
    if isKey("iommu-walk=") {
      let isCoherent = try operands.required(
        "iommu-walk=", ["coherent": true, "noncoherent": false])
      return { $0.iommu.isCoherent = isCoherent }
    }
    if isKey("iommu-sync=") {
      let syncs = try operands.required("iommu-sync=", ["on": true, "off": false])
      return { $0.iommu.syncs = syncs }
    }
    if isKey("smmu-vmid=") {
      let choice = try operands.required(
        "smmu-vmid=", ["private": VMIDChoice.private, "kvm": .kvm, "pinned": .pinned])
      return { $0.iommu.vmids = choice }
    }
    if isKey("rmp-order=") {
      let order = try operands.required(
        "rmp-order=",
        [
          "iommu-first": RMPConfiguration.Order.iommuFirst, "rmp-first": .rmpFirst,
          "firmware": .firmware,
        ])
      return {
        $0.isolation = .rmp
        $0.rmp.order = order
      }
    }
    if isKey("rmp-check=") {
      let check = try operands.required(
        "rmp-check=", ["walk": RMPConfiguration.Check.walk, "access": .access])
      return {
        $0.isolation = .rmp
        $0.rmp.check = check
      }
    }
    if isKey("cca=") {
      let isOn = try operands.required("cca=", ["on": true, "off": false])
      return {
        $0.isolation = isOn ? .cca : .none
        $0.iommu.table = isOn ? .shared : .own
      }
    }
    if isKey("bbm-cpu=") {
      let level = try operands.required("bbm-cpu=", ["0": 0, "1": 1, "2": 2, "3": 3])
      return { $0.iommu.cpuBreakLevel = level }
    }
    if isKey("bbm-smmu=") {
      let level = try operands.required("bbm-smmu=", ["0": 0, "1": 1, "2": 2])
      return { $0.iommu.smmuBreakLevel = level }
    }
    if isKey("mmio-reserve=") {
      guard let word = operands.next else { throw operands.mistake(Self.policyKeys) }
      let reserve = try operands.required("mmio-reserve=")
      guard Configuration.mmioReserveRange.contains(reserve), reserve % 4096 == 0 else {
        throw Mistake(
          offset: word.range.lowerBound,
          message: "expected mmio-reserve=4K to mmio-reserve=1T, a multiple of 4K")
      }
      return { $0.mmioReserve = reserve }
    }
    if isKey("pkvm=") {
      let isolation = try operands.required(
        "pkvm=", ["off": Isolation.none, "v4": .pkvm(.v4), "v5": .pkvm(.v5)])
      return { $0.isolation = isolation }
    }
    throw operands.mistake(Self.policyKeys)
  }

  private static let policyKeys =
    "revmap=, iommu=, iommu-tlbi=, iommu-fault=, iommu-walk=, iommu-sync=, smmu-vmid=, "
    + "rmp-order=, rmp-check=, cca=, bbm-cpu=, bbm-smmu=, pkvm= or mmio-reserve="
}
