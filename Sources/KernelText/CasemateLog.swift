import Engine

/// A log of casemate: a hypervisor's operations on its page tables, and those that make their changes
/// visible, each with its source line. A line that begins with `!` is casemate's comment on the previous
/// record.
///
///     (mem-write (id 9) (tid 0) (mem-order plain) (address 0x40102000) (value 0x0) (src "pgtable.c:39"))
///     (barrier (id 10) (tid 0) dsb (kind ish) (src "pgtable.c:40"))
///     ! BBM invalid unclean->valid
///
/// Fields have names and any order; numbers are hexadecimal, with or without `0x`, except those of records
/// and threads.
package struct CasemateLog: Equatable, Sendable {
  /// An operation of a thread.
  package struct Record: Equatable, Sendable {
    /// Number of its first line, from 1.
    package let line: Int
    /// Its number in the log.
    package let id: UInt64
    /// The thread, which is a CPU.
    package let thread: UInt64
    /// The place in the source, as `FILE:LINE`; nil if the log has none. It may contain anything.
    package let place: String?
    /// The operation.
    package let action: Action
  }

  /// The operations.
  package enum Action: Equatable, Sendable {
    case write(UInt64, value: UInt64, isRelease: Bool)
    case read(UInt64, value: UInt64)
    /// Memory is zeroed, and used from now on.
    case initialize(Range<UInt64>)
    case free(Range<UInt64>)
    /// Each byte becomes the low byte of the value.
    case set(Range<UInt64>, value: UInt64)
    case barrier(Barrier)
    case invalidate(Invalidation)
    case register(Register, value: UInt64)
    case hint(Hint, UInt64, value: UInt64)
    case lock(UInt64)
    case unlock(UInt64)
    /// A word of casemate that does not concern tables, such as entering a context.
    case other(String)
  }

  /// A barrier instruction.
  package enum Barrier: String, CaseIterable, Sendable {
    case isb, nsh, ish, ishst, sy
  }

  /// System registers in a log, by their names in it.
  package enum Register: String, CaseIterable, Sendable {
    case vttbr = "vttbr_el2", vtcr = "vtcr_el2", ttbr0 = "ttbr0_el2", tcr = "tcr_el2"
    case hcr = "hcr_el2", sctlr = "sctlr_el2", mair = "mair_el2"
  }

  /// A hypervisor's hints about its tables, which no write shows.
  package enum Hint: String, CaseIterable, Sendable {
    case setRootLock = "set_root_lock", setOwnerRoot = "set_owner_root"
    case releaseTable = "release_table", setThreadOwner = "set_pte_thread_owner"
  }

  /// A TLBI instruction.
  package struct Invalidation: Equatable, Sendable {
    /// Instructions by what they reach.
    package enum Kind: String, CaseIterable, Sendable {
      case vmalls12e1, vmalle1, alle1, alle2, vae2, vale2, ipas2e1
    }

    package let kind: Kind
    /// Whether all CPUs invalidate, or only the thread's own.
    package let isBroadcast: Bool
    /// The register operand: page number, level hint in bits 47:44.
    package let operand: UInt64

    /// Its name in assembly.
    package var name: String { kind.rawValue + (isBroadcast ? "is" : "") }
  }

  /// A comment of casemate on a record.
  package struct Verdict: Equatable, Sendable {
    package let line: Int
    /// Its text, which may contain anything.
    package let text: String
    /// Number of records before it.
    package let records: Int
  }

  package private(set) var records: [Record] = []
  /// The first of casemate's verdicts, after which it stops.
  package private(set) var verdict: Verdict?

  /// Maximum number of records read, and of bytes of one.
  package static let recordsAtMost = 1 << 22, recordBytesAtMost = 1 << 14

  /// Reads a log.
  ///
  /// - Throws: at the first malformed record.
  package init(_ bytes: [UInt8]) throws(TextError) {
    let result = bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(TextError) in
        var reader = Reader(buffer)
        return try reader.read()
      }
    }
    self = try result.get()
  }

  private init() {}

  /// Whether a text begins like a log.
  package static func accepts(_ bytes: [UInt8]) -> Bool {
    bytes.prefix(recordBytesAtMost).withUnsafeBufferPointer { buffer in
      var lines = Lines(buffer)
      while let line = lines.next() {
        var rest = line
        rest.skipBlanks()
        if rest.isEmpty { continue }
        guard rest.take("(") else { return false }
        rest.skipBlanks()
        let kind = rest.take(while: Reader.isWord)
        return Reader.kinds.contains { kind.isSame($0) }
          && (rest.first.map { Words.isBlank($0) || $0 == 0x28 } ?? true)
      }
      return false
    }
  }
}

