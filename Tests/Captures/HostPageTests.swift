import Foundation
import Language
import Testing

@testable import Engine

/// The pages that the host had behind each IPA, by its pagemap, against the engine's.
@Suite struct HostPageTests {
  @Test(arguments: Capture.all(["nested", "nested2", "plain", "patched"]))
  func `the same pages are there, shared by the same IPAs, and kept as long`(capture: Capture)
    throws
  {
    let scenario = try capture.scenario()
    var machine = Machine(scenario.configuration)
    // Addresses of the engine's pages name a page for ever, so each is one page of the kernel's, for all
    // of the run.
    var places: [UInt64: UInt64] = [:]
    for statement in scenario.statements {
      if case .event(let event) = statement.kind { try machine.apply(event) }
      guard case .chapter(let label, _) = statement.kind else { continue }
      let file = capture.folder.appending(path: label).appending(path: "host_pages.txt")
      // The VMM kept the memory of slots that it deleted.
      let kernel = Self.rows(try String(contentsOf: file, encoding: .utf8)).filter { row in
        machine.memorySlots.contains { $0.range.overlaps(row.ipas) }
      }
      let step = "\(capture.name) step \(label)"
      var users: [UInt64: UInt64] = [:]
      var bytes: UInt64 = 0
      for leaf in machine.hostLeaves {
        let row = kernel.last { $0.ipas.lowerBound <= leaf.ipas.lowerBound }
        guard let row, row.ipas.contains(leaf.ipas.upperBound - 1) else {
          Issue.record("\(step): 0x\(hex(leaf.ipas.lowerBound)) is no page of the kernel's")
          continue
        }
        let place = row.physical + leaf.ipas.lowerBound - row.ipas.lowerBound
        if places[leaf.physical, default: place] != place {
          // khugepaged was at work where no table had a mapping, so that nothing else shows it.
          #expect(row.isHuge(at: leaf.ipas.lowerBound), "\(step): 0x\(hex(leaf.ipas.lowerBound))")
        }
        #expect(users[place, default: leaf.physical] == leaf.physical, "\(step)")
        places[leaf.physical] = place
        users[place] = leaf.physical
        bytes += leaf.ipas.upperBound - leaf.ipas.lowerBound
      }
      let kernelBytes = kernel.reduce(0) { $0 + $1.ipas.upperBound - $1.ipas.lowerBound }
      #expect(bytes == kernelBytes, "\(step)")
    }
  }

  private struct Row {
    let ipas: Range<UInt64>
    let physical: UInt64

    /// Whether the 2 MiB around an IPA are one run of pages, aligned as a huge page is.
    func isHuge(at ipa: UInt64) -> Bool {
      let mask: UInt64 = 2 << 20 - 1
      return ipas.contains(ipa & ~mask) && ipas.contains(ipa | mask)
        && (physical ^ ipas.lowerBound) & mask == 0
    }
  }

  /// The rows `START-END PA PAGES`, ascending.
  private static func rows(_ text: String) -> [Row] {
    text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
      let numbers = line.split { $0 == " " || $0 == "-" }.prefix(3).compactMap {
        UInt64($0.dropFirst(2), radix: 16)
      }
      return numbers.count == 3 ? Row(ipas: numbers[0]..<numbers[1], physical: numbers[2]) : nil
    }
  }
}

extension Machine {
  /// The leaves of the VMM's table that lie in memory slots.
  fileprivate var hostLeaves: [(ipas: Range<UInt64>, physical: UInt64)] {
    var leaves: [(Range<UInt64>, UInt64)] = []
    for slot in memslots {
      let range = hostRange(of: slot)
      var walk = TableWalk(of: hostTable, range, .mapping)
      while let leaf = memory.next(&walk) {
        let size = hostTable.geometry.size(leaf.level)
        let ipa = leaf.address - range.lowerBound + self[slot, .ipa]
        leaves.append((ipa..<ipa + size, leaf.descriptor.address))
      }
    }
    return leaves
  }
}
