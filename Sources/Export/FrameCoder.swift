/// Writes frames in order, each as copies from the frames shortly before it and from itself: a scrolling
/// pane, or an address in five panes, is written once.
///
/// A frame is written as pieces: a number, as many literal scalars, the number of scalars copied then,
/// and their source: its distance from where the last copy would continue. At first that is the beginning
/// of the previous frame, and literals count as copied. The last piece may end before its copy. Numbers
/// are Base64 VLQ as in source maps, the distance with its sign in the lowest bit.
struct FrameCoder {
  /// The frames available for copying, the oldest first.
  private var window: [Unicode.Scalar] = []
  /// The start of each of them.
  private var starts: [Int] = []

  /// Number of earlier frames from which a frame can copy.
  static let framesInReach = 4
  /// Minimum scalars in a copy: the numbers that encode it take about three.
  private static let shortest = 4
  /// Maximum number of places with equal beginnings to compare.
  private static let attempts = 32

  /// A frame, written.
  ///
  /// - Complexity: O(scalars of the frames in reach).
  mutating func encode(_ frame: [Unicode.Scalar]) -> String {
    let start = window.count
    window += frame
    var places = Places(window, until: start, length: Self.shortest)
    var pieces = ""
    var from = starts.last ?? 0
    var literal = start..<start
    var now = start
    while now < window.count {
      let copy = best(at: now, from, places)
      let end = copy.map { now + $0.count } ?? now + 1
      if let copy {
        Self.add(literal, of: window, to: &pieces)
        Self.add(copy.count, to: &pieces)
        let distance = copy.from - from
        Self.add(distance < 0 ? -distance << 1 | 1 : distance << 1, to: &pieces)
        from = copy.from + copy.count
        literal = end..<end
      } else {
        literal = literal.lowerBound..<end
        from += 1
      }
      for place in now..<end { places.add(place, of: window) }
      now = end
    }
    if !literal.isEmpty { Self.add(literal, of: window, to: &pieces) }
    starts.append(start)
    if starts.count > Self.framesInReach {
      let dropped = starts[1]
      window.removeFirst(dropped)
      starts = starts.dropFirst().map { $0 - dropped }
    }
    return pieces
  }

  /// The longest copy for a place; continuing the last one costs least.
  private func best(at now: Int, _ expected: Int, _ places: Places) -> (from: Int, count: Int)? {
    var best = (from: expected, count: expected < now ? same(expected, now) : 0)
    for place in places.alike(now, in: window).prefix(Self.attempts) {
      let count = same(place, now)
      if count > best.count + (best.from == expected ? 2 : 0) { best = (place, count) }
    }
    return best.count < Self.shortest ? nil : best
  }

  private func same(_ from: Int, _ now: Int) -> Int {
    var count = 0
    while now + count < window.count, from + count < now,
      window[from + count] == window[now + count]
    {
      count += 1
    }
    return count
  }

  private static func add(
    _ literal: Range<Int>, of window: [Unicode.Scalar], to pieces: inout String
  ) {
    add(literal.count, to: &pieces)
    pieces.unicodeScalars.append(contentsOf: window[literal])
  }

  private static func add(_ number: Int, to pieces: inout String) {
    var rest = number
    repeat {
      let digit = rest & 31 | (rest > 31 ? 32 : 0)
      pieces.unicodeScalars.append(Unicode.Scalar(digits[digit]))
      rest >>= 5
    } while rest > 0
  }

  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}

/// The places of texts of one length, by their beginnings.
private struct Places {
  /// For each hash the last place, and for each place the one before it; -1 for none.
  private var last: [Int32]
  private var before: [Int32]
  private let length: Int

  private static let bits: UInt64 = 14

  init(_ text: [Unicode.Scalar], until end: Int, length: Int) {
    last = Array(repeating: -1, count: 1 << Self.bits)
    before = Array(repeating: -1, count: text.count)
    self.length = length
    for place in 0..<end { add(place, of: text) }
  }

  mutating func add(_ place: Int, of text: [Unicode.Scalar]) {
    guard let hash = hash(place, of: text) else { return }
    before[place] = last[hash]
    last[hash] = Int32(truncatingIfNeeded: place)
  }

  /// Places with the same hash, the latest first.
  func alike(_ place: Int, in text: [Unicode.Scalar]) -> some Sequence<Int> {
    let first = hash(place, of: text).map { last[$0] } ?? -1
    return sequence(first: first) { before[Int($0)] }.prefix { $0 >= 0 }.lazy.map { Int($0) }
  }

  private func hash(_ place: Int, of text: [Unicode.Scalar]) -> Int? {
    guard place + length <= text.count else { return nil }
    var hash: UInt64 = 0
    for scalar in text[place..<place + length] {
      hash = (hash ^ UInt64(scalar.value)) &* 0x9E37_79B9_7F4A_7C15
    }
    return Int(hash >> (64 - Self.bits))
  }
}
