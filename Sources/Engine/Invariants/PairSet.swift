/// An ordered set of pairs of words: an index from things to their dependents, such as from
/// physical pages to the leaves that map them.
///
/// Sorted arrays of a few hundred pairs, and the first pair of each in an array of its own. Finding,
/// inserting and removing cost O(log n) comparisons and the move of one array's tail.
struct PairSet: Sendable {
  struct Pair: Comparable, Hashable, Sendable {
    var first: UInt64
    var second: UInt64

    init(_ first: UInt64, _ second: UInt64) {
      self.first = first
      self.second = second
    }

    static func < (a: Pair, b: Pair) -> Bool {
      a.first != b.first ? a.first < b.first : a.second < b.second
    }
  }

  private static let capacity = 256

  private var chunks: [[Pair]] = []
  private var heads: [Pair] = []

  var isEmpty: Bool { chunks.isEmpty }

  /// Index of the first of some sorted pairs not below a pair.
  private static func index(of pair: Pair, in pairs: [Pair]) -> Int {
    var low = 0
    var high = pairs.count
    while low < high {
      let middle = (low + high) / 2
      if pairs[middle] < pair { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Index of the chunk that holds a pair, if the set does; there must be a chunk.
  private func chunk(of pair: Pair) -> Int {
    let next = Self.index(of: pair, in: heads)
    return next < heads.count && heads[next] == pair ? next : max(0, next - 1)
  }

  /// Adds a pair, if it is not there.
  mutating func insert(_ pair: Pair) {
    guard !chunks.isEmpty else {
      chunks = [[pair]]
      heads = [pair]
      return
    }
    let chunk = chunk(of: pair)
    let index = Self.index(of: pair, in: chunks[chunk])
    if index < chunks[chunk].count, chunks[chunk][index] == pair { return }
    chunks[chunk].insert(pair, at: index)
    heads[chunk] = chunks[chunk][0]
    if chunks[chunk].count > Self.capacity {
      let upper = Array(chunks[chunk][(Self.capacity / 2)...])
      chunks[chunk].removeSubrange((Self.capacity / 2)...)
      chunks.insert(upper, at: chunk + 1)
      heads.insert(upper[0], at: chunk + 1)
    }
  }

  /// Removes a pair, if it is there.
  mutating func remove(_ pair: Pair) {
    guard !chunks.isEmpty else { return }
    let chunk = chunk(of: pair)
    let index = Self.index(of: pair, in: chunks[chunk])
    guard index < chunks[chunk].count, chunks[chunk][index] == pair else { return }
    chunks[chunk].remove(at: index)
    if chunks[chunk].isEmpty {
      chunks.remove(at: chunk)
      heads.remove(at: chunk)
    } else {
      heads[chunk] = chunks[chunk][0]
    }
  }

  /// The lowest pair not below a pair, or nil.
  func first(from pair: Pair) -> Pair? {
    guard !chunks.isEmpty else { return nil }
    let chunk = chunk(of: pair)
    let index = Self.index(of: pair, in: chunks[chunk])
    if index < chunks[chunk].count { return chunks[chunk][index] }
    return chunk + 1 < heads.count ? heads[chunk + 1] : nil
  }

  /// The highest pair not above a pair, or nil.
  func last(through pair: Pair) -> Pair? {
    guard !chunks.isEmpty else { return nil }
    let chunk = chunk(of: pair)
    let index = Self.index(of: pair, in: chunks[chunk])
    if index < chunks[chunk].count, chunks[chunk][index] == pair { return pair }
    return index > 0 ? chunks[chunk][index - 1] : chunk > 0 ? chunks[chunk - 1].last : nil
  }

  /// The pairs whose first word lies in a range, ascending.
  func pairs(in range: Range<UInt64>) -> [Pair] {
    guard !chunks.isEmpty, !range.isEmpty else { return [] }
    var chunk = chunk(of: Pair(range.lowerBound, 0))
    var index = Self.index(of: Pair(range.lowerBound, 0), in: chunks[chunk])
    var found: [Pair] = []
    while chunk < chunks.count {
      let pairs = chunks[chunk]
      while index < pairs.count {
        if pairs[index].first >= range.upperBound { return found }
        found.append(pairs[index])
        index += 1
      }
      chunk += 1
      index = 0
    }
    return found
  }

  /// Adds the second words of the pairs whose first word lies in a range, which are slots.
  func appendSlots(in range: Range<UInt64>, to slots: inout [Int]) {
    guard !chunks.isEmpty, !range.isEmpty else { return }
    var chunk = chunk(of: Pair(range.lowerBound, 0))
    var index = Self.index(of: Pair(range.lowerBound, 0), in: chunks[chunk])
    while chunk < chunks.count {
      while index < chunks[chunk].count {
        let pair = chunks[chunk][index]
        if pair.first >= range.upperBound { return }
        slots.append(Int(truncatingIfNeeded: pair.second))
        index += 1
      }
      chunk += 1
      index = 0
    }
  }
}
