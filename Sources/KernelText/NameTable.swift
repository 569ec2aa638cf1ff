/// Names, each of which means something, found without a look at each.
struct NameTable<Value: Sendable>: Sendable {
  private let entries: [(name: StaticString, value: Value)]
  /// Places in `entries` by hash, from 1; 0 where there is none. A power of two, at most half of it full.
  private var places: [UInt8]

  /// - Parameter entries: at most 255. Of equal names the first counts.
  init(_ entries: [(StaticString, Value)]) {
    precondition(entries.count <= Int(UInt8.max))
    self.entries = entries
    places = [UInt8](repeating: 0, count: 512)
    for (index, entry) in entries.enumerated() {
      let name = UnsafeBufferPointer(
        start: entry.0.utf8Start, count: entry.0.utf8CodeUnitCount)
      var place = Self.hash(Words(name, 0..<name.count)) & (places.count - 1)
      while places[place] != 0 { place = (place + 1) & (places.count - 1) }
      places[place] = UInt8(index + 1)
    }
  }

  /// What a name means; nil if it is not one of them.
  @inline(__always)
  subscript(name: Words) -> Value? {
    var place = Self.hash(name) & (places.count - 1)
    while places[place] != 0 {
      let entry = entries[Int(places[place]) - 1]
      if name == entry.name { return entry.value }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  /// By the length and both ends, which tell apart what names of the kernel have in common.
  @inline(__always)
  private static func hash(_ name: Words) -> Int {
    let mixed = (name.ends &+ UInt64(name.count)) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: mixed >> 48)
  }
}

extension Words {
  /// The first 8 bytes and the last, as a number; of fewer, all of them.
  @inline(__always)
  fileprivate var ends: UInt64 {
    guard count >= 8, let base = UnsafeRawPointer(bytes.baseAddress) else {
      var value: UInt64 = 0
      for index in start..<end { value = value << 8 | UInt64(bytes[index]) }
      return value
    }
    let first = (base + start).loadUnaligned(as: UInt64.self)
    let last = (base + end - 8).loadUnaligned(as: UInt64.self)
    return first ^ last &* 31
  }
}
