import Engine
import KernelText

/// Memory with the stores in a log; all else is zero.
struct LoggedMemory {
  private var pages: [UInt64: [UInt64]] = [:]

  /// Maximum number of pages kept, 256 MiB, and of bytes that one record may set.
  static let pagesAtMost = 1 << 16
  static let setAtMost: UInt64 = 1 << 20

  /// The word at a multiple of 8.
  subscript(address: UInt64) -> UInt64 {
    pages[address & ~4095]?[Int(address >> 3 & 511)] ?? 0
  }

  /// The words of a page; nil if they are all zero.
  func page(_ address: UInt64) -> [UInt64]? { pages[address] }

  /// Words from an address on.
  func words(at address: UInt64, count: Int) -> [UInt64] {
    (0..<UInt64(count)).map { self[address &+ $0 &* 8] }
  }

  /// - Parameter line: the record's, for the error if there are too many pages.
  mutating func store(_ value: UInt64, at address: UInt64, _ line: Int) throws(TextError) {
    let page = address & ~4095
    if pages[page] == nil {
      if value == 0 { return }
      if pages.count == Self.pagesAtMost {
        throw TextError(line: line, "more than \(Self.pagesAtMost) pages are stored to")
      }
      pages[page] = [UInt64](repeating: 0, count: 512)
    }
    pages[page]?[Int(address >> 3 & 511)] = value
  }

  /// The pages with words in a range, ascending.
  func pages(in range: Range<UInt64>) -> [UInt64] {
    let first = range.lowerBound & ~4095
    let count = (range.upperBound - 1 - first) >> 12 + 1
    if count <= 16 {
      return (0..<count).map { first + $0 << 12 }.filter { pages[$0] != nil }
    }
    return pages.keys.filter { $0 >= first && $0 < range.upperBound }.sorted()
  }

  /// Zeroes the words of a page in a range.
  mutating func clear(_ page: UInt64, _ range: Range<UInt64>) {
    if range.lowerBound <= page, range.upperBound - page >= 4096 {
      pages[page] = nil
    } else {
      for place in 0..<512 where range.contains(page + UInt64(place) * 8) {
        pages[page]?[place] = 0
      }
    }
  }
}
