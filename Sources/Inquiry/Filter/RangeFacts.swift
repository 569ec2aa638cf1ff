import Engine
import Language

/// What is asked about the ranges of one reverse map at one moment.
package struct RangeFacts: Sendable {
  /// Canonical ranges of known entries that no leaf bears out; nil if no condition asks for them.
  private let stale: Set<Range<UInt64>>?
  /// Canonical ranges that were changed by what was done last.
  private let changed: [Range<UInt64>]

  /// Facts for a filter. Takes time linear in the map if the filter asks for stale entries.
  package init(
    for filter: Filter, ofShadow shadow: Int, changed: [Range<UInt64>], in machine: Machine
  ) {
    self.changed = changed
    stale =
      filter.uses(.stale) ? Set(machine.staleEntries(ofShadow: shadow).map(\.canonical)) : nil
  }

  package func holds(_ filter: Filter, for entry: ReverseMapEntry) -> Bool {
    filter.holds { holds($0, for: entry) }
  }

  /// What is only asked about entries of tables holds for no range.
  private func holds(_ term: Filter.Term, for entry: ReverseMapEntry) -> Bool {
    switch term {
    case .recorded(let isKnown): return (entry.nested != nil) == isKnown
    case .stale: return stale?.contains(entry.canonical) ?? false
    case .changed: return changed.contains { $0.overlaps(entry.canonical) }
    case .size(let size): return entry.canonical.size == size
    case .from(let range): return range.overlaps(entry.canonical)
    case .to(let range):
      return entry.nested.map { range.overlaps(Range(from: $0, size: entry.canonical.size)) }
        ?? false
    case .text(let text): return entry.shown.contains(text.lowercased())
    case .permits, .permissions, .level, .alias, .block, .page, .kind, .effect, .touches, .changes,
      .table:
      return false
    }
  }
}

extension ReverseMapEntry {
  /// All that a row shows of it, in small letters.
  fileprivate var shown: String {
    let target = nested.map { "\(Sign.arrow) \(hex: $0)" } ?? "? unknown"
    return "\(hex: canonical.lowerBound) +\(Phrase.size(canonical.size)) \(target)".lowercased()
  }
}
