/// An entry of a table, as a walk met it.
public struct TableEntry: Equatable, Sendable {
  /// The first input address that it covers.
  public let address: UInt64
  /// Its level, 0 to 3.
  public let level: Int
  /// Where it lies: its physical address, or in one of L1's tables its canonical IPA.
  public let place: UInt64
  /// Its bits.
  public let descriptor: Descriptor
  /// What it is to the walker.
  public let kind: EntryKind

  /// The entry with these bits.
  @inline(__always)
  init(
    _ descriptor: Descriptor, at address: UInt64, level: Int, place: UInt64, in geometry: Geometry
  ) {
    self.address = address
    self.level = level
    self.place = place
    self.descriptor = Descriptor(descriptor.bits, geometry.format)
    kind = geometry.kind(of: descriptor, at: level)
  }

  /// The entry at which a walk of a table in the machine's frames ended, for an address.
  init(_ end: WalkEnd, for address: UInt64, in geometry: Geometry) {
    self.init(
      end.descriptor, at: address & ~(geometry.size(end.level) - 1), level: end.level,
      place: Memory.address(ofSlot: end.slot), in: geometry)
  }

  /// Slot of the entry, which must be one of a table in the machine's frames.
  @inline(__always)
  public var slot: Int { Memory.firstSlot(ofFrameAt: place) }

  /// Whether it maps memory.
  @inline(__always)
  public var isLeaf: Bool { kind.isLeaf }
}
