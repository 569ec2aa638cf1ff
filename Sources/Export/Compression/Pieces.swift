/// Bytes as literals, and copies of what stood before them.
struct Pieces {
  /// A byte, or a copy.
  struct Piece {
    /// The byte; the length of a copy.
    fileprivate let number: UInt16
    /// Bytes back from where the copy is written; 0 for a literal.
    fileprivate let distance: UInt16

    /// What stands for the byte or the length.
    var symbol: DeflateCode.Symbol {
      distance == 0
        ? DeflateCode.Symbol(code: Int(number)) : DeflateCode.symbol(ofLength: Int(number))
    }

    /// What stands for the distance; nil for a literal.
    var distanceSymbol: DeflateCode.Symbol? {
      distance == 0 ? nil : DeflateCode.symbol(ofDistance: Int(distance))
    }
  }

  /// The pieces in their order.
  private(set) var all: [Piece] = []
  private let bytes: [UInt8]
  private let end: Int
  /// For each hash of three bytes the last place, and for each place the one before it; -1 for none.
  private var last = [Int32](repeating: -1, count: 1 << hashBits)
  private var before: [Int32]

  /// Maximum distance of a copy.
  static let reach = 32 << 10
  /// Lengths of a copy.
  private static let lengths = 3...258
  /// Maximum distance of a copy of three bytes: from farther, literals cost less.
  private static let reachOfShortest = 4 << 10
  /// Maximum number of places with equal beginnings to compare.
  private static let attempts = 256
  private static let hashBits = 15

  /// Finds the pieces of a range, which copy from all of the bytes.
  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    end = range.upperBound
    before = Array(repeating: -1, count: end)
    for place in 0..<range.lowerBound { add(place) }
    var now = range.lowerBound
    var found = copy(at: now)
    while now < end {
      add(now)
      // A longer copy that begins one byte later is worth a literal.
      let next = copy(at: now + 1)
      guard let copy = found, copy.length >= next?.length ?? 0 else {
        all.append(Piece(number: UInt16(bytes[now]), distance: 0))
        now += 1
        found = next
        continue
      }
      all.append(Piece(number: UInt16(copy.length), distance: UInt16(copy.distance)))
      for place in now + 1..<now + copy.length { add(place) }
      now += copy.length
      found = self.copy(at: now)
    }
  }

  /// The longest copy for a place, the nearest of them.
  private func copy(at now: Int) -> (length: Int, distance: Int)? {
    guard let hash = hash(now) else { return nil }
    var best = (length: 0, distance: 0)
    let limit = min(Self.lengths.upperBound, end - now)
    var place = Int(last[hash])
    var attempts = Self.attempts
    while place >= 0, now - place <= Self.reach, attempts > 0, best.length < limit {
      // Where the byte that would make it longer differs, nothing is gained.
      if bytes[place + best.length] == bytes[now + best.length] {
        var length = 0
        while length < limit, bytes[place + length] == bytes[now + length] { length += 1 }
        if length > best.length { best = (length, now - place) }
      }
      place = Int(before[place])
      attempts -= 1
    }
    let isWorth =
      best.length > Self.lengths.lowerBound
      || best.length == Self.lengths.lowerBound && best.distance <= Self.reachOfShortest
    return isWorth ? best : nil
  }

  private mutating func add(_ place: Int) {
    guard let hash = hash(place) else { return }
    before[place] = last[hash]
    last[hash] = Int32(truncatingIfNeeded: place)
  }

  private func hash(_ place: Int) -> Int? {
    guard place + Self.lengths.lowerBound <= end else { return nil }
    let word = UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16
    return Int((word &* 0x9E37_79B1) >> (32 - UInt32(Self.hashBits)))
  }
}