extension CasemateLog {
  /// Reads records, which may span several lines.
  private struct Reader {
    static let kinds: [StaticString] = [
      "mem-write", "mem-read", "mem-init", "mem-free", "mem-set", "barrier", "tlbi", "sysreg-write",
      "msr", "hint", "lock", "trylock", "unlock", "enter-context", "exit-context",
    ]

    private var rest: Words
    private var line = 1
    private var lineStart = 0
    private var log = CasemateLog()

    init(_ bytes: UnsafeBufferPointer<UInt8>) { rest = Words(bytes, 0..<bytes.count) }

    static func isWord(_ byte: UInt8) -> Bool { Words.isName(byte) || byte == UInt8(ascii: "-") }

    mutating func read() throws(TextError) -> CasemateLog {
      while true {
        skipSpace()
        guard let byte = rest.first else { return log }
        if byte == UInt8(ascii: "!") {
          verdict()
          return log
        }
        if byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
          _ = rest.take { $0 != 0x0a }
          continue
        }
        log.records.append(try record())
        if log.records.count > CasemateLog.recordsAtMost {
          throw error("more than \(CasemateLog.recordsAtMost) records")
        }
      }
    }

    private mutating func verdict() {
      _ = rest.takeByte()
      rest.skipBlanks()
      var text = rest.take { $0 != 0x0a }
      text.trimEnd()
      log.verdict = Verdict(
        line: line, text: text.prefix(1000).string, records: log.records.count)
    }

    private mutating func skipSpace() {
      while let byte = rest.first, Words.isBlank(byte) || byte == 0x0a || byte == 0x0d {
        _ = rest.takeByte()
        if byte == 0x0a {
          line += 1
          lineStart = rest.start
        }
      }
    }

    private func error(_ message: String) -> TextError {
      TextError(line: line, column: rest.start - lineStart + 1, message)
    }

    /// The fields of a record by name, and its words without a name.
    private struct Fields {
      var values: [(name: Words, value: Words)] = []
      var words: [Words] = []

      func value(_ name: StaticString) -> Words? {
        values.first { $0.name.isSame(name) }?.value
      }

      func number(_ name: StaticString) -> UInt64? { value(name)?.hexNumber }
    }

    private mutating func record() throws(TextError) -> Record {
      let start = (line: line, place: rest.start)
      guard rest.take("(") else { throw error("expected a record, as (mem-write (id 0) ...)") }
      skipSpace()
      let kind = rest.take(while: Self.isWord)
      var fields = Fields()
      while true {
        skipSpace()
        if rest.start - start.place > CasemateLog.recordBytesAtMost {
          throw error("a record of more than \(CasemateLog.recordBytesAtMost) bytes")
        }
        if rest.take(")") { break }
        if rest.take("(") {
          fields.values.append(try field())
        } else {
          let word = rest.take(while: Self.isWord)
          if word.isEmpty { throw error("expected a field, as (address 0x1000), or ')'") }
          fields.words.append(word)
        }
      }
      guard let id = fields.value("id")?.decimalNumber,
        let thread = (fields.value("tid") ?? fields.value("thread"))?.decimalNumber
      else {
        throw TextError(line: start.line, "expected (id N) and (tid N) in the record")
      }
      guard let action = Self.action(kind, fields) else {
        throw TextError(
          line: start.line, "a \(kind.prefix(40).string) without the fields that it must have")
      }
      return Record(
        line: start.line, id: id, thread: thread,
        place: fields.value("src").map { $0.prefix(400).string }, action: action)
    }

    /// `NAME VALUE)`, whose value may be in quotes.
    private mutating func field() throws(TextError) -> (Words, Words) {
      skipSpace()
      let name = rest.take(while: Self.isWord)
      skipSpace()
      let value: Words
      if rest.take("\"") {
        value = rest.take { $0 != UInt8(ascii: "\"") && $0 != 0x0a }
        guard rest.take("\"") else { throw error("expected a closing quote on the same line") }
      } else {
        value = rest.take(while: Self.isWord)
      }
      skipSpace()
      guard !name.isEmpty, rest.take(")") else { throw error("expected ')' after a field's value") }
      return (name, value)
    }

