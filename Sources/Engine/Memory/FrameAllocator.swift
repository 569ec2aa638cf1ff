// Every 512th frame holds one word of information on each of the 512 frames of its group, itself
// included: what the frame is used for (`FrameRole`), or if it is free the number of the next free
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

  /// What the frame that holds `slot` is used for.
  func role(ofFrameAt slot: Int) -> FrameRole {
    FrameRole(bits: load(Self.information(ofFrameAt: slot)))
  }

  /// Takes one zeroed frame and returns the slot of its first word.
  mutating func allocateFrame(_ role: FrameRole) -> Int {
    let free = Int(load(Self.freeFrame))
    guard free != 0 else { return allocateFrames(1) { _ in role } }
    let slot = free * Self.frameWords
    let information = Self.information(ofFrameAt: slot)
    store(load(information), at: Self.freeFrame)
    store(role.bits, at: information)
    return slot
  }

  /// Takes `count` frames (a power of two, at most 256) in a row, aligned to their whole size, as the
  /// root of a table with concatenated pages needs them.
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

  /// Gives a frame back. Its words must be zero already.
  mutating func freeFrame(_ slot: Int) {
    assert(usedWords(inFrameAt: slot) == 0)
    store(load(Self.freeFrame), at: Self.information(ofFrameAt: slot))
    store(UInt64(slot / Self.frameWords), at: Self.freeFrame)
  }

  /// Takes the frames of a table's root, which is one page, or concatenated pages.
  mutating func allocateRoot(of table: TableID, _ geometry: Geometry) -> Int {
    let level = geometry.startLevel
    let pageSize = UInt64(geometry.tableEntries) * geometry.size(level)
    return allocateFrames(geometry.rootPages) {
      FrameRole(table, level: level, at: UInt64($0) * pageSize)
    }
  }
}
