/// A walker of stage-2 tables that knows the architecture (Arm ARM D8.2, D8.3) and nothing of the engine:
/// given what hardware is given, memory and two registers, it says what is mapped.
public struct TableWalker {
  /// Input addresses that lie behind each other, with entries of one level that say the same.
  public struct Row: Equatable, CustomStringConvertible, Sendable {
    /// The input addresses.
    public var range: Range<UInt64>
    /// The level of the entries.
    public let level: Int
    /// What the kernel's dump says of a leaf, without the blanks between; empty for what is not mapped.
    public let attributes: String

    /// A row.
    public init(_ range: Range<UInt64>, level: Int, attributes: String) {
      self.range = range
      self.level = level
      self.attributes = attributes
    }

    /// The row as text.
    public var description: String {
      let ends = [range.lowerBound, range.upperBound].map { String($0, radix: 16) }
      return "\(ends[0])-\(ends[1]) level \(level) \(attributes)"
    }
  }

  /// A leaf, and where it leads.
  public struct Leaf: Sendable {
    /// The first input address, the bytes that it maps, and the first output address.
    public let address, size, output: UInt64
    /// The entry.
    public let bits: UInt64

    /// S2AP.
    public var permissions: UInt64 { bits >> 6 & 3 }
  }

  /// An address of a table that lies outside the memory.
  public struct Outside: Error {
    /// The address.
    public let address: UInt64
  }

  private let memory: [UInt64]
  private let base, root: UInt64
  private let granule, inputBits, start: UInt64
  /// All input addresses, as the kernel's dump puts them together.
  public private(set) var rows: [Row] = []
  /// The leaves, in the order of their addresses.
  public private(set) var leaves: [Leaf] = []

  /// Walks all input addresses. The memory is little-endian bytes, as in a file.
  public init(memory: [UInt8], at base: UInt64, vttbr: UInt64, vtcr: UInt64) throws {
    self.memory = memory.withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
      }
    }
    self.base = base
    granule = [12, 16, 14][Int(vtcr >> 14 & 3)]
    inputBits = 64 - (vtcr & 63)
    start = (granule == 12 ? 2 : 3) - (vtcr >> 6 & 3)
    root = vttbr & 0xffff_ffff_fffe
    try walk(root, entries: 1 << (inputBits - shift(start)), level: start, from: 0)
  }

  private func shift(_ level: UInt64) -> UInt64 { granule + (granule - 3) * (3 - level) }

  private func word(_ address: UInt64) throws -> UInt64 {
    guard address >= base, address & 7 == 0, (address - base) / 8 < memory.count else {
      throw Outside(address: address)
    }
    return memory[Int(address - base) / 8]
  }

  /// The leaf that maps an address.
  public func leaf(at address: UInt64) -> Leaf? {
    var low = 0
    var high = leaves.count
    while low < high {
      let middle = (low + high) / 2
      if leaves[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    return low > 0 && address - leaves[low - 1].address < leaves[low - 1].size
      ? leaves[low - 1] : nil
  }

  private mutating func walk(
    _ table: UInt64, entries: UInt64, level: UInt64, from input: UInt64
  ) throws {
    for index in 0..<entries {
      let entry = try word(table + index * 8)
      let address = input + index << shift(level)
      let output = entry & 0xffff_ffff_ffff & ~((1 << granule) - 1)
      if level < 3, entry & 3 == 3 {
        try walk(output, entries: 1 << (granule - 3), level: level + 1, from: address)
        continue
      }
      let isLeaf = entry & 3 == (level == 3 ? 3 : 1)
      let size: UInt64 = 1 << shift(level)
      if isLeaf { leaves.append(Leaf(address: address, size: size, output: output, bits: entry)) }
      add(address, size, Int(level), isLeaf ? Self.attributes(entry) : "")
    }
  }

  private mutating func add(_ address: UInt64, _ size: UInt64, _ level: Int, _ attributes: String) {
    if let last = rows.last, last.level == level, last.attributes == attributes {
      rows[rows.count - 1].range = last.range.lowerBound..<address + size
    } else {
      rows.append(Row(address..<address + size, level: level, attributes: attributes))
    }
  }

  private static func attributes(_ entry: UInt64) -> String {
    let names = ["px ux", "PXN ux", "PXN UXN", "px UXN"]
    return [
      entry >> 6 & 1 == 1 ? "R" : nil, entry >> 7 & 1 == 1 ? "W" : nil,
      names[Int(entry >> 53 & 3)], entry >> 10 & 1 == 1 ? "AF" : nil, entry & 3 == 1 ? "BLK" : nil,
    ].compactMap { $0 }.joined(separator: " ")
  }
}
