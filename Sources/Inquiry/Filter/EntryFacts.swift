import Engine
import Language

/// Facts about the entries of one table at one moment.
package struct EntryFacts: Sendable {
  private let table: TableID
  private let machine: Machine
  private let geometry: Geometry
  /// Output addresses of all leaves, ascending; nil if no condition needs them.
  private let outputs: [Range<UInt64>]?

  /// Maximum number of leaves compared to find those with the same output.
  private static let leavesAtMost = 200_000

  /// Facts for a filter. O(number of the table's leaves) if the filter asks for aliases.
  package init(for filter: Filter, of table: TableID, _ reader: TableReader, in machine: Machine) {
    self.table = table
    self.machine = machine
    geometry = reader.geometry
    if filter.uses(.alias) {
      var found: [Range<UInt64>] = []
      let geometry = reader.geometry
      reader.visitEntries { page, index in
        if geometry.isLeaf(page[index], at: page.level) {
          let start = geometry.output(of: page[index], at: page.level)
          found.append(start..<start + page.entrySize)
        }
        return found.count < Self.leavesAtMost
      }
      outputs = found.sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
    } else {
      outputs = nil
    }
  }

  package func holds(_ filter: Filter, for run: EntryRun) -> Bool {
    filter.holds { holds($0, for: run) }
  }

  private func holds(_ term: Filter.Term, for run: EntryRun) -> Bool {
    let entry = run.descriptor
    let isLeaf = geometry.isLeaf(entry, at: run.level)
    let permissions = entry.permissions
    switch term {
    case .permits(.read): return isLeaf && permissions.read
    case .permits(.write): return isLeaf && permissions.write
    case .permits(.execute): return isLeaf && permissions.executeNever != 2
    case .permissions(let wanted):
      return isLeaf && permissions.read == wanted.contains("r")
        && permissions.write == wanted.contains("w")
        && (permissions.executeNever != 2) == wanted.contains("x")
    case .size(let size): return run.entrySize == size
    case .level(let level): return run.level == level
    case .block: return isLeaf && run.level < Geometry.lastLevel
    case .page: return isLeaf && run.level == Geometry.lastLevel
    case .changed: return run.isChanged || run.isRemoved
    case .stale:
      guard case .shadow(let number) = table, isLeaf, !run.isRemoved else { return false }
      return machine.isStale(entry, at: run.address, level: run.level, inShadow: number)
    case .from(let range): return range.overlaps(run.range)
    // What is not known meets no condition.
    case .to(let range):
      return isLeaf && entry.format.knowsOutputs && range.overlaps(run.outputs(geometry))
    case .alias: return isLeaf && entry.format.knowsOutputs && hasAlias(run.outputs(geometry))
    case .recorded(let isKnown):
      return isLeaf && machine.ranges(of: run, in: table).contains { ($0.nested != nil) == isKnown }
    case .text(let text): return run.shown(geometry).lowercased().contains(text.lowercased())
    // Conditions on events, which the parser rejects here.
    case .kind, .effect, .touches, .changes, .table: return false
    }
  }

  /// Whether more than one leaf maps some of these addresses.
  private func hasAlias(_ range: Range<UInt64>) -> Bool {
    guard let outputs else { return false }
    // A leaf that begins further below than the largest size cannot reach the range.
    let reach = geometry.size(geometry.startLevel)
    let start = range.lowerBound > reach ? range.lowerBound - reach : 0
    var index = outputs.indices.partitioningIndex { outputs[$0].lowerBound >= start }
    var found = 0
    while index < outputs.count, outputs[index].lowerBound < range.upperBound, found < 2 {
      if outputs[index].overlaps(range) { found += 1 }
      index += 1
    }
    return found > 1
  }
}

extension Machine {
  /// Maximum number of pages of a run whose ranges are searched, and of ranges found for each.
  private static let pagesAtMost = 64
  private static let rangesAtMost = 64

  /// The ranges of reverse maps over the canonical memory that a run of entries maps: of its shadow, or
  /// of all shadows.
  fileprivate func ranges(of run: EntryRun, in table: TableID) -> [ReverseMapEntry] {
    if !configuration.nested { return [] }
    if case .shadow(let number) = table {
      return (0..<min(run.count, Self.pagesAtMost)).flatMap { index -> [ReverseMapEntry] in
        let nested = run.address + UInt64(index) * run.entrySize
        return derivation(of: nested, inShadow: number).map {
          ranges(over: Range(from: $0.ipa, size: run.entrySize), ofShadow: number)
        } ?? []
      }
    }
    if table.kind.input == .canonicalIPA { return rangesOfAll(over: run.range) }
    guard table.kind.output == .canonicalIPA else { return [] }
    return rangesOfAll(over: run.outputs(reader(of: table)?.geometry ?? .stage2(bits: 48)))
  }

  private func rangesOfAll(over range: Range<UInt64>) -> [ReverseMapEntry] {
    (0..<configuration.shadows).filter { shadowContext($0).isValid }
      .flatMap { ranges(over: range, ofShadow: $0) }
  }

  private func ranges(over range: Range<UInt64>, ofShadow number: Int) -> [ReverseMapEntry] {
    var found: [ReverseMapEntry] = []
    var next = reverseMapEntry(ofShadow: number, from: range.lowerBound)
    while let entry = next, entry.canonical.lowerBound < range.upperBound,
      found.count < Self.rangesAtMost
    {
      if entry.canonical.overlaps(range) { found.append(entry) }
      next = reverseMapEntry(
        ofShadow: number,
        from: max(entry.canonical.upperBound, entry.canonical.lowerBound + Page.size))
    }
    return found
  }
}
