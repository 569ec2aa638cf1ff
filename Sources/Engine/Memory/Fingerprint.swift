/// The state of a machine in 128 bits: equal for machines in equal states, whatever their histories, and
/// different for others except by accident. Do not compare machines with different configurations.
///
/// It is the sum, modulo 2^64 in each half, of a mix of every word that belongs to the state with the word's
/// *role*; the two halves mix independently. A word that is 0 adds nothing. `Memory.store` adds the
/// change of a word, and so does seeking in the journal, so that the memory is never scanned. Among n
/// states, n^2 / 2^129 collisions are expected.
///
/// A word's role is what it *belongs to*, not its place: frames, tree nodes and record places are
/// allocated in the order of the events, and say nothing about the state.
///
/// | word | role | value |
/// |---|---|---|
/// | of a table | table, level, input address | the entry, without the address of another table |
/// | of page contents | host page, word of it | difference to the page's pattern, however it is kept |
/// | of a sparse array | array, index | the element |
/// | of a range tree | tree, first page, pages | the payload |
/// | of a memory slot | the slot's id, field | the word |
/// | of another record | record, field | the word |
///
/// *State* is what the machine's future depends on: tables, the entries of both TLBs and their ways
/// (which decide the next eviction), registers of vCPUs and of the SMMU, commands in its queue, contexts
/// and VMIDs with their generations (an id is compared with those of the last rollover), VMAs, memory
/// slots and dirty bitmaps, contents of pages (of freed ones too: a stale translation still leads there),
/// owners, granules, pins, reverse maps, the paused event, requested failures and pauses.
///
/// *History*, which does not count, is the counters, the outcomes of the last accesses and DMAs, what
/// `expect` asks for, L1's last invalidation, sequence numbers, free lists, the shape of trees, and the
/// positions of the supplies of pages, VMM addresses, ASIDs and unknown contents: from equal states the same
/// events lead to equal states, except for the names of new things. Names in use do count: a physical page is
/// in the leaf that maps it, so histories that gave it different addresses reach different states.
///
/// Two things count by frame number, so that equivalent states may differ: table words not cleaned for an
/// incoherent walker (a stale line belongs to the frame, whatever its next use), and the table that a
/// paused RMI call is about to free.
public struct Fingerprint: Hashable, Sendable {
  /// One half.
  public internal(set) var first: UInt64 = 0
  /// The other half.
  public internal(set) var second: UInt64 = 0

  @inline(__always)
  static func += (sum: inout Fingerprint, change: Fingerprint) {
    sum.first &+= change.first
    sum.second &+= change.second
  }
}

extension Machine {
  /// The fingerprint of the state.
  public var fingerprint: Fingerprint { memory.fingerprint }
}

/// Mixes values of one role: two multipliers, effectively random for each role.
private struct Mixer {
  private let first: UInt64
  private let second: UInt64

  /// - Parameters:
  ///   - role: the role of a word; or within a tree.
  ///   - tree: the number of the tree, 0 for a word. The two halves combine it with the role differently, so
  ///     no two pairs of tree and role mix alike in both.
  @inline(__always)
  init(_ role: UInt64, tree: UInt64 = 0) {
    first = Self.multiplier(
      role &+ tree &* 0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb)
    second = Self.multiplier(
      role &+ tree &* 0xc2b2_ae3d_27d4_eb4f, 0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53)
  }

  /// The finaliser of SplitMix64 with given factors; always odd.
  ///
  /// Roles are similar: a table's words are 512 consecutive numbers. With one shift less, sums of such
  /// words collide ten times as often as sums of random numbers.
  @inline(__always)
  private static func multiplier(_ role: UInt64, _ one: UInt64, _ other: UInt64) -> UInt64 {
    var mixed = (role ^ role &>> 30) &* one
    mixed = (mixed ^ mixed &>> 27) &* other
    return (mixed ^ mixed &>> 31) | 1
  }

  /// The change of the fingerprint by a change of value. 0 mixes to 0.
  @inline(__always)
  func change(from old: UInt64, to new: UInt64) -> Fingerprint {
    Fingerprint(
      first: Self.product(new, first) &- Self.product(old, first),
      second: Self.product(new, second) &- Self.product(old, second))
  }

  /// The halves of the product, folded, so that high bits of the value count as much as low bits.
  @inline(__always)
  private static func product(_ value: UInt64, _ multiplier: UInt64) -> UInt64 {
    let (high, low) = value.multipliedFullWidth(by: multiplier)
    return high ^ low
  }
}

extension Fingerprint {
  private static let none = Fingerprint()

