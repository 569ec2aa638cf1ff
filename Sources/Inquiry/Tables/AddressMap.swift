import Engine

/// How much is mapped in each part of an address space. The parts are the powers of two: the first is
/// below 8K, the next from 8K to 16K, and so on.
package struct AddressMap {
  /// For each part 0 if nothing is mapped there, else a height from 1 to 8 that grows with the logarithm.
  package private(set) var cells: [Int] = []

  /// Bytes from which a part has the maximum height, and the maximum number of tables read to count them.
  private static let most: UInt64 = 1 << 26
  private static let tables = 32

  package init(_ reader: TableReader) {
    let root = reader.root
    for bit in 12..<reader.geometry.inputBits {
      let start: UInt64 = bit == 12 ? 0 : 1 << UInt64(bit)
      var mapped: UInt64 = 0
      var left = Self.tables
      Self.count(start..<1 << UInt64(bit + 1), in: root, reader, &mapped, &left)
      cells.append(mapped == 0 ? 0 : min(8, 1 + (51 - mapped.leadingZeroBitCount) / 2))
    }
  }

  /// The part that contains an address.
  package func cell(of address: UInt64) -> Int { max(0, 51 - max(address, 1).leadingZeroBitCount) }

  /// Adds up the mapped bytes of a range, until that is enough.
  private static func count(
    _ range: Range<UInt64>, in page: TablePage, _ reader: TableReader, _ mapped: inout UInt64,
    _ left: inout Int
  ) {
    let end = page.address(of: page.count)
    if range.lowerBound <= page.address, end <= range.upperBound, page.level == Geometry.lastLevel {
      mapped += UInt64(page.usedCount) * page.entrySize
      left -= 1
      return
    }
    for index in page.index(of: range.lowerBound)...page.index(of: range.upperBound - 1) {
      if mapped >= most || left <= 0 { return }
      let entry = page[index]
      if reader.geometry.isLeaf(entry, at: page.level) {
        mapped += min(page.entrySize, range.size)
      } else if let child = reader.child(of: index, in: page) {
        count(range, in: child, reader, &mapped, &left)
      }
    }
  }
}
