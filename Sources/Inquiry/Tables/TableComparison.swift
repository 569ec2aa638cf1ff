import Engine

/// A range of input addresses in which two tables differ.
package struct Difference: Equatable, Sendable {
  package enum Kind: String, Encodable, Sendable {
    /// Mapped in one only.
    case onlyFirst = "only-first"
    case onlySecond = "only-second"
    /// Mapped to different memory.
    case output
    /// The second permits less, or more, or something else.
    case weaker, stronger, permissions
    /// Mapped with entries of different sizes.
    case size
    /// Memory type, or shareability.
    case attribute
    /// The same but for other bits.
    case bits
    /// An entry that is no leaf in one of them: a note of software, or a table.
    case entry
  }

  package let kind: Kind
  package var range: Range<UInt64>
  package let first: MappedRange?
  package let second: MappedRange?
}

extension Difference.Kind {
  /// The properties of entries that are compared.
  package enum Depth: Sendable {
    /// All bits: the same table at two moments.
    case bits
    /// Outputs, permissions, sizes, memory types.
    case outputs
    /// Presence and permissions: their outputs are of different kinds.
    case permissions
  }

  /// The first difference between the leaves of two tables at an input address; nil if there is none. The
  /// only place that judges it: marks in rows, answers and `diff` all use it.
  init?(
    at address: UInt64, _ first: MappedRange?, _ second: MappedRange?, _ depth: Depth
  ) {
    guard let first else {
      if second == nil { return nil }
      self = .onlySecond
      return
    }
    guard let second else {
      self = .onlyFirst
      return
    }
    let before = first.descriptor.permissions
    let after = second.descriptor.permissions
    let knowsOutputs =
      first.descriptor.format.knowsOutputs && second.descriptor.format.knowsOutputs
    if depth != .permissions, knowsOutputs,
      first.output(of: address) != second.output(of: address)
    {
      self = .output
    } else if before != after {
      self = before.allows(after) ? .weaker : after.allows(before) ? .stronger : .permissions
    } else if first.size != second.size {
      self = .size
    } else if depth != .permissions,
      !first.descriptor.isSameMemory(as: second.descriptor)
    {
      self = .attribute
    } else if depth == .bits, first.descriptor != second.descriptor {
      self = .bits
    } else {
      return nil
    }
  }
}

/// The comparison of two tables, leaf by leaf.
package struct TableComparison: Sendable {
  package private(set) var differences: [Difference] = []
  /// Whether the comparison stopped before the end.
  package private(set) var isCut = false

  /// Maximum number of leaves compared, and of differences kept.
  private static let leavesAtMost = 1_000_000
  private static let differencesAtMost = 1_000

  /// Compares two tables with input addresses of one kind. O(number of leaves).
  package init(_ first: TableReader, _ second: TableReader, _ depth: Difference.Kind.Depth) {
    var address: UInt64 = 0
    var one = first.mappedRange(from: 0)
    var other = second.mappedRange(from: 0)
    for _ in 0..<Self.leavesAtMost {
      if one == nil, other == nil { return }
      if differences.count >= Self.differencesAtMost { break }
      let starts = [one, other].compactMap { $0.map { max(address, $0.range.lowerBound) } }
      let start = starts.min() ?? 0
      let inFirst = one.flatMap { $0.range.contains(start) ? $0 : nil }
      let inSecond = other.flatMap { $0.range.contains(start) ? $0 : nil }
      let ends =
        [inFirst, inSecond].compactMap { $0?.range.upperBound }
        + [one, other].compactMap { $0?.range.lowerBound }.filter { $0 > start }
      let end = ends.min() ?? start + 1
      note(start..<end, inFirst, inSecond, depth)
      address = end
      if let now = one, now.range.upperBound <= end { one = first.mappedRange(from: end) }
      if let now = other, now.range.upperBound <= end { other = second.mappedRange(from: end) }
    }
    isCut = true
  }

  private mutating func note(
    _ range: Range<UInt64>, _ first: MappedRange?, _ second: MappedRange?,
    _ depth: Difference.Kind.Depth
  ) {
    guard let kind = Difference.Kind(at: range.lowerBound, first, second, depth) else { return }
    if let last = differences.last, last.kind == kind, last.range.upperBound == range.lowerBound,
      last.first == first || last.second == second
    {
      differences[differences.count - 1].range = last.range.lowerBound..<range.upperBound
    } else {
      differences.append(Difference(kind: kind, range: range, first: first, second: second))
    }
  }
}

extension Permissions {
  /// Whether they include all of other permissions.
  fileprivate func allows(_ other: Permissions) -> Bool {
    (read || !other.read) && (write || !other.write)
      && (executeNever == other.executeNever || executeNever == 0 || other.executeNever == 2)
  }
}
