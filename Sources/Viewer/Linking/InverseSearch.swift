import Engine

/// A search for the input addresses of a table that lead to one output address. It can be done in pieces.
struct InverseSearch: Equatable {
  enum Target: Equatable {
    case guest(GuestTable)
    /// A table that the host keeps.
    case host(TableID)
  }

  let target: Target
  /// Output address of the page that is searched for.
  let output: UInt64
  /// Where the search goes on; nil when it is over.
  private var next: UInt64? = 0

  init(_ target: Target, for output: UInt64) {
    self.target = target
    self.output = output
  }

  var isOver: Bool { next == nil }

  /// Searches on, through at most `left` pages of the table. Returns what it found.
  mutating func run(in machine: Machine, pages left: inout Int) -> [UInt64] {
    let reader: TableReader
    switch target {
    case .guest(let guest): reader = TableReader(guest, in: machine)
    case .host(let id):
      guard let table = machine.table(id) else {
        next = nil
        return []
      }
      reader = TableReader(table, in: machine)
    }
    var found: [UInt64] = []
    next = next.flatMap { visit(reader.root, reader, from: $0, &left, &found) }
    return found
  }

  /// Looks through a page and what is below it. Returns the address to go on from, nil at its end.
  private func visit(
    _ page: TablePage, _ reader: TableReader, from start: UInt64, _ left: inout Int,
    _ found: inout [UInt64]
  ) -> UInt64? {
    left -= 1
    for index in page.index(of: start)..<page.count {
      let entry = page[index]
      let address = page.address(of: index)
      if entry.isLeaf(page.level) {
        let first = entry.address(granuleShift: reader.geometry.granuleShift)
        if first <= output, output - first < page.entrySize {
          found.append(address + (output - first))
        }
      } else if entry.isTable(page.level) {
        if left <= 0 { return max(address, start) }
        guard let child = reader.child(of: index, in: page) else { continue }
        let rest = visit(child, reader, from: max(address, start), &left, &found)
        if let rest { return rest }
      }
    }
    return nil
  }
}
