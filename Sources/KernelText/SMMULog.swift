import Engine

/// An event recorded by an SMMUv3, as its driver wrote it to the kernel log.
package struct SMMULogEvent: Equatable, Sendable {
  /// The purpose of the translation.
  package enum TableClass: UInt8, Sendable {
    case contextDescriptor, table, input, reserved

    /// The driver's words, which the text of an event has in quotes.
    static let words: [StaticString] = [
      "CD fetch", "Stage 1 translation table fetch", "Input address caused fault", "Reserved",
    ]
  }

  /// Number of its first line, from 1.
  package var line: Int
  /// Time in the log, in nanoseconds, if it has one.
  package var nanoseconds: UInt64?
  /// The kind of event: 0x10 for F_TRANSLATION.
  package var id: UInt8
  /// The StreamID.
  package var streamID: UInt32
  /// The device's name, if the kernel names it.
  package var device: String?
  /// The device's input address; nil for an event without an address.
  package var address: UInt64?
  /// The input address of stage 2.
  package var canonical: UInt64?
  /// Whether it was a write, if known.
  package var isWrite: Bool?
  /// Whether stage 2 failed, if known.
  package var isStage2: Bool?
  /// Whether the transaction is stalled.
  package var isStalled: Bool?
  /// The purpose of the address.
  package var tableClass: TableClass?
  /// The raw record, if complete.
  package var record: [UInt64]
  /// Whether the line with words was read.
  fileprivate var hasWords = false

  /// What tells it from all other events of a log; nil without a time.
  package var identity: [UInt64]? {
    nanoseconds.map { [$0, UInt64(id), UInt64(streamID), address ?? .max] + record }
  }

  /// The kind of fault, if the model has it.
  package var fault: DeviceFault? { DeviceFault(rawValue: id) }
}

