import Engine

/// Statements about devices: `iommu` and `dev`, with `@N` for another device than 0.
extension StatementParser {
  mutating func iommu() throws(Mistake) -> Event {
    let device = try number(after: "iommu", below: SMMU.devices, "a device")
    if operands.takeIf("attach") { return .iommu(device: device, .attach) }
    if operands.takeIf("sva") { return .iommu(device: device, .shareAddresses) }
    if operands.takeIf("detach") { return .iommu(device: device, .detach) }
    if operands.takeIf("bypass") { return .iommu(device: device, .bypass) }
    if operands.takeIf("map") {
      let range = try operands.range("IOVA")
      let physical = try operands.number("PA")
      let write = try operands.take(["r": false, "rw": true])
      return .iommu(device: device, .map(range, to: physical, write: write))
    }
    if operands.takeIf("clean") {
      return .iommu(device: device, .clean(try operands.range("IOVA")))
    }
    if operands.takeIf("unmap") {
      return .iommu(device: device, .unmap(try operands.range("IOVA")))
    }
    if operands.takeIf("free") { return .iommu(device: device, .free) }
    if operands.takeIf("pin") { return .iommu(device: device, .pin(try operands.range())) }
    throw operands.mistake("attach, sva, detach, bypass, free, map, unmap, pin or clean")
  }

  mutating func dma() throws(Mistake) -> Event {
    let device = try number(after: "dev", below: SMMU.devices, "a device")
    let write = try operands.take(["read": false, "write": true])
    return .dma(device: device, try operands.number("IOVA"), write: write)
  }

  /// `expect dma …`: how the last DMA ended.
  mutating func dmaExpectation() throws(Mistake) -> Expectation {
    if operands.takeIf("aborted") { return .dma(.aborted) }
    if operands.takeIf("stalled") { return .dma(.stalled) }
    if let word = operands.next, operands.words.hasPrefix(word, "fault=") {
      let fault = try operands.required(
        "fault=",
        [
          "translation": DeviceFault.translation, "size": .addressSize, "access": .accessFlag,
          "permission": .permission, "conflict": .conflict, "ste": .badStreamEntry, "rmp": .rmp,
          "granule": .granule,
        ])
      return .dma(.fault(fault, level: try operands.option("level=").map { Int(clamping: $0) }))
    }
    let physical = try operands.required("pa=")
    if operands.takeIf("cached") { return .dma(.translated(physical, cached: true)) }
    if operands.takeIf("walked") { return .dma(.translated(physical, cached: false)) }
    return .dma(.translated(physical, cached: nil))
  }
}
