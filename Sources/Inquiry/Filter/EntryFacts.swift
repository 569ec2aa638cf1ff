import Engine
import Language

/// Facts about the entries of one table at one moment.
package struct EntryFacts: Sendable {
  private let table: TableID
  private let machine: Machine
  private let geometry: Geometry
  /// Output addresses of all leaves, ascending; nil if no condition needs them.
  private let outputs: [Range<UInt64>]?
  /// Whether the table has more leaves than were compared to find those with the same output.
  package let isCut: Bool
  /// Whether entries of one run can differ in what the filter asks, because another table decides it.
  package let isAboutEntries: Bool

  /// Maximum number of leaves compared to find those with the same output.
  private static let leavesAtMost = 2_000_000

  /// Facts for a filter. O(number of the table's leaves) if the filter asks for aliases.
  package init(for filter: Filter, of table: TableID, _ reader: TableReader, in machine: Machine) {
    self.table = table
    self.machine = machine
    geometry = reader.geometry
    isAboutEntries =
      filter.uses(.recorded(known: true)) || filter.uses(.recorded(known: false))
      || filter.uses(.alias) || filter.uses(.stale)
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
      isCut = found.count == Self.leavesAtMost
      outputs = found.sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
    } else {
      outputs = nil
      isCut = false
    }
  }

  /// Whether a filter holds for a run, as for its first entry where `isAboutEntries`.
  package func holds(_ filter: Filter, for run: EntryRun) -> Bool {
    filter.holds { holds($0, for: run) }
  }

  /// The parts of a run for which a filter holds, ascending. Where `isAboutEntries`, each entry is looked at.
  package func parts(of run: EntryRun, with filter: Filter) -> [EntryRun] {
    guard isAboutEntries else { return holds(filter, for: run) ? [run] : [] }
    var found: [Range<Int>] = []
    for number in 0..<run.count where holds(filter, for: run[number..<number + 1]) {
      if let last = found.last, last.upperBound == number {
        found[found.count - 1] = last.lowerBound..<number + 1
      } else {
        found.append(number..<number + 1)
      }
    }
    return found.map { run[$0] }
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
      return isLeaf && machine.hasRange(over: run, in: table) { ($0.nested != nil) == isKnown }
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
  /// Whether one of the ranges of reverse maps meets a condition that lie over the canonical memory that an entry
  /// maps: of its shadow, or of all shadows. O(n) in these ranges.
  fileprivate func hasRange(
    over run: EntryRun, in table: TableID, _ holds: (ReverseMapEntry) -> Bool
  ) -> Bool {
    if !configuration.nested { return false }
    if case .shadow(let number) = table {
      return derivation(of: run.address, inShadow: number).map {
        hasRange(over: Range(from: $0.ipa, size: run.entrySize), ofShadow: number, holds)
      } ?? false
    }
    let memory: Range<UInt64>
    if table.kind.input == .canonicalIPA {
      memory = run.range
    } else if table.kind.output == .canonicalIPA, let geometry = reader(of: table)?.geometry {
      memory = run.outputs(geometry)
    } else {
      return false
    }
    return (0..<configuration.shadows).contains {
      shadowContext($0).isValid && hasRange(over: memory, ofShadow: $0, holds)
    }
  }

  private func hasRange(
    over range: Range<UInt64>, ofShadow number: Int, _ holds: (ReverseMapEntry) -> Bool
  ) -> Bool {
    var next = reverseMapEntry(ofShadow: number, from: range.lowerBound)
    while let entry = next, entry.canonical.lowerBound < range.upperBound {
      if entry.canonical.overlaps(range), holds(entry) { return true }
      next = reverseMapEntry(
        ofShadow: number,
        from: max(entry.canonical.upperBound, entry.canonical.lowerBound + Page.size))
    }
    return false
  }
}
