/// What a frame is used for.
public enum FrameUse: UInt8, Sendable {
  /// On the free list; all its words are zero.
  case free
  /// Fixed records of the machine: registers, MMU contexts, memory slots, TLB.
  case records
  /// A translation table.
  case table
  /// Contents of a guest page.
  case contents
  /// Sixteen nodes of range trees.
  case nodes
  /// A level of a sparse array.
  case sparse
}

// Every 512th frame holds one word of information on each of the 512 frames of its group, itself
// included: the use in bits 39:32, and the number of the next free frame, or 0, in bits 31:0.
extension Memory {
  private static let groupFrames = 512
  private static let useShift: UInt64 = 32

  /// Words at fixed places in frame 1, which `Machine` continues with its own.
  private static let nextFrame = frameWords
  private static let freeFrame = frameWords + 1
  /// The first word of frame 1 that is not the allocator's.
  static let firstRegister = frameWords + 2

  /// A memory with the allocator's words set up and nothing else.
  static func boot() -> Memory {
    var memory = Memory()
    memory.reserve(frames: 2)
    memory.store(2, at: nextFrame)
    return memory
  }

  /// Slot of the information word of the frame that holds `slot`.
  @inline(__always)
  private static func information(ofFrameAt slot: Int) -> Int {
    slot & ~(groupFrames * frameWords - 1) | slot &>> 9 & (groupFrames - 1)
  }

  /// Takes one zeroed frame and returns the slot of its first word.
  mutating func allocateFrame(_ use: FrameUse) -> Int {
    let free = Int(load(Self.freeFrame))
    guard free != 0 else { return allocateFrames(1, use) }
    let slot = free * Self.frameWords
    let information = Self.information(ofFrameAt: slot)
    store(load(information) & 0xffff_ffff, at: Self.freeFrame)
    store(UInt64(use.rawValue) << Self.useShift, at: information)
    return slot
  }

  /// Takes `count` frames (a power of two, at most 256) in a row, aligned to their whole size, as the
  /// root of a table with concatenated pages needs them.
  mutating func allocateFrames(_ count: Int, _ use: FrameUse) -> Int {
    var frame = (Int(load(Self.nextFrame)) + count - 1) / count * count
    if frame % Self.groupFrames == 0 { frame += count }
    reserve(frames: frame + count)
    store(UInt64(frame + count), at: Self.nextFrame)
    for number in frame..<(frame + count) {
      store(
        UInt64(use.rawValue) << Self.useShift,
        at: Self.information(ofFrameAt: number * Self.frameWords))
    }
    return frame * Self.frameWords
  }

  /// Gives a frame back. Its words must be zero already.
  mutating func freeFrame(_ slot: Int) {
    assert(usedWords(inFrameAt: slot) == 0)
    store(load(Self.freeFrame), at: Self.information(ofFrameAt: slot))
    store(UInt64(slot / Self.frameWords), at: Self.freeFrame)
  }

  /// What the frame that holds `slot` is used for.
  public func use(ofFrameAt slot: Int) -> FrameUse {
    FrameUse(
      rawValue: UInt8(truncatingIfNeeded: load(Self.information(ofFrameAt: slot)) >> Self.useShift))
      ?? .free
  }

  /// Number of frames ever handed out, including those that are free again.
  public var frameCount: Int { Int(load(Self.nextFrame)) }
}
