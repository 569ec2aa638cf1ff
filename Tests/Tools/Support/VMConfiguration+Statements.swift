import Engine

extension VMConfiguration {
  /// Statements that make a world with it.
  var statements: [String] {
    guard let version = isolation.pkvm else {
      return [
        "vm ipa=\(ipaBits) vcpus=\(vcpus) nested=\(nested ? "on" : "off")",
        "policy revmap=\(reverseMap.rawValue)",
      ]
    }
    return [
      "vm ipa=\(ipaBits)", "policy pkvm=\(version.rawValue)",
      "policy cpu-tlb=\(keepsTLB ? "kept" : "evicted")",
      "policy iommu=\(iommu.table.rawValue)",
      "policy iommu-tlbi=\(iommu.forwarding.rawValue)",
      "policy iommu-fault=\(iommu.faults.rawValue)",
      "policy iommu-walk=\(iommu.isCoherent ? "coherent" : "noncoherent")",
      "policy iommu-sync=\(iommu.syncs ? "on" : "off")", "policy bbm-cpu=\(iommu.cpuBreakLevel)",
      "policy bbm-smmu=\(iommu.smmuBreakLevel)", "policy mmio-reserve=\(mmioReserve)",
    ]
  }
}
