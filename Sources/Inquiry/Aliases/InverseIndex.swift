import Engine

/// The input addresses of a table by output address, at one moment.
///
/// It is built once, in pieces, and then queried for every page under the cursor: the cost of a query
/// does not grow with the table.
package struct InverseIndex: Sendable {
  package enum Target: Equatable, Sendable {
    case guest(GuestTable)
    /// A table that the host keeps.
    case host(TableID)
  }

  package let target: Target
  private var parts: [Part] = []
  /// Runs that were read but are in no part yet.
  private var runs: [Run] = []
  /// Input address at which reading continues; nil when the whole table was read.
  private var next: UInt64? = 0

  /// Maximum number of runs in one part: few enough to sort while a person waits.
  private static let runsAtMost = 1 << 14

  package init(_ target: Target) { self.target = target }

  /// Whether it covers the whole table.
  package var isWhole: Bool { next == nil }

  /// Continues reading, through at most `left` pages of the table, but at least one at the end of a walk.
  package mutating func read(_ machine: Machine, pages left: inout Int) {
    let reader: TableReader? =
      switch target {
      case .guest(let guest): TableReader(guest, in: machine)
      case .host(let id): machine.table(id).map { TableReader($0, in: machine) }
      }
    guard let reader, let start = next else { return next = nil }
    next = visit(reader.root, reader, from: start, &left)
    if next == nil || runs.count >= Self.runsAtMost {
      parts.append(Part(runs))
      runs = []
    }
  }

  /// Reads a page and what is below it. Returns the address from which to continue; nil at its end.
  private mutating func visit(
    _ page: TablePage, _ reader: TableReader, from start: UInt64, _ left: inout Int
  ) -> UInt64? {
    left -= 1
    for index in page.index(of: start)..<page.count {
      let entry = page[index]
      let address = page.address(of: index)
      if reader.geometry.isLeaf(entry, at: page.level) {
        add(
          input: address, output: reader.geometry.output(of: entry, at: page.level),
          size: page.entrySize)
      } else if entry.isTable(page.level) {
        if left <= 0, address > start { return address }
        guard let child = reader.child(of: index, in: page) else { continue }
        if let rest = visit(child, reader, from: max(address, start), &left) { return rest }
      }
    }
    return nil
  }

  private mutating func add(input: UInt64, output: UInt64, size: UInt64) {
    if let last = runs.last, last.input + last.size == input, last.end == output {
      runs[runs.count - 1].size += size
    } else {
      runs.append(Run(output: output, input: input, size: size))
    }
  }

  /// The input addresses that map to an output address, ascending, at most `limit`.
  package func inputs(leadingTo output: UInt64, atMost limit: Int) -> [UInt64] {
    var found: [UInt64] = []
    for part in parts { part.find(output, atMost: limit, &found) }
    return found.sorted()
  }

  /// Contiguous input addresses that map to contiguous output addresses.
  private struct Run {
    let output: UInt64
    let input: UInt64
    var size: UInt64
    /// The last end of this run and of the runs below it in their part's tree.
    var reach: UInt64 = 0

    var end: UInt64 { output + size }
  }

  /// Runs by output address. They may overlap, so they form an interval tree: the root of a range of runs
  /// is in its middle, and holds their last end.
  private struct Part {
    private var runs: [Run]

    init(_ runs: [Run]) {
      self.runs = runs.sorted { $0.output < $1.output }
      _ = connect(0..<runs.count)
    }

    private mutating func connect(_ range: Range<Int>) -> UInt64 {
      guard !range.isEmpty else { return 0 }
      let middle = (range.lowerBound + range.upperBound) / 2
      let below = max(connect(range.lowerBound..<middle), connect(middle + 1..<range.upperBound))
      runs[middle].reach = max(runs[middle].end, below)
      return runs[middle].reach
    }

    func find(_ output: UInt64, atMost limit: Int, _ found: inout [UInt64]) {
      find(output, in: runs.indices, atMost: limit, &found)
    }

    private func find(
      _ output: UInt64, in range: Range<Int>, atMost limit: Int, _ found: inout [UInt64]
    ) {
      guard !range.isEmpty, found.count < limit else { return }
      let middle = (range.lowerBound + range.upperBound) / 2
      let run = runs[middle]
      guard output < run.reach else { return }
      find(output, in: range.lowerBound..<middle, atMost: limit, &found)
      guard run.output <= output else { return }
      if output < run.end, found.count < limit { found.append(run.input + (output - run.output)) }
      find(output, in: middle + 1..<range.upperBound, atMost: limit, &found)
    }
  }
}
