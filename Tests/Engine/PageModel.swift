@testable import Engine

/// The simplest thing that translates: a dictionary of 4 KiB pages for each table, kept by what the
/// micro-steps say was done.
struct PageModel {
  private var pages: [TableID: [UInt64: UInt64]] = [:]

  mutating func apply(_ steps: [Step], _ geometry: (TableID) -> Geometry?) {
    for step in steps {
      guard let table = step.table, let geometry = geometry(table) else { continue }
      let size = step.level >= 0 ? geometry.size(step.level) : 0
      let start = size > 0 ? step.address & ~(size - 1) : step.address
      switch step.action {
      case .table(.makeLeaf(let leaf, _)), .table(.relaxLeaf(let leaf, _)),
        .table(.writeProtect(let leaf, _)):
        for offset in stride(from: 0, to: size, by: 4096) {
          pages[table, default: [:]][start + offset] =
            (leaf.address + offset) | leaf.permissions.bits
        }
      case .table(.breakEntry), .table(.clearLeaf):
        remove(start..<start + size, of: table)
      default: break
      }
    }
  }

  private mutating func remove(_ range: Range<UInt64>, of table: TableID) {
    guard let mapped = pages[table] else { return }
    if range.upperBound - range.lowerBound > UInt64(mapped.count) << 12 {
      pages[table] = mapped.filter { !range.contains($0.key) }
    } else {
      for address in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
        pages[table]?[address] = nil
      }
    }
  }

  /// Every page of a table, by input address: output address and permissions.
  func translations(of table: TableID) -> [UInt64: UInt64] { pages[table] ?? [:] }
}

extension Machine {
  /// What the hardware's walker gives for every page that a table maps.
  func translations(of table: Table) -> [UInt64: UInt64] {
    var pages: [UInt64: UInt64] = [:]
    visit(.mapping, of: table) { leaf in
      for offset in stride(from: 0, to: table.geometry.size(leaf.level), by: 4096) {
        let address = leaf.address + offset
        let translation = translate(address, by: table, for: .read)
        pages[address] =
          translation.output(of: address, in: table)
          | translation.end.descriptor.permissions.bits
      }
    }
    return pages
  }
}