    private static func action(_ kind: Words, _ fields: Fields) -> Action? {
      let address = fields.number("address")
      let value = fields.number("value")
      func range() -> Range<UInt64>? {
        guard let address, let size = fields.number("size"), size > 0,
          !address.addingReportingOverflow(size).overflow
        else { return nil }
        return address..<address + size
      }
      if kind.isSame("mem-write") {
        guard let address, let value else { return nil }
        let isRelease = fields.value("mem-order")?.isSame("release") ?? false
        return .write(address, value: value, isRelease: isRelease)
      } else if kind.isSame("mem-read") {
        guard let address, let value else { return nil }
        return .read(address, value: value)
      } else if kind.isSame("mem-init") {
        return range().map(Action.initialize)
      } else if kind.isSame("mem-free") {
        return range().map(Action.free)
      } else if kind.isSame("mem-set") {
        guard let range = range(), let value else { return nil }
        return .set(range, value: value)
      } else if kind.isSame("barrier") {
        return barrier(fields).map(Action.barrier)
      } else if kind.isSame("tlbi") {
        return invalidation(fields).map(Action.invalidate)
      } else if kind.isSame("sysreg-write") || kind.isSame("msr") {
        let name = fields.value("sysreg") ?? fields.words.first
        guard let name, let value else { return nil }
        let found = Register.allCases.first { name.isSame($0.rawValue) }
        return found.map { .register($0, value: value) } ?? .other(name.prefix(40).string)
      } else if kind.isSame("hint") {
        guard let name = fields.value("kind") ?? fields.words.first, let value,
          let location = fields.number("location") ?? address,
          let hint = Hint.allCases.first(where: { name.isSame($0.rawValue) })
        else { return nil }
        return .hint(hint, location, value: value)
      } else if kind.isSame("lock") || kind.isSame("trylock") {
        return address.map(Action.lock)
      } else if kind.isSame("unlock") {
        return address.map(Action.unlock)
      } else if kind.isSame("enter-context") || kind.isSame("exit-context") {
        return .other(kind.string)
      }
      return nil
    }

    private static func barrier(_ fields: Fields) -> Barrier? {
      guard let name = fields.words.first else { return nil }
      if name.isSame("isb") { return .isb }
      guard name.isSame("dsb"), let kind = fields.value("kind") ?? fields.words.dropFirst().first
      else { return nil }
      return Barrier.allCases.first { $0 != .isb && kind.isSame($0.rawValue) }
    }

    private static func invalidation(_ fields: Fields) -> Invalidation? {
      guard let name = fields.words.first else { return nil }
      for kind in Invalidation.Kind.allCases {
        for isBroadcast in [false, true]
        where name.isSame(kind.rawValue + (isBroadcast ? "is" : "")) {
          // Older logs split the operand: an address, and the field for the level hint.
          var operand = fields.number("value") ?? 0
          if let address = fields.number("addr") {
            operand = address >> 12 & 0xfff_ffff_ffff | (fields.number("level") ?? 0) << 44
          }
          let isComplete = fields.value("value") == nil || fields.number("value") != nil
          return isComplete
            ? Invalidation(kind: kind, isBroadcast: isBroadcast, operand: operand) : nil
        }
      }
      return nil
    }
  }
}

extension Words {
  /// Whether it is a word, in any letter case.
  fileprivate func isSame(_ text: StaticString) -> Bool {
    guard text.utf8CodeUnitCount == count else { return false }
    for index in 0..<count where Self.lower(bytes[start + index]) != text.utf8Start[index] {
      return false
    }
    return true
  }

  fileprivate func isSame(_ text: String) -> Bool {
    text.utf8.count == count
      && text.utf8.enumerated().allSatisfy { Self.lower(bytes[start + $0.offset]) == $0.element }
  }

  private static func lower(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// Hexadecimal, with `0x` or without.
  fileprivate var hexNumber: UInt64? {
    var rest = self
    _ = rest.take("0x")
    guard let value = rest.takeHex(), rest.isEmpty else { return nil }
    return value
  }

  fileprivate var decimalNumber: UInt64? {
    var rest = self
    guard let value = rest.takeDecimal(), rest.isEmpty else { return nil }
    return value
  }
}
