import Engine

/// The comparison of one table at two moments, or in two histories, by entries that are no leaves: what software notes
/// in entries that are not valid, and tables that only one of the two has. Leaves are `TableComparison`'s.
struct EntryComparison {
  /// A range of input addresses whose entries differ, in the words for entries.
  struct Difference: Equatable {
    var range: Range<UInt64>
    let first, second: String
  }

  private(set) var differences: [Difference] = []
  /// Whether the comparison stopped before the end.
  private(set) var isCut = false
  private let first, second: TableReader
  private var pagesLeft = Self.pagesAtMost

  /// Maximum number of table pages read, and of differences kept.
  private static let pagesAtMost = 200_000
  private static let differencesAtMost = 1_000

  /// An entry, and its level.
  private struct Entry: Equatable {
    let descriptor: Descriptor
    let level: Int

    /// What the entry is; where leaves lead is said of them alone.
    func words(in geometry: Geometry) -> String {
      geometry.isLeaf(descriptor, at: level)
        ? "a leaf" : Phrase.entry(descriptor, level: level, in: geometry)
    }

    /// Whether it is neither empty nor a table nor a leaf.
    func isNote(in geometry: Geometry) -> Bool {
      let kind = geometry.kind(of: descriptor, at: level)
      return descriptor.bits != 0 && !kind.isLeaf && kind != .table
    }
  }

  /// Compares two tables of one shape. O(number of their pages).
  init(_ first: TableReader, _ second: TableReader) {
    (self.first, self.second) = (first, second)
    if first.geometry != second.geometry { return }
    compare(first.root, second.root, above: nil, isKnown: false)
  }

  /// Compares a page of one with the page of the other, or with the entry above it if that points to no table.
  ///
  /// - Parameter isKnown: whether it was noted above that only one of the two has the table.
  private mutating func compare(
    _ one: TablePage?, _ other: TablePage?, above: Entry?, isKnown: Bool
  ) {
    guard let page = one ?? other else { return }
    pagesLeft -= 1
    for index in 0..<page.count {
      if pagesLeft <= 0 || differences.count >= Self.differencesAtMost {
        isCut = true
        return
      }
      guard let before = one.map({ Entry(descriptor: $0[index], level: $0.level) }) ?? above,
        let after = other.map({ Entry(descriptor: $0[index], level: $0.level) }) ?? above
      else { continue }
      if before == after, before.descriptor.bits == 0 { continue }
      let start = page.address(of: index)
      let range = start..<start + page.entrySize
      let (child, otherChild) = (
        one.flatMap { first.child(of: index, in: $0) },
        other.flatMap { second.child(of: index, in: $0) }
      )
      guard child != nil || otherChild != nil else {
        note(range, before, after)
        continue
      }
      let isOfOne = child == nil || otherChild == nil
      let single = child == nil ? before : after
      let isLeaf = first.geometry.isLeaf(single.descriptor, at: single.level)
      if isOfOne, !isKnown, !isLeaf { add(range, before, after) }
      compare(child, otherChild, above: isOfOne ? single : nil, isKnown: isKnown || isOfOne)
    }
  }

  private mutating func note(_ range: Range<UInt64>, _ before: Entry, _ after: Entry) {
    let geometry = first.geometry
    guard before.isNote(in: geometry) || after.isNote(in: geometry) else { return }
    // The same note for more addresses, or for fewer, says the same of these.
    let isSame =
      before.level == after.level
      ? before == after : before.words(in: geometry) == after.words(in: geometry)
    if !isSame { add(range, before, after) }
  }

  private mutating func add(
    _ range: Range<UInt64>, _ before: Entry, _ after: Entry
  ) {
    let geometry = first.geometry
    var (one, other) = (before.words(in: geometry), after.words(in: geometry))
    if one == other {
      one = Phrase.address(before.descriptor.bits)
      other = Phrase.address(after.descriptor.bits)
    }
    if let last = differences.last, last.range.upperBound == range.lowerBound, last.first == one,
      last.second == other
    {
      differences[differences.count - 1].range = last.range.lowerBound..<range.upperBound
    } else {
      differences.append(Difference(range: range, first: one, second: other))
    }
  }
}
