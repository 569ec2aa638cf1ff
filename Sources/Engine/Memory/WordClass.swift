/// Whether a word of a record belongs to the machine's state or to its history. Each field of a record
/// must declare it for each of its words in order to compile.
enum WordClass {
  /// The machine's future depends on it.
  case state
  /// Only answers about the past depend on it; or it is derived from words of state, like the slot of a
  /// frame; or it is the position of a supply of fresh names, like the number of the next page.
  case history
  /// As state, but if the two lowest bits are set, the address in bits 51:12 is a frame's, and is
  /// history: an entry of a translation table, and the first word of a stream table entry.
  case entry
}

/// A field of a record, whose raw value is its first word's index in the record.
protocol RecordField: CaseIterable, RawRepresentable<Int> {
  /// The class of each of its words.
  var words: [WordClass] { get }
}

/// The classes of all words of frames that count by themselves, as bitmaps for `Memory.store`.
struct WordClasses: @unchecked Sendable {
  /// For each use of a frame eight words, a bit for each word of the frame: set if it counts.
  let counted: UnsafePointer<UInt64>
  /// The same: set if it is an entry.
  let entries: UnsafePointer<UInt64>

  /// Allocated once and never freed.
  static let all = WordClasses()

  private static let bitmapWords = Memory.frameWords / 64

  private init() {
    var counted: [UInt64] = []
    var entries: [UInt64] = []
    for use in FrameUse.allCases {
      let classes = use.classes
      for first in stride(from: 0, to: Memory.frameWords, by: 64) {
        func bitmap(_ isSet: (WordClass) -> Bool) -> UInt64 {
          (0..<64).reduce(0) { $0 | (isSet(classes[first + $1]) ? 1 << UInt64($1) : 0) }
        }
        counted.append(bitmap { $0 != .history })
        entries.append(bitmap { $0 == .entry })
      }
    }
    self.counted = Self.copy(counted)
    self.entries = Self.copy(entries)
  }

  private static func copy(_ bitmaps: [UInt64]) -> UnsafePointer<UInt64> {
    let copy = UnsafeMutablePointer<UInt64>.allocate(capacity: bitmaps.count)
    copy.initialize(from: bitmaps, count: bitmaps.count)
    return UnsafePointer(copy)
  }

  @inline(__always)
  static func bitmap(_ use: UInt8, _ index: UInt64) -> Int {
    Int(truncatingIfNeeded: UInt64(use) &* UInt64(bitmapWords) &+ index &>> 6)
  }
}

extension FrameUse {
  /// The class of each word of a frame.
  var classes: [WordClass] {
    switch self {
    case .free, .sparse, .nodes: .init(repeating: .history, count: Memory.frameWords)
    case .lastTable, .contents, .elements, .dirty, .contentsIndex, .tlb, .vmidMaps:
      .init(repeating: .state, count: Memory.frameWords)
    case .table: .init(repeating: .entry, count: Memory.frameWords)
    case .registers: Self.classes(of: Machine.Register.self, from: Memory.registersOffset)
    case .mmus: Self.classes(of: MMU.Field.self, each: MMU.Field.count)
    case .vcpus: Self.classes(of: VCPU.Field.self, each: VCPU.Field.count)
    case .memslots: Self.classes(of: Memslot.Field.self, each: Memslot.Field.count)
    case .vmids: VMIDAllocator.classes
    case .smmu: SMMU.classes
    case .pkvm: Self.classes(of: PKVM.Field.self)
    }
  }

  /// The classes of a frame with records of one kind, one after the other; words outside all fields are
  /// unused.
  ///
  /// - Parameters:
  ///   - offset: index of the first record's first word.
  ///   - size: words of a record.
  static func classes<Field: RecordField>(
    of fields: Field.Type, from offset: Int = 0, each size: Int = Memory.frameWords
  ) -> [WordClass] {
    var classes = [WordClass](repeating: .history, count: Memory.frameWords)
    for first in stride(from: offset, to: Memory.frameWords, by: size) {
      for field in fields.allCases {
        for (index, word) in field.words.enumerated() {
          classes[first + field.rawValue + index] = word
        }
      }
    }
    return classes
  }
}

extension Fingerprint {
  /// A hash of what fingerprints depend on besides the state: the list of words, with the name of each
  /// and whether it counts. Fingerprints of two builds are comparable if it is equal. FNV-1a.
  public static let layout: UInt64 = {
    let names =
      FrameUse.allCases.map { "\($0) \($0.classes)" }
      + Machine.Register.allCases.map { "\($0) \($0.rawValue)" }
      + MMU.Field.allCases.map { "\($0) \($0.rawValue)" }
      + VCPU.Field.allCases.map { "\($0) \($0.rawValue)" }
      + Memslot.Field.allCases.map { "\($0) \($0.rawValue)" }
    return names.joined(separator: "\n").utf8.reduce(0xcbf2_9ce4_8422_2325) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
  }()
}
