import Engine

/// A range of input addresses in which two tables differ.
struct Difference: Equatable {
  enum Kind: Equatable {
    /// Mapped in one only.
    case onlyFirst, onlySecond
    /// Mapped to different memory.
    case output
    /// The second permits less, or more, or something else.
    case weaker, stronger, permissions
    /// Mapped with entries of different sizes.
    case size
    /// The same but for other bits.
    case bits
  }

  let kind: Kind
  var range: Range<UInt64>
  let first: MappedRange?
  let second: MappedRange?
}

/// A leaf of a table, with the input addresses that it maps.
struct MappedRange: Equatable {
  let range: Range<UInt64>
  let level: Int
  let descriptor: Descriptor
  /// Output address of the first input address.
  let output: UInt64

  var size: UInt64 { range.upperBound - range.lowerBound }
}

/// The comparison of two tables.
struct Comparison {
  /// What of the entries is compared.
  enum Depth {
    /// All bits: the same table at two moments.
    case bits
    /// Where they lead, and what they permit.
    case outputs
    /// Whether there is one, and what it permits: their outputs are not of one kind.
    case permissions
  }

  private(set) var differences: [Difference] = []
  /// Whether the comparison was given up before the end.
  private(set) var isCut = false

  /// Leaves that are compared at most.
  private static let leavesAtMost = 200_000
  private static let differencesAtMost = 1_000

  init(_ first: TableReader, _ second: TableReader, _ depth: Depth) {
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
    _ range: Range<UInt64>, _ first: MappedRange?, _ second: MappedRange?, _ depth: Depth
  ) {
    guard let kind = Self.kind(at: range.lowerBound, first, second, depth) else { return }
    if let last = differences.last, last.kind == kind, last.range.upperBound == range.lowerBound,
      last.first == first || last.second == second
    {
      differences[differences.count - 1].range = last.range.lowerBound..<range.upperBound
    } else {
      differences.append(Difference(kind: kind, range: range, first: first, second: second))
    }
  }

  private static func kind(
    at address: UInt64, _ first: MappedRange?, _ second: MappedRange?, _ depth: Depth
  ) -> Difference.Kind? {
    guard let first else { return second == nil ? nil : .onlySecond }
    guard let second else { return .onlyFirst }
    let outputs = [first, second].map { $0.output + (address - $0.range.lowerBound) }
    if depth != .permissions, outputs[0] != outputs[1] { return .output }
    let before = first.descriptor.permissions
    let after = second.descriptor.permissions
    if before != after {
      if before.allows(after) { return .weaker }
      return after.allows(before) ? .stronger : .permissions
    }
    if first.size != second.size { return .size }
    return depth == .bits && first.descriptor != second.descriptor ? .bits : nil
  }
}

extension Permissions {
  /// Whether they permit whatever others permit.
  fileprivate func allows(_ other: Permissions) -> Bool {
    (read || !other.read) && (write || !other.write)
      && (executeNever == other.executeNever || executeNever == 0 || other.executeNever == 2)
  }
}

extension TableReader {
  /// The first leaf that ends after an input address; nil if there is none.
  func mappedRange(from address: UInt64) -> MappedRange? {
    address < geometry.inputSize ? mappedRange(from: address, in: root) : nil
  }

  private func mappedRange(from address: UInt64, in page: TablePage) -> MappedRange? {
    if address >= page.address(of: page.count) { return nil }
    for index in page.index(of: address)..<page.count where page[index].bits != 0 {
      if page[index].isLeaf(page.level) {
        let start = page.address(of: index)
        return MappedRange(
          range: start..<start + page.entrySize, level: page.level, descriptor: page[index],
          output: page[index].address(granuleShift: geometry.granuleShift))
      }
      if let child = child(of: index, in: page), let found = mappedRange(from: address, in: child) {
        return found
      }
    }
    return nil
  }
}
