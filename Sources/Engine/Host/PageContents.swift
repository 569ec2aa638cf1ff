/// Contents of host pages.
///
/// A page holds `pattern(n)` in every word, xor the differences stored since. Pattern 0 is all zero; the
/// others are unknown, unique contents, as after a store of unknown data. So a page needs memory only for
/// its known contents: two words in a sparse array, and a frame if differences were stored at more than
/// one place.
///
///      63            32 31   11 10      2 1    0
///     +----------------+-------+---------+------+
///     | pattern        |   0   |  place  | kind |   second word: the difference, or the frame
///     +----------------+-------+---------+------+
///
/// Freed pages keep their contents, as real memory does until it is used again.
struct PageContents {
  private enum Kind: UInt64 {
    case plain, one, frame
  }

  private let head: UInt64
  private let tail: UInt64

  /// The contents of an absent page.
  static let absent = PageContents(head: 0, tail: 0)

  init(head: UInt64, tail: UInt64) {
    self.head = head
    self.tail = tail
  }

  init(of page: UInt64, in machine: Machine) {
    guard let slot = Machine.contentsSlot(ofPage: page, in: machine.memory) else {
      self = .absent
      return
    }
    self.init(head: machine.memory.load(slot), tail: machine.memory.load(slot + 1))
  }

  var pattern: UInt64 { head >> 32 }
  private var place: Int { Int(head >> 2 & 511) }
  private var kind: Kind { Kind(rawValue: head & 3) ?? .plain }

  /// Slot of the frame of differences, if there is one.
  var frame: Int? { kind == .frame ? Int(tail) : nil }

  /// The stored difference at one of the 512 words.
  func difference(at word: Int, in memory: Memory) -> UInt64 {
    switch kind {
    case .plain: 0
    case .one: place == word ? tail : 0
    case .frame: memory.load(Int(tail) + word)
    }
  }

  /// The only word with a stored difference, if that is in the second word.
  var onlyPlace: Int? { kind == .one ? place : nil }

  /// The words that may have a stored difference.
  var places: Range<Int> {
    switch kind {
    case .plain: 0..<0
    case .one: place..<place + 1
    case .frame: 0..<512
    }
  }

  static func head(pattern: UInt64, place: Int? = nil, isFrame: Bool = false) -> UInt64 {
    pattern << 32 | UInt64(place ?? 0) << 2
      | (isFrame ? Kind.frame : place == nil ? .plain : .one).rawValue
  }
}

extension Machine {
  /// A word of unknown contents: the finaliser of SplitMix64 over the pattern's number and the place.
  static func unknownWord(_ pattern: UInt64, _ word: Int) -> UInt64 {
    if pattern == 0 { return 0 }
    var mixed = (pattern << 9 | UInt64(word)) &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  private static var contentsIndex: SparseArray {
    SparseArray(root: Register.contents.slot, elements: FrameRole(.contentsIndex))
  }

  /// The role of a frame with a page's differences.
  private static func contentsRole(_ page: UInt64) -> FrameRole {
    FrameRole(contentsOfPage: (page - pagesBase) >> 12)
  }

  /// Slot of the two words about a page, or nil if nothing was ever stored in it.
  static func contentsSlot(ofPage page: UInt64, in memory: Memory) -> Int? {
    contentsIndex.slot(of: (page - pagesBase) >> 12 * 2, in: memory)
  }

  /// The 8 bytes at a physical address of guest memory (aligned down).
  public func guestWord(at address: UInt64) -> UInt64 {
    let contents = PageContents(of: address.page, in: self)
    let word = Int(address >> 3 & 511)
    return Self.unknownWord(contents.pattern, word) ^ contents.difference(at: word, in: memory)
  }

  /// Stores 8 bytes at a physical address of guest memory (aligned down).
  mutating func storeGuestWord(_ value: UInt64, at address: UInt64) {
    let page = address.page
    let word = Int(address >> 3 & 511)
    let contents = PageContents(of: page, in: self)
    let difference = value ^ Self.unknownWord(contents.pattern, word)
    if let frame = contents.frame {
      memory.store(difference, at: frame + word)
    } else if contents.places.isEmpty || contents.places.lowerBound == word {
      if contents.places.isEmpty && difference == 0 { return }
      setContents(
        of: page, PageContents.head(pattern: contents.pattern, place: word), difference)
    } else if difference != 0 {
      let frame = memory.allocateFrame(Self.contentsRole(page))
      for place in contents.places {
        memory.store(contents.difference(at: place, in: memory), at: frame + place)
      }
      memory.store(difference, at: frame + word)
      setContents(
        of: page, PageContents.head(pattern: contents.pattern, isFrame: true), UInt64(frame))
    }
  }

  /// A unique unknown value.
  mutating func makeUnknownValue() -> UInt64 {
    self[.unknownContents] += 1
    return Self.unknownWord(self[.unknownContents], 0)
  }

  /// Fills a page with unique unknown contents.
  mutating func storeUnknownContents(in page: UInt64) {
    freeContentsFrame(of: page)
    self[.unknownContents] += 1
    setContents(of: page, PageContents.head(pattern: self[.unknownContents]), 0)
  }

  /// Fills a page with zeros.
  mutating func storeZeros(in page: UInt64) {
    freeContentsFrame(of: page)
    setContents(of: page, 0, 0)
  }

  /// Copies a page into a fresh one.
  mutating func copyContents(of source: UInt64, to target: UInt64) {
    let contents = PageContents(of: source, in: self)
    if let frame = contents.frame {
      let copy = memory.allocateFrame(Self.contentsRole(target))
      for word in 0..<Memory.frameWords { memory.store(memory.load(frame + word), at: copy + word) }
      setContents(
        of: target, PageContents.head(pattern: contents.pattern, isFrame: true), UInt64(copy))
    } else if let place = contents.places.first {
      setContents(
        of: target, PageContents.head(pattern: contents.pattern, place: place),
        contents.difference(at: place, in: memory))
    } else if contents.pattern != 0 {
      setContents(of: target, PageContents.head(pattern: contents.pattern), 0)
    }
  }

  /// Whether two pages hold the same bytes.
  func haveSameContents(_ first: UInt64, _ second: UInt64) -> Bool {
    let a = PageContents(of: first, in: self)
    let b = PageContents(of: second, in: self)
    // Different unknown contents differ somewhere, whatever was stored over them.
    if a.pattern != b.pattern { return false }
    return (Array(a.places) + Array(b.places)).allSatisfy {
      a.difference(at: $0, in: memory) == b.difference(at: $0, in: memory)
    }
  }

  /// A number that is the same for pages with the same bytes.
  func digest(of page: UInt64) -> UInt64 {
    let contents = PageContents(of: page, in: self)
    var digest = contents.pattern
    for place in contents.places {
      let difference = contents.difference(at: place, in: memory)
      if difference != 0 { digest ^= Self.unknownWord(difference, place) }
    }
    return digest
  }

  private mutating func freeContentsFrame(of page: UInt64) {
    guard let frame = PageContents(of: page, in: self).frame else { return }
    for word in 0..<Memory.frameWords { memory.store(0, at: frame + word) }
    memory.freeFrame(frame)
  }

  private mutating func setContents(of page: UInt64, _ head: UInt64, _ tail: UInt64) {
    let index = (page - Self.pagesBase) >> 12 * 2
    Self.contentsIndex.store(head, at: index, in: &memory)
    Self.contentsIndex.store(tail, at: index + 1, in: &memory)
  }
}