/// Reads the lines that `arm-smmu-v3` writes for its events: the raw record, and the lines with words that
/// newer kernels add. Any prefix of dmesg, syslog or journalctl is allowed.
package enum SMMULog {
  /// Maximum number of events read.
  package static let eventsAtMost = 1 << 20

  /// The events of a log, in order. Other lines are skipped.
  package static func events(_ bytes: [UInt8]) -> [SMMULogEvent] {
    bytes.withUnsafeBufferPointer { buffer in
      var parser = Parser()
      var lines = Lines(buffer)
      while let line = lines.next(), parser.events.count < eventsAtMost {
        guard let rest = line.after("arm-smmu-v3 ") else { continue }
        let prefix = Words(buffer, line.start..<rest.start - 12)
        parser.add(rest, prefix, lines.number)
      }
      return parser.finish()
    }
  }

  /// Whether a text contains such an event.
  package static func accepts(_ bytes: [UInt8]) -> Bool { !events(bytes).isEmpty }

  private struct Parser {
    private(set) var events: [SMMULogEvent] = []
    /// The event that each SMMU writes, by the instance's name: lines of two may alternate.
    private var opened: [String: SMMULogEvent] = [:]
    /// Those of the line that is read.
    private var instance = ""
    private var open: SMMULogEvent? {
      get { opened[instance] }
      _modify { yield &opened[instance] }
    }

    private mutating func close() {
      guard var event = open else { return }
      open = nil
      if event.record.count == 4 { Self.decode(&event) }
      events.append(event)
    }

    /// All events, in the order of their first lines.
    mutating func finish() -> [SMMULogEvent] {
      for name in opened.keys.sorted() {
        instance = name
        close()
      }
      return events.sorted { $0.line < $1.line }
    }

    mutating func add(_ line: Words, _ prefix: Words, _ number: Int) {
      // The instance's name ends with a colon and a blank.
      guard var text = line.after(": ") else { return }
      instance = line.prefix(line.count - text.count - 2).string
      text.trimEnd()
      // So /dev/kmsg, rsyslog and JSON write the tab before a word of the record; journalctl writes blanks.
      for tab: StaticString in ["\\x09", "#011", "\\t"] where text.take(tab) {}
      text.skipBlanks()
      if text.hasPrefix("event 0x") {
        close()
        var rest = text.dropFirst(8)
        guard let id = rest.takeHex(), id < 256 else { return }
        open = Self.event(UInt8(id), number, prefix)
      } else if text.hasPrefix("0x") {
        var rest = text
        guard rest.take("0x"), let word = rest.takeHex(), open != nil else { return }
        if let count = open?.record.count, count < 4 { open?.record.append(word) }
      } else if text.hasPrefix("event: ") {
        addWords(text, number, prefix)
      } else if text.after("stag: ") != nil {
        addClass(text)
      }
    }

    private static func event(_ id: UInt8, _ number: Int, _ prefix: Words) -> SMMULogEvent {
      SMMULogEvent(
        line: number, nanoseconds: time(prefix), id: id, streamID: 0, device: nil, address: nil,
        canonical: nil, isWrite: nil, isStage2: nil, isStalled: nil, tableClass: nil, record: [])
    }

    /// `event: F_TRANSLATION client: 0000:00:01.0 sid: 0x8 ssid: 0x0 iova: 0x40000000 ipa: 0x0`
    private mutating func addWords(_ text: Words, _ number: Int, _ prefix: Words) {
      var rest = text.dropFirst(7)
      let name = rest.takeWord().string
      if open?.hasWords == true { close() }
      if open == nil {
        let id = DeviceFault.allCases.first { $0.name == name }?.rawValue
        guard let id else { return }
        open = Self.event(id, number, prefix)
      }
      open?.hasWords = true
      func value(_ key: StaticString) -> UInt64? {
        guard var found = text.after(key) else { return nil }
        return found.takeNumber()
      }
      if var client = text.after(" client: ") {
        let word = client.takeWord()
        // The kernel writes this if it knows no device.
        if word.first != UInt8(ascii: "(") { open?.device = word.string }
      }
      open?.streamID = UInt32(truncatingIfNeeded: value(" sid: ") ?? 0)
      open?.address = value(" iova: ")
      open?.canonical = value(" ipa: ")
    }

    /// `unpriv data write s2 "Input address caused fault" stag: 0x0`
    private mutating func addClass(_ text: Words) {
      guard open != nil else { return }
      if text.after(" write ") != nil { open?.isWrite = true }
      if text.after(" read ") != nil { open?.isWrite = false }
      if text.after(" s2 ") != nil { open?.isStage2 = true }
      if text.after(" s1 ") != nil { open?.isStage2 = false }
      open?.isStalled = text.after(" stall ") != nil
      let found = SMMULogEvent.TableClass.words.firstIndex { text.after($0) != nil }
      open?.tableClass = found.flatMap { SMMULogEvent.TableClass(rawValue: UInt8($0)) }
    }

    /// Decodes the record (Arm IHI 0070, 7.3), which takes precedence over the words, which may be cut.
    private static func decode(_ event: inout SMMULogEvent) {
      let record = event.record
      event.id = UInt8(truncatingIfNeeded: record[0])
      event.streamID = UInt32(truncatingIfNeeded: record[0] >> 32)
      switch event.fault {
      case .translation, .addressSize, .accessFlag, .permission:
        event.address = record[2]
        event.canonical = record[3] & 0xf_ffff_ffff_f000
        event.isWrite = record[1] >> 35 & 1 == 0
        event.isStage2 = record[1] >> 39 & 1 != 0
        event.isStalled = record[1] >> 31 & 1 != 0
        event.tableClass = SMMULogEvent.TableClass(rawValue: UInt8(record[1] >> 40 & 3))
      default: break
      }
    }

    /// The time in brackets of the prefix, `[  812.004511]`, beside which there may be others with the task or the CPU;
    /// or as /dev/kmsg has it, `3,1234,812004511,-;`.
    private static func time(_ prefix: Words) -> UInt64? {
      var rest = prefix
      while let found = rest.after("[") {
        rest = found
        var inside = found
        inside.skipBlanks()
        guard let seconds = inside.takeDecimal(), inside.take(".") else { continue }
        let digits = inside.take(while: Words.isDigit)
        guard digits.count == 6, let micros = digits.number, seconds < 1 << 33 else { continue }
        return seconds * 1_000_000_000 + micros * 1000
      }
      rest = prefix
      guard rest.takeDecimal() != nil, rest.take(","), rest.takeDecimal() != nil, rest.take(","),
        let micros = rest.takeDecimal(), micros < 1 << 50, rest.take(",")
      else { return nil }
      return micros * 1000
    }
  }
}
