import Engine
import Language

/// Facts about the ranges of one reverse map at one moment.
package struct RangeFacts: Sendable {
  /// Canonical ranges of known entries that no leaf confirms; nil if no condition needs them.
  private let stale: Set<Range<UInt64>>?
  /// Canonical ranges that the last event or micro-step changed.
  private let changed: [Range<UInt64>]

  /// Facts for a filter. O(size of the map) if the filter asks for stale entries.
  package init(
    for filter: Filter, ofShadow shadow: Int, changed: [Range<UInt64>], in machine: Machine
  ) {
    self.changed = changed
    stale =
      filter.uses(.stale) || filter.usesText
      ? Set(machine.staleEntries(ofShadow: shadow).map(\.canonical)) : nil
  }

  package func holds(_ filter: Filter, for entry: ReverseMapEntry) -> Bool {
    filter.holds { holds($0, for: entry) }
  }

  /// All that a row shows of an entry, in lower case.
  private func shown(_ entry: ReverseMapEntry) -> String {
    let words = entry.words(isStale: stale?.contains(entry.canonical) ?? false)
    return (words.address + words.size + words.target + words.remark).lowercased()
  }

  /// Terms about table entries hold for no range.
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
    case .text(let text): return shown(entry).contains(text.lowercased())
    case .permits, .permissions, .level, .alias, .block, .page, .kind, .effect, .touches, .changes,
      .table:
      return false
    }
  }
}

extension ReverseMapEntry {
  /// What a row shows of it; its text is all of these, one after the other.
  package struct Words {
    package let address, size, target, remark: String
  }

  /// What a row shows of it.
  ///
  /// - Parameter isStale: whether no leaf confirms it.
  package func words(isStale: Bool) -> Words {
    Words(
      address: "\(hex: canonical.lowerBound)",
      size: "+\(Phrase.size(canonical.size))".padded(to: 7),
      target: nested.map { "\(Sign.arrow) \(hex: $0)" } ?? "\(Sign.unknown) unknown",
      remark: isStale ? "  \(Sign.stale) stale: no leaf is there" : "")
  }
}
