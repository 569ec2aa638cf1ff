/// An array of words indexed by up to 36 bits, of which only used parts need memory: a radix tree of
/// frames with 9 bits a level. Absent words read as zero.
///
/// Used for a word per page of a large space: page contents, dirty bitmaps, page states.
struct SparseArray {
  /// Slot of the word that points to the top frame, or holds 0 while the array is empty.
  let root: Int
  /// The role of the frames of its elements: the use, and the array's number.
  let elements: FrameRole
  /// Elements before this index are derived from other state, and count as history.
  var firstState: UInt64 = 0

  /// An array by its root and its unique number.
  init(root: Int, _ number: Number, firstState: UInt64 = 0) {
    self.init(root: root, elements: FrameRole(.elements, number: number.rawValue))
    self.firstState = firstState
  }

  /// An array whose elements have a use of their own.
  init(root: Int, elements: FrameRole) {
    self.root = root
    self.elements = elements
  }

  /// The array's number in the fingerprint.
  struct Number {
    let rawValue: UInt64
    static let smmuVMIDs = Number(rawValue: 1)
    static let otherDevices = Number(rawValue: 2)
    static let otherVMs = Number(rawValue: 3)
    static let otherASIDs = Number(rawValue: 4)
    static let pinCounts = Number(rawValue: 5)
    static let rmp = Number(rawValue: 6)
    static let granules = Number(rawValue: 7)
    static let vmemmap = Number(rawValue: 8)
    static let parkedTasks = Number(rawValue: 9)
    static let uncleaned = Number(rawValue: 10)
    /// The pages that are pinned for a device.
    static func pinnedPages(_ device: Int) -> Number { Number(rawValue: 16 + UInt64(device)) }
  }

  static let levels = 4
  static let bits = 9

  /// Number of indices.
  static let capacity: UInt64 = 1 << 36

  func load(_ index: UInt64, from memory: Memory) -> UInt64 {
    guard let slot = slot(of: index, in: memory) else { return 0 }
    return memory.load(slot)
  }

  /// Slot of an element, or nil where nothing was ever stored.
  func slot(of index: UInt64, in memory: Memory) -> Int? {
    var frame = Int(memory.load(root))
    for level in (0..<Self.levels).reversed() {
      if frame == 0 { return nil }
      let slot = frame + Self.digit(of: index, at: level)
      if level == 0 { return slot }
      frame = Int(memory.load(slot))
    }
    return nil
  }

  func store(_ value: UInt64, at index: UInt64, in memory: inout Memory) {
    var pointer = root
    for level in (0..<Self.levels).reversed() {
      var frame = Int(memory.load(pointer))
      if frame == 0 {
        if value == 0 { return }
        frame = memory.allocateFrame(level == 0 ? role(of: index) : FrameRole(.sparse))
        memory.store(UInt64(frame), at: pointer)
      }
      pointer = frame + Self.digit(of: index, at: level)
    }
    memory.store(value, at: pointer)
  }

  /// The role of the frame for an element.
  private func role(of index: UInt64) -> FrameRole {
    index < firstState ? FrameRole(.sparse) : elements.at(index >> UInt64(Self.bits))
  }

  /// The first index in `range` whose word is not zero, or nil.
  func firstIndex(in range: Range<UInt64>, of memory: Memory) -> UInt64? {
    var index = range.lowerBound
    search: while index < range.upperBound {
      var frame = Int(memory.load(root))
      for level in (0..<Self.levels).reversed() {
        let word = frame == 0 ? 0 : memory.load(frame + Self.digit(of: index, at: level))
        if word == 0 {
          let span: UInt64 = 1 << UInt64(level * Self.bits)
          index = (index / span + 1) * span
          continue search
        }
        // The word of the last level is the element, and may have any bits.
        if level == 0 { return index }
        frame = Int(word)
      }
    }
    return nil
  }

  /// Sets every word to zero and frees the frames.
  func removeAll(in memory: inout Memory) {
    let frame = Int(memory.load(root))
    if frame == 0 { return }
    memory.store(0, at: root)
    Self.free(frame, level: Self.levels - 1, in: &memory)
  }

  private static func free(_ frame: Int, level: Int, in memory: inout Memory) {
    for slot in frame..<(frame + Memory.frameWords) {
      let word = memory.load(slot)
      if word == 0 { continue }
      memory.store(0, at: slot)
      if level > 0 { free(Int(word), level: level - 1, in: &memory) }
    }
    memory.freeFrame(frame)
  }

  @inline(__always)
  private static func digit(of index: UInt64, at level: Int) -> Int {
    Int(truncatingIfNeeded: index >> UInt64(level * bits)) & (Memory.frameWords - 1)
  }
}
