import Foundation
import Testing

@testable import Engine

/// What the kernel's IOMMU API did for devices behind an SMMU: `iommu_map` and `iommu_unmap` as traced, and
/// the calls of io-pgtable-arm that they became.
@Suite struct IOMMUCaptureTests {
  /// A call of `arm_lpae_map_pages` or `arm_lpae_unmap_pages`.
  struct Call: Equatable, CustomStringConvertible {
    let isMap: Bool
    let iova: UInt64
    /// 0 for an unmap.
    let physical: UInt64
    let size: UInt64
    let count: UInt64

    var description: String {
      "\(isMap ? "map" : "unmap") \(String(iova, radix: 16)) \(String(physical, radix: 16)) "
        + "\(count) x \(String(size, radix: 16))"
    }
  }

  private static func lines(_ run: String, _ file: String) throws -> [String] {
    let folder = Capture.root.appending(path: "iommu/\(run)")
    let steps = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    return try steps.flatMap { step in
      try String(contentsOf: folder.appending(path: "\(step)/\(file)"), encoding: .utf8)
        .split(separator: "\n").map(String.init)
    }.filter { !$0.hasPrefix("#") }
  }

  /// The number after `key=`, decimal or hexadecimal with 0x.
  private static func number(_ key: String, in line: String) throws -> UInt64 {
    let text = try #require(line.split(separator: " ").first { $0.hasPrefix(key + "=") })
      .dropFirst(key.count + 1)
    return try #require(
      text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text), "\(line)")
  }

  private static func events(_ run: String) throws -> [IOMMUOperation] {
    try lines(run, "trace.txt").map { line in
      let start = try number("iova", in: line)
      let range = start..<start + (try number("size", in: line))
      if line.contains(": map: ") {
        return .map(range, to: try number("paddr", in: line), write: true)
      }
      #expect(try number("unmapped_size", in: line) == range.upperBound - range.lowerBound)
      return .unmap(range)
    }
  }

  private static func calls(_ run: String) throws -> [Call] {
    try lines(run, "probes.txt").map { line in
      let isMap = line.contains(" arm_lpae_map_pages: ")
      return Call(
        isMap: isMap, iova: try number("iova", in: line),
        physical: isMap ? try number("paddr", in: line) : 0, size: try number("pgsize", in: line),
        count: try number("pgcount", in: line))
    }
  }

  @Test(arguments: ["iommu-vfio", "iommu-dma"])
  func `the calls of the page table are the kernel's, one by one`(run: String) throws {
    var machine = Machine(VMConfiguration())
    machine.steps.isRecording = true
    var found: [Call] = []
    let events = try Self.events(run)
    for event in events {
      try machine.apply(.iommu(device: 0, event))
      #expect(machine.lastError == nil)
      for step in machine.steps.steps {
        switch step.action {
        case .domain(.mapCall(let physical, let count)):
          found.append(
            Call(
              isMap: true, iova: step.address, physical: physical, size: step.size, count: count))
        case .domain(.unmapCall(let count)):
          found.append(
            Call(isMap: false, iova: step.address, physical: 0, size: step.size, count: count))
        default: break
        }
      }
    }
    let expected = try Self.calls(run)
    #expect(events.count >= 20 && expected.count >= events.count)
    #expect(found == expected)
  }

  @Test(arguments: ["iommu-vfio", "iommu-dma"])
  func `at every moment the table maps exactly what is left mapped`(run: String) throws {
    var machine = Machine(VMConfiguration())
    var model: [UInt64: UInt64] = [:]
    for event in try Self.events(run) {
      try machine.apply(.iommu(device: 0, event))
      switch event {
      case .map(let range, let physical, _):
        for page in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
          model[page] = physical + (page - range.lowerBound)
        }
      case .unmap(let range):
        for page in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
          model[page] = nil
        }
      default: Issue.record("a capture has only map and unmap")
      }
      var pages: [UInt64: UInt64] = [:]
      let table = try #require(machine.table(.iommu(0)))
      machine.visit(.mapping, of: table) { leaf in
        for offset in stride(from: 0, to: table.geometry.size(leaf.level), by: 4096) {
          pages[leaf.address + offset] = leaf.descriptor.address + offset
        }
      }
      #expect(pages == model)
    }
  }
}
