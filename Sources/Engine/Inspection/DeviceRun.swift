/// Consecutive input addresses of a device for which a DMA now has the same result: through the same
/// entry, or with the same fault.
public struct DeviceRun: Equatable, Sendable {
  /// The input addresses.
  public let range: Range<UInt64>
  /// The outcome of a read at the first of them.
  public let read: DeviceOutcome
  /// The outcome of a write there.
  public let write: DeviceOutcome
}

extension Machine {
  /// Cuts a range of a device's input addresses where the outcome of a DMA can change. Carries nothing out.
  public func deviceRuns(in range: Range<UInt64>, device: Int = 0) -> [DeviceRun] {
    deviceRuns(in: range, device: device, edges: cachedEdges(device))
  }

  /// The runs of a part of a range, whole at its beginning, and with at least a page on either side of
  /// the part if the range continues there.
  package func deviceRuns(
    around part: Range<UInt64>, in range: Range<UInt64>, device: Int
  ) -> [DeviceRun] {
    let edges = cachedEdges(device)
    var start = part.lowerBound - min(Page.size, part.lowerBound)
    if attachedDevices.contains(device), let size = deviceEntrySize(at: start, device: device) {
      let edge = edges.last { $0 <= start } ?? 0
      start = max(start & ~(size - 1), edge)
    }
    return deviceRuns(
      in: max(start, range.lowerBound)..<min(part.upperBound + Page.size, range.upperBound),
      device: device, edges: edges)
  }

  /// The ascending starts and ends of the translations cached for a device.
  private func cachedEdges(_ device: Int) -> [UInt64] {
    if !attachedDevices.contains(device) { return [] }
    let context = context(ofDevice: device)
    return iotlbEntries.filter { $0.context == context }
      .flatMap { [$0.range.lowerBound, $0.range.upperBound] }.sorted()
  }

  private func deviceRuns(
    in range: Range<UInt64>, device: Int, edges: [UInt64]
  ) -> [DeviceRun] {
    let isTranslated = attachedDevices.contains(device)
    var nextEdge = edges.startIndex
    var runs: [DeviceRun] = []
    var start = range.lowerBound
    while start < range.upperBound {
      var end = range.upperBound
      if isTranslated, let size = deviceEntrySize(at: start, device: device) {
        end = min(end, start & ~(size - 1) + size)
      }
      while nextEdge < edges.endIndex, edges[nextEdge] <= start { nextEdge += 1 }
      if nextEdge < edges.endIndex { end = min(end, edges[nextEdge]) }
      runs.append(
        DeviceRun(
          range: start..<end, read: deviceOutcome(of: start, write: false, device: device),
          write: deviceOutcome(of: start, write: true, device: device)))
      start = end
    }
    return runs
  }

  /// Bytes covered by the entry at which the SMMU's walk ends, or nil outside its input addresses.
  private func deviceEntrySize(at iova: UInt64, device: Int) -> UInt64? {
    guard let table = walkedTable(ofDevice: device), iova < table.geometry.inputSize else {
      return nil
    }
    return table.geometry.size(walkEndForDevice(iova, table).level)
  }
}