  /// The change of the fingerprint by a change of a word. It depends on the words alone, so that undoing
  /// the change subtracts what it added.
  ///
  /// - Parameter words: the memory's words; the word itself may or may not be changed already.
  @inline(never)
  static func change(
    at slot: Int, from old: UInt64, to new: UInt64, in words: UnsafeMutablePointer<UInt64>,
    _ classes: WordClasses
  ) -> Fingerprint {
    let role = FrameRole(bits: words[Memory.information(ofFrameAt: slot)])
    let index = UInt64(truncatingIfNeeded: slot) & UInt64(Memory.frameWords - 1)
    let use = role.use
    if use >= FrameUse.firstCombined.rawValue {
      return combinedChange(at: slot, index, from: old, to: new, in: words, role, classes)
    }
    let bitmap = WordClasses.bitmap(use, index)
    if classes.counted[bitmap] &>> (index & 63) & 1 == 0 { return none }
    let isEntry = classes.entries[bitmap] &>> (index & 63) & 1
    return Mixer(role.word(index))
      .change(from: counted(old, isEntry: isEntry), to: counted(new, isEntry: isEntry))
  }

  /// The bits of a word that count.
  ///
  /// - Parameter isEntry: 1 if it is of the class `entry`, else 0.
  @inline(__always)
  private static func counted(_ word: UInt64, isEntry: UInt64) -> UInt64 {
    // All ones if the word points to a frame.
    let points = 0 &- (isEntry & word & word &>> 1)
    return word & ~(points & Descriptor.addressMask)
  }

  /// The change by a word that counts together with others.
  private static func combinedChange(
    at slot: Int, _ index: UInt64, from old: UInt64, to new: UInt64,
    in words: UnsafeMutablePointer<UInt64>, _ role: FrameRole, _ classes: WordClasses
  ) -> Fingerprint {
    switch role.use {
    case FrameUse.nodes.rawValue: nodeChange(at: slot, from: old, to: new, in: words)
    case FrameUse.contentsIndex.rawValue:
      contentsChange(at: slot, index, from: old, to: new, in: words, role)
    default: memslotChange(at: slot, from: old, to: new, in: words, classes)
    }
  }

  /// An entry of a tree is a key and a payload in one leaf of it, in any leaf and at any index.
  private static func nodeChange(
    at slot: Int, from old: UInt64, to new: UInt64, in words: UnsafeMutablePointer<UInt64>
  ) -> Fingerprint {
    let payloads = RangeTree.nodeWords / 2
    let header = words[slot & ~(RangeTree.nodeWords - 1)]
    let tree = RangeTree.number(inHeader: header)
    // The header and the limit of a node are not a pair.
    if slot & (payloads - 1) == 0 || RangeTree.level(inHeader: header) != 0 || tree == 0 {
      return none
    }
    if slot & payloads != 0 {
      let key = words[slot - payloads]
      return key == 0 ? none : Mixer(key, tree: tree).change(from: old, to: new)
    }
    let payload = words[slot + payloads]
    var change = none
    if old != 0 { change += Mixer(old, tree: tree).change(from: payload, to: 0) }
    if new != 0 { change += Mixer(new, tree: tree).change(from: 0, to: payload) }
    return change
  }

  /// Of a page's two words, the pattern counts, and a difference kept there counts as if it were in a
  /// frame of differences.
  private static func contentsChange(
    at slot: Int, _ index: UInt64, from old: UInt64, to new: UInt64,
    in words: UnsafeMutablePointer<UInt64>, _ role: FrameRole
  ) -> Fingerprint {
    let page = (role.place &<< 9 | index) &>> 1
    func difference(_ head: UInt64, _ tail: UInt64, from: UInt64, to: UInt64) -> Fingerprint {
      guard let word = PageContents(head: head, tail: tail).onlyPlace else { return none }
      return Mixer(FrameRole(contentsOfPage: page).word(UInt64(word))).change(from: from, to: to)
    }
    if index & 1 != 0 {
      return difference(words[slot - 1], new, from: old, to: new)
    }
    let tail = words[slot + 1]
    var change = Mixer(role.word(index)).change(
      from: PageContents(head: old, tail: tail).pattern,
      to: PageContents(head: new, tail: tail).pattern)
    change += difference(old, tail, from: tail, to: 0)
    change += difference(new, tail, from: 0, to: tail)
    return change
  }

  /// The words of a memory slot count by its id; so if that changes, all of them change.
  private static func memslotChange(
    at slot: Int, from old: UInt64, to new: UInt64, in words: UnsafeMutablePointer<UInt64>,
    _ classes: WordClasses
  ) -> Fingerprint {
    let record = slot & ~(Memslot.Field.count - 1)
    func mixer(_ field: Int, id: UInt64) -> Mixer {
      Mixer(FrameRole(.memslots, number: id).word(UInt64(field)))
    }
    func counts(_ field: Int) -> Bool {
      let bitmap = WordClasses.bitmap(FrameUse.memslots.rawValue, 0)
      return classes.counted[bitmap] &>> UInt64(field) & 1 != 0
    }
    let field = slot - record
    if field != Memslot.Field.id.rawValue {
      return counts(field) ? mixer(field, id: words[record]).change(from: old, to: new) : none
    }
    var change = none
    for field in 0..<Memslot.Field.count where counts(field) {
      let word = words[record + field]
      change += mixer(field, id: old).change(from: word, to: 0)
      change += mixer(field, id: new).change(from: 0, to: word)
    }
    return change
  }
}
