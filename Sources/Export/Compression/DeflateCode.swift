/// The symbols of RFC 1951 (3.2.5, 3.2.7).
enum DeflateCode {
  /// Number of symbols for literals, the end, and lengths.
  static let literals = 286
  /// Number of symbols for distances.
  static let distances = 30
  /// The symbol that ends a block.
  static let end = 256
  /// The order in which the lengths of the third code are written.
  static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// A symbol, and what follows it in plain bits.
  struct Symbol {
    let code: Int
    var extra = 0
    var extraBits = 0
  }

  /// The symbol for a length of a copy, 3 to 258.
  static func symbol(ofLength length: Int) -> Symbol {
    // The longest has a symbol of its own.
    length == 258 ? Symbol(code: 285) : symbol(of: length - 3, directly: 8, steps: 4, from: 257)
  }

  /// The symbol for a distance, 1 to 32,768.
  static func symbol(ofDistance distance: Int) -> Symbol {
    symbol(of: distance - 1, directly: 4, steps: 2, from: 0)
  }

  /// Numbers below `directly` have a symbol each; from there on each power of two is divided into `steps`.
  private static func symbol(of number: Int, directly: Int, steps: Int, from first: Int) -> Symbol {
    if number < directly { return Symbol(code: first + number) }
    let power = Int.bitWidth - 1 - number.leadingZeroBitCount
    let extraBits = power - steps.trailingZeroBitCount
    let step = number >> extraBits
    return Symbol(
      code: first + step + extraBits * steps, extra: number - step << extraBits,
      extraBits: extraBits)
  }

  /// Lengths of codes as symbols, of which 16 repeats the last length, and 17 and 18 are zeros.
  static func repeated(_ lengths: [Int]) -> [Symbol] {
    var symbols: [Symbol] = []
    var place = 0
    while place < lengths.count {
      let length = lengths[place]
      let run = lengths[place...].prefix { $0 == length }.count
      let isAgain = place > 0 && lengths[place - 1] == length
      let taken: Int
      switch (length, run) {
      case (0, 11...):
        taken = min(run, 138)
        symbols.append(Symbol(code: 18, extra: taken - 11, extraBits: 7))
      case (0, 3...):
        taken = run
        symbols.append(Symbol(code: 17, extra: taken - 3, extraBits: 3))
      case (_, 3...) where isAgain:
        taken = min(run, 6)
        symbols.append(Symbol(code: 16, extra: taken - 3, extraBits: 2))
      default:
        taken = 1
        symbols.append(Symbol(code: length))
      }
      place += taken
    }
    return symbols
  }
}

/// Codes by how often each symbol occurs; frequent symbols have short ones.
struct HuffmanCode {
  /// Bits of each symbol's code; 0 if it does not occur.
  let lengths: [Int]
  /// Each symbol's code, its first bit lowest.
  let words: [Int]

  /// - Parameters:
  ///   - counts: occurrences of each symbol.
  ///   - longest: maximum bits of a code. It must suffice for as many symbols.
  init(counts: [Int], longest: Int) {
    var counts = counts
    var lengths = Self.lengths(counts)
    // Halved counts differ less, and so do the lengths.
    while lengths.contains(where: { $0 > longest }) {
      counts = counts.map { $0 == 0 ? 0 : $0 / 2 | 1 }
      lengths = Self.lengths(counts)
    }
    self.lengths = lengths
    words = Self.words(lengths)
  }

  /// Joins the two rarest until one is left. A symbol alone has one bit.
  private static func lengths(_ counts: [Int]) -> [Int] {
    var lengths = [Int](repeating: 0, count: counts.count)
    var groups = counts.indices.filter { counts[$0] > 0 }.map { (count: counts[$0], symbols: [$0]) }
    if groups.count == 1 { lengths[groups[0].symbols[0]] = 1 }
    groups.sort { ($0.count, $0.symbols[0]) > ($1.count, $1.symbols[0]) }
    while let rarest = groups.popLast(), let next = groups.popLast() {
      let joined = (count: rarest.count + next.count, symbols: rarest.symbols + next.symbols)
      for symbol in joined.symbols { lengths[symbol] += 1 }
      let place = groups.lastIndex { $0.count > joined.count }.map { $0 + 1 } ?? 0
      groups.insert(joined, at: place)
    }
    return lengths
  }

  /// Symbols of one length have codes in their order, after those of shorter lengths.
  private static func words(_ lengths: [Int]) -> [Int] {
    var words = [Int](repeating: 0, count: lengths.count)
    var next = 0
    for length in 1...max(1, lengths.max() ?? 0) {
      next <<= 1
      for symbol in lengths.indices where lengths[symbol] == length {
        words[symbol] = (0..<length).reduce(0) { $0 << 1 | next >> $1 & 1 }
        next += 1
      }
    }
    return words
  }
}
