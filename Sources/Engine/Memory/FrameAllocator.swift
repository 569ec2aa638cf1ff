// Every 512th frame holds one word of information about each of the 512 frames of its group, itself
// included: the frame's role (`FrameRole`), or if it is free the number of the next free
// frame, or 0. It changes only while all words of the frame are zero, so that their roles may change.
extension Memory {
  private static let groupFrames = 512

  /// Words at fixed places in frame 1, which `Machine` continues with its own.
  private static let nextFrame = frameWords
  private static let freeFrame = frameWords + 1
  /// The first word of frame 1 that is not the allocator's.
  static let firstRegister = frameWords + registersOffset
  /// Its index in the frame.
  static let registersOffset = 2

  /// A memory with the allocator's words set up and nothing else.
  static func boot() -> Memory {
    var memory = Memory()
    memory.reserve(frames: 2)
    memory.store(FrameRole(.registers).bits, at: information(ofFrameAt: frameWords))
    memory.store(2, at: nextFrame)
    return memory
  }

  /// Slot of the information word of the frame that holds `slot`.
  @inline(__always)
  static func information(ofFrameAt slot: Int) -> Int {
    slot & ~(groupFrames * frameWords - 1) | slot &>> 9 & (groupFrames - 1)
  }

  /// The role of the frame that holds `slot`.
  func role(ofFrameAt slot: Int) -> FrameRole {
    FrameRole(bits: load(Self.information(ofFrameAt: slot)))
  }

  /// Allocates one zeroed frame and returns the slot of its first word.
  mutating func allocateFrame(_ role: FrameRole) -> Int {
    let free = Int(load(Self.freeFrame))
    guard free != 0 else { return allocateFrames(1) { _ in role } }
    let slot = free * Self.frameWords
    let information = Self.information(ofFrameAt: slot)
    store(load(information), at: Self.freeFrame)
    store(role.bits, at: information)
    return slot
  }

  /// Allocates `count` consecutive frames (a power of two, at most 256), aligned to their total size, as
  /// a root with concatenated pages needs.
  ///
  /// - Parameter role: the role of each, by its number among them.
  mutating func allocateFrames(_ count: Int, _ role: (Int) -> FrameRole) -> Int {
    var frame = (Int(load(Self.nextFrame)) + count - 1) / count * count
    if frame % Self.groupFrames == 0 { frame += count }
    reserve(frames: frame + count)
    store(UInt64(frame + count), at: Self.nextFrame)
    for index in 0..<count {
      store(
        role(index).bits, at: Self.information(ofFrameAt: (frame + index) * Self.frameWords))
    }
    return frame * Self.frameWords
  }

  /// Frees a frame, whose words must all be zero.
  mutating func freeFrame(_ slot: Int) {
    assert(usedWords(inFrameAt: slot) == 0)
    store(load(Self.freeFrame), at: Self.information(ofFrameAt: slot))
    store(UInt64(slot / Self.frameWords), at: Self.freeFrame)
  }

  /// Allocates the frames of a table's root: one page, or concatenated pages.
  mutating func allocateRoot(of table: TableID, _ geometry: Geometry) -> Int {
    let level = geometry.startLevel
    let pageSize = UInt64(geometry.tableEntries) * geometry.size(level)
    return allocateFrames(geometry.rootPages) {
      FrameRole(table, level: level, at: UInt64($0) * pageSize)
    }
  }
}
