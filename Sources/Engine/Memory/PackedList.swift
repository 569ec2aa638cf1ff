/// A list of plain values, kept without their zero bytes: a long history consists of events that have room for
/// the largest of their kinds, and most need little of it.
///
/// The latest values are kept as they are, up to `chunkSize`; each full chunk is packed, once, and shared with
/// copies of the list. Of a packed value is kept a mask, one bit for each of its bytes, and the bytes that are
/// not zero. It is found in O(`groupSize`).
package struct PackedList<Element: Sendable>: RandomAccessCollection, Sendable {
  /// Values that are packed together.
  fileprivate struct Chunk {
    /// The values: for each the mask, a byte for each eight of its bytes, and the bytes that are not zero.
    let bytes: [UInt8]
    /// Where each group of values begins in them.
    let groups: [UInt32]
  }

  /// Number of values that are packed together.
  package static var chunkSize: Int { 1 << chunkShift }
  private static var chunkShift: Int { 10 }
  /// Number of values from one that is found at once to the next.
  fileprivate static var groupSize: Int { 1 << groupShift }
  fileprivate static var groupShift: Int { 5 }

  private var chunks: [Chunk] = []
  /// The values after those of the chunks.
  private var tail: [Element] = []

  /// A list without values. They must be plain: without references.
  package init() { precondition(_isPOD(Element.self), "bytes of a reference cannot be copied") }

  /// 0.
  package var startIndex: Int { 0 }
  /// The number of values.
  package var endIndex: Int { chunks.count << Self.chunkShift + tail.count }

  /// Bytes that are allocated for packed values, of which there are whole chunks.
  var packedBytes: Int { chunks.reduce(0) { $0 + $1.bytes.capacity + 4 * $1.groups.capacity } }

  /// A value. O(1).
  package subscript(index: Int) -> Element {
    let chunk = index >> Self.chunkShift
    if chunk == chunks.count { return tail[index & (Self.chunkSize - 1)] }
    return chunks[chunk].value(at: index & (Self.chunkSize - 1))
  }

  /// Adds a value at the end. O(1), over all.
  package mutating func append(_ value: Element) {
    if tail.isEmpty, !chunks.isEmpty { tail.reserveCapacity(Self.chunkSize) }
    tail.append(value)
    guard tail.count == Self.chunkSize else { return }
    chunks.append(Chunk(tail))
    // No room is kept where nothing follows.
    tail = []
  }

  /// Removes the values from an index on. O(`chunkSize`), and what is removed.
  package mutating func keep(_ count: Int) {
    let full = count >> Self.chunkShift
    let rest = count & (Self.chunkSize - 1)
    if full == chunks.count {
      tail.removeSubrange(rest...)
    } else {
      let chunk = chunks[full]
      tail = (0..<rest).map { chunk.value(at: $0) }
      chunks.removeSubrange(full...)
    }
  }
}

extension PackedList.Chunk {
  private static var wordCount: Int { (MemoryLayout<Element>.size + 7) >> 3 }

  /// Packs as many values as a chunk has.
  init(_ values: [Element]) {
    var groups: [UInt32] = []
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * MemoryLayout<Element>.stride / 2)
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.wordCount) { words in
      for index in values.indices {
        if index & (PackedList.groupSize - 1) == 0 { groups.append(UInt32(bytes.count)) }
        // What is behind the last byte of a value is anything.
        words.initialize(repeating: 0)
        withUnsafeBytes(of: values[index]) {
          UnsafeMutableRawBufferPointer(words).copyMemory(from: $0)
        }
        let masks = bytes.count
        for word in words { bytes.append(Self.mask(word)) }
        for (word, place) in zip(words, masks...) {
          var mask = bytes[place]
          while mask != 0 {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(mask.trailingZeroBitCount << 3)))
            mask &= mask - 1
          }
        }
      }
    }
    // A copy has no room to grow.
    self.bytes = bytes.withUnsafeBufferPointer { Array($0) }
    self.groups = groups
  }

  /// A bit for each byte of a word that is not zero.
  private static func mask(_ word: UInt64) -> UInt8 {
    let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    // The upper bit of each byte that is not zero, then all of them side by side.
    let upper = ((word & low) + low | word) & ~low
    return UInt8(((upper >> 7) &* 0x0102_0408_1020_4080) >> 56)
  }

  /// A value by its index in the chunk.
  func value(at index: Int) -> Element {
    bytes.withUnsafeBufferPointer { bytes in
      var place = Int(groups[index >> PackedList.groupShift])
      for _ in 0..<index & (PackedList.groupSize - 1) {
        place += (0..<Self.wordCount).reduce(Self.wordCount) {
          $0 + bytes[place + $1].nonzeroBitCount
        }
      }
      return withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { value in
        let raw = UnsafeMutableRawBufferPointer(value)
        var next = place + Self.wordCount
        for word in 0..<Self.wordCount {
          let mask = bytes[place + word]
          for byte in word << 3..<Swift.min(word << 3 + 8, MemoryLayout<Element>.size) {
            let isKept = mask >> UInt8(byte & 7) & 1 != 0
            raw[byte] = isKept ? bytes[next] : 0
            if isKept { next += 1 }
          }
        }
        return value[0]
      }
    }
  }
}
