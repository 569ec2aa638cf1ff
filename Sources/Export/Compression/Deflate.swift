/// Compresses bytes by RFC 1951, which every browser reads: what stood in the last 32 KiB is a copy, and
/// frequent symbols have short codes.
///
/// The same bytes have the same result everywhere; that of a library changes with its version.
///
/// - Complexity: O(bytes); it holds less than 2 MiB of them.
struct Deflate {
  /// The bytes available for copying, and from `start` on those to be written.
  private var window: [UInt8] = []
  private var start = 0
  private var bits = BitWriter()
  /// Number of bytes written with one code.
  private let block: Int

  init(block: Int = 256 << 10) { self.block = block }

  /// Adds bytes.
  mutating func add(_ bytes: some Sequence<UInt8>) {
    window += bytes
    while window.count - start >= block { write(start..<start + block, isLast: false) }
  }

  /// Writes the rest.
  ///
  /// - Returns: all that was added, compressed.
  mutating func finish() -> [UInt8] {
    write(start..<window.count, isLast: true)
    bits.fill()
    return bits.bytes
  }

  private mutating func write(_ range: Range<Int>, isLast: Bool) {
    let pieces = Pieces(window, range)
    var literals = [Int](repeating: 0, count: DeflateCode.literals)
    var distances = [Int](repeating: 0, count: DeflateCode.distances)
    literals[DeflateCode.end] = 1
    for piece in pieces.all {
      literals[piece.symbol.code] += 1
      if let distance = piece.distanceSymbol { distances[distance.code] += 1 }
    }
    let code = (
      literals: HuffmanCode(counts: literals, longest: 15),
      distances: HuffmanCode(counts: distances, longest: 15)
    )
    bits.add(isLast ? 1 : 0, 1)
    bits.add(2, 2)
    write(lengths: code.literals.lengths, code.distances.lengths)
    for piece in pieces.all {
      let symbol = piece.symbol
      bits.add(symbol.code, by: code.literals)
      bits.add(symbol.extra, symbol.extraBits)
      if let symbol = piece.distanceSymbol {
        bits.add(symbol.code, by: code.distances)
        bits.add(symbol.extra, symbol.extraBits)
      }
    }
    bits.add(DeflateCode.end, by: code.literals)
    let dropped = max(0, range.upperBound - Pieces.reach)
    window.removeFirst(dropped)
    start = range.upperBound - dropped
  }

  /// Writes both codes: the lengths of their symbols, with repetitions, by a third code.
  private mutating func write(lengths literals: [Int], _ distances: [Int]) {
    func used(_ lengths: [Int], atLeast least: Int) -> Int {
      max(least, (lengths.lastIndex { $0 > 0 } ?? 0) + 1)
    }
    let counts = (used(literals, atLeast: 257), used(distances, atLeast: 1))
    let symbols = DeflateCode.repeated(
      Array(literals.prefix(counts.0) + distances.prefix(counts.1)))
    var occurrences = [Int](repeating: 0, count: DeflateCode.lengthOrder.count)
    for symbol in symbols { occurrences[symbol.code] += 1 }
    let code = HuffmanCode(counts: occurrences, longest: 7)
    let order = DeflateCode.lengthOrder.map { code.lengths[$0] }
    let written = used(order, atLeast: 4)
    bits.add(counts.0 - 257, 5)
    bits.add(counts.1 - 1, 5)
    bits.add(written - 4, 4)
    for length in order.prefix(written) { bits.add(length, 3) }
    for symbol in symbols {
      bits.add(symbol.code, by: code)
      bits.add(symbol.extra, symbol.extraBits)
    }
  }
}

/// Collects bits from the lowest of each byte on.
private struct BitWriter {
  private(set) var bytes: [UInt8] = []
  private var pending: UInt64 = 0
  private var count = 0

  /// Adds a number of at most 16 bits.
  mutating func add(_ number: Int, _ bits: Int) {
    pending |= UInt64(number) << UInt64(count)
    count += bits
    while count >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      count -= 8
    }
  }

  /// Adds a symbol.
  mutating func add(_ symbol: Int, by code: HuffmanCode) {
    add(code.words[symbol], code.lengths[symbol])
  }

  /// Ends the last byte with zeros.
  mutating func fill() { add(0, (8 - count) % 8) }
}
