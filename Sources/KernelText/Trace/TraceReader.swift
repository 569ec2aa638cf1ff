import Glibc

/// Reads ftrace text in its common forms: `trace` and `trace_pipe` of tracefs with any
/// options, latency and verbose format, `trace-cmd report` with `-t`, `-l`, `-R` and several files, `perf
/// script`, the hypervisor's remote trace, and what a script of bpftrace prints.
///
/// A line has a time, followed by a colon and a blank, then the event's name. The text before the time, which
/// may contain any task name, is parsed only if the event is relevant. A line that begins with
/// the name of a relevant event needs no time.
package struct TraceReader {
  /// A summary of the texts read.
  package struct Summary: Equatable, Sendable {
    /// Number of lines that are neither comments nor empty.
    package var lines = 0
    /// Number of lines with relevant events.
    package var events = 0
    /// Lines that are not trace lines, or garbled.
    package var skipped = SkippedLines()
    /// Number of events that the kernel reports lost; a line without a number counts as one.
    package var lost: UInt64 = 0
  }

  /// The summary so far.
  package private(set) var summary = Summary()
  private let names = NameTable(
    TraceEvent.Fact.Kind.allCases.flatMap { kind in kind.names.map { ($0, kind) } })

  /// A reader that has read nothing.
  package init() {}

  /// Maximum length of a line in bytes; the rest of a longer one is not an event.
  package static let lineAtMost = 1 << 16

  /// Reads a text, and passes each relevant event to `body`, in the order of the lines.
  package mutating func read(_ bytes: [UInt8], _ body: (TraceEvent) -> Void) {
    read(bytes) { event, _ in body(event) }
  }

  /// The same, with where in the bytes the event's line begins.
  package mutating func read(_ bytes: [UInt8], _ body: (TraceEvent, _ offset: Int) -> Void) {
    bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      var start = 0
      var number = 0
      while start < buffer.count {
        let found = memchr(base + start, 0x0a, buffer.count - start)
        let end =
          found.map { base.distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? buffer.count
        number += 1
        read(Words(buffer, start..<end), number) { body($0, start) }
        start = end + 1
      }
    }
  }

  /// Reads the event of one line again, by where it begins and its number; nil if it is none. Counts nothing.
  package func event(at offset: Int, line number: Int, in bytes: [UInt8]) -> TraceEvent? {
    bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress, buffer.indices.contains(offset) else { return nil }
      let found = memchr(base + offset, 0x0a, buffer.count - offset)
      let end =
        found.map { base.distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? buffer.count
      var event: TraceEvent?
      var reader = self
      reader.read(Words(buffer, offset..<end), number) { event = $0 }
      return event
    }
  }

  /// Whether a text looks like a trace: some of its first lines have a time and an event.
  package static func accepts(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { buffer in
      let reader = TraceReader()
      var lines = Lines(buffer)
      var seen = 0
      while let line = lines.next(), seen < 64 {
        if line.hasPrefix("# tracer:") { return true }
        if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
        if line.hasPrefix("cpus=") { continue }
        seen += 1
        guard let (time, name, _) = event(line) ?? reader.untimed(line) else { continue }
        if time.start == line.start {
          // Many texts begin with a number; but not with one of ours behind.
          if reader.names[name] != nil { return true }
        } else if name.count > 1, line.bytes[time.start - 1] != UInt8(ascii: "[") {
          // A kernel log also has times, but in brackets.
          return true
        }
      }
      return false
    }
  }

  @inline(__always)
  private mutating func read(_ line: Words, _ number: Int, _ body: (TraceEvent) -> Void) {
    if line.isEmpty { return }
    if line.first == UInt8(ascii: "#") { return note(comment: line) }
    if line.count > Self.lineAtMost {
      summary.lines += 1
      return summary.skipped.add(number, "a line of more than \(Self.lineAtMost) bytes")
    }
    guard let found = Self.event(line) ?? untimed(line) else { return note(other: line, number) }
    summary.lines += 1
    let (time, name) = (found.time, found.name)
    var text = found.text
    if name.isEmpty {
      return summary.skipped.add(number, "expected the name of an event after the time")
    }
    let isCall = text.take(":") && Self.isProbe(text)
    guard let kind = isCall ? .call : names[name] else { return }
    text.skipBlanks()
    text.trimEnd()
    switch TraceEvent.Fact.read(kind, name, text) {
    case .nothing: break
    case .garbled:
      summary.skipped.add(number, "the text of \(name.string) is not as the kernel prints it")
    case .fact(let fact):
      summary.events += 1
      let head = Words(line.bytes, line.start..<time.start)
      let (task, cpu) = Self.origin(head)
      body(TraceEvent(line: number, time: Self.time(time), task: task, cpu: cpu, fact: fact))
    }
  }

  /// Takes the name of an event from the front of what stands behind a time.
  @inline(__always)
  private static func takeName(_ text: inout Words) -> Words {
    text.skipBlanks()
    var name = text.take(while: Words.isName)
    if text.first.map(Words.isBlank) ?? false, name.isDecimal {
      // perf may put the period between.
      text.skipBlanks()
      name = text.take(while: Words.isName)
    }
    if text[0] == UInt8(ascii: ":"), let next = text[1], Words.isName(next) {
      // perf names the system before the event.
      _ = text.takeByte()
      name = text.take(while: Words.isName)
    }
    return name
  }

  /// A line without a time, which is empty then: it begins with an event's name, or perf's `SYSTEM:NAME:` stands in
  /// it, and values follow.
  private func untimed(_ line: Words) -> (time: Words, name: Words, text: Words)? {
    var rest = line
    rest.skipBlanks()
    let name = rest.take(while: Words.isName)
    if rest.first == UInt8(ascii: ":"), names[name] != nil, rest.after("=") != nil {
      return (line.prefix(0), name, rest)
    }
    rest = line
    var before = line.prefix(0)
    while case let word = rest.takeWord(), !word.isEmpty {
      defer { before = word }
      guard word.last == UInt8(ascii: ":") else { continue }
      var event = word
      guard !event.take(while: Words.isName).isEmpty, event.take(":") else { continue }
      let name = event.take(while: Words.isName)
      guard event == ":", !name.isEmpty, names[name] != nil || Self.isProbe(rest) || before.isCPU
      else { continue }
      var text = Words(line.bytes, word.start..<line.end)
      let time = text.prefix(0)
      return (time, Self.takeName(&text), text)
    }
    return nil
  }

  /// Whether the text after an event's name is a kprobe's: `(symbol+0x...`.
  private static func isProbe(_ text: Words) -> Bool { text[0] == 0x20 && text[1] == 0x28 }

  private mutating func note(comment line: Words) {
    if let lost = line.after("[LOST ") { return add(lost) }
    // What was overwritten in the buffer is told in the header alone (`print_event_info`).
    guard var counts = line.after("entries-in-buffer/entries-written: "),
      let kept = counts.takeDecimal(), let slash = counts.after("/")
    else { return }
    counts = slash
    if let written = counts.takeDecimal(), written > kept { summary.lost += written - kept }
  }

  private mutating func add(_ lost: Words) {
    var rest = lost
    summary.lost += rest.takeDecimal() ?? 1
  }

  /// Handles lines of tracefs and `trace-cmd` that are not events.
  private mutating func note(other line: Words, _ number: Int) {
    var rest = line
    rest.skipBlanks()
    rest.trimEnd()
    if rest.isEmpty || rest.hasPrefix("cpus=") || rest.hasPrefix("version = ")
      || rest.hasPrefix("Attaching ")
    {
      return
    }
    if let lost = rest.after("[LOST ") { return add(lost) }
    if rest.hasPrefix("CPU") || rest.after(": cpus=") != nil {
      if rest.after("is empty") != nil || rest.after("cpus=") != nil { return }
      if rest.after("EVENTS DROPPED") != nil { return add(rest) }
    }
    summary.lines += 1
    summary.skipped.add(number, "expected a time and an event, as 812.004511: kvm_guest_fault: ...")
  }

  /// Finds the time of a line, and the rest after it: at the first colon and blank that end a time, and have a name
  /// behind. A task's name may look like a time, too.
  @inline(__always)
  private static func event(_ line: Words) -> (time: Words, name: Words, text: Words)? {
    guard let base = line.bytes.baseAddress else { return nil }
    var from = line.start
    var nameless: (time: Words, name: Words, text: Words)?
    while from < line.end, let found = memchr(base + from, 0x3a, line.end - from) {
      let colon = base.distance(to: found.assumingMemoryBound(to: UInt8.self))
      from = colon + 1
      guard from < line.end, Words.isBlank(line.bytes[from]) else { continue }
      if let start = startOfTime(line, endingAt: colon) {
        var text = Words(line.bytes, from..<line.end)
        let name = takeName(&text)
        let found = (Words(line.bytes, start..<colon), name, text)
        guard let next = text.first, next != UInt8(ascii: ":"), !Words.isBlank(next) else {
          return found
        }
        nameless = nameless ?? found
      }
    }
    return nameless
  }

  /// Start of a time that ends at a colon: digits, with a point or without; `4us+`; `(+0.012ms)`.
  private static func startOfTime(_ line: Words, endingAt colon: Int) -> Int? {
    var end = colon
    let bytes = line.bytes
    guard end > line.start else { return nil }
    if !Words.isDigit(bytes[end - 1]) {
      // A sign of a long delay, or a blank, after the microseconds.
      if end - 3 > line.start, bytes[end - 2] == 0x73, bytes[end - 3] == 0x75 {
        end -= 3
      } else if bytes[end - 1] == UInt8(ascii: ")"), end - 4 > line.start, bytes[end - 2] == 0x73,
        bytes[end - 3] == 0x6d
      {
        // The verbose form: the time since the start, and in parentheses since the line before.
        var place = end - 1
        while place > line.start, bytes[place] != UInt8(ascii: "(") { place -= 1 }
        while place > line.start, Words.isBlank(bytes[place - 1]) { place -= 1 }
        guard place - 2 > line.start, bytes[place - 1] == 0x73, bytes[place - 2] == 0x6d else {
          return nil
        }
        end = place - 2
      } else {
        return nil
      }
    }
    var start = end
    var points = 0
    while start > line.start, Words.isDigit(bytes[start - 1]) || bytes[start - 1] == 0x2e {
      if bytes[start - 1] == 0x2e { points += 1 }
      start -= 1
    }
    guard start < end, points < 2, bytes[start] != 0x2e, bytes[end - 1] != 0x2e else { return nil }
    return start == line.start || Words.isBlank(bytes[start - 1]) ? start : nil
  }

  private static func time(_ words: Words) -> TraceEvent.Time? {
    var rest = words
    guard let whole = rest.takeDecimal() else { return nil }
    guard rest.take(".") else {
      return rest.hasPrefix("us") ? nanoseconds(whole, 1000) : .ticks(whole)
    }
    let digits = rest.take(while: Words.isDigit)
    guard digits.count <= 9, let fraction = digits.number else { return nil }
    let scale = (0..<9 - digits.count).reduce(UInt64(1)) { value, _ in value * 10 }
    // Seconds, or the milliseconds of the verbose form.
    let isMilliseconds = rest.hasPrefix("ms")
    let (base, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return nil }
    let (sum, tooLarge) = base.addingReportingOverflow(fraction * scale)
    return tooLarge ? nil : .nanoseconds(isMilliseconds ? sum / 1000 : sum)
  }

  private static func nanoseconds(_ value: UInt64, _ unit: UInt64) -> TraceEvent.Time? {
    let (product, overflow) = value.multipliedReportingOverflow(by: unit)
    return overflow ? nil : .nanoseconds(product)
  }

  /// The task and the CPU, from the text before the time. A task's name may contain anything, so parse
  /// from the right.
  private static func origin(_ head: Words) -> (task: Int?, cpu: Int?) {
    var rest = head
    let last = rest.takeLastWord()
    if last.count == 10, last.isEnclosed("[", "]"), let found = verboseOrigin(rest) { return found }
    // After the CPU there may be flags, and nothing else.
    let flags = last.isEnclosed("[", "]") ? nil : last
    let place = flags == nil ? last : rest.takeLastWord()
    if place.isEnclosed("[", "]") {
      guard let cpu = place.dropFirst(1).prefix(place.count - 2).number, cpu < 1 << 20 else {
        return (nil, nil)
      }
      // A group's number may stand between, in parentheses.
      var task = rest.takeLastWord()
      while task.last == UInt8(ascii: ")") || task.first == UInt8(ascii: "(") {
        task = rest.takeLastWord()
      }
      return (trailingNumber(task), Int(cpu))
    }
    // The latency form: the CPU, with flags glued to it, after the task.
    guard var digits = flags, !place.isEmpty else { return (nil, nil) }
    let cpu = digits.takeDecimal()
    return (trailingNumber(place), cpu.flatMap { Int(exactly: $0) })
  }

  /// `comm pid cpu flags preempt index`, which stands before the stamp of the verbose form.
  private static func verboseOrigin(_ head: Words) -> (task: Int?, cpu: Int?)? {
    var rest = head
    for _ in 0..<3 { _ = rest.takeLastWord() }
    guard let cpu = rest.takeLastWord().number, let task = rest.takeLastWord().number,
      !rest.takeLastWord().isEmpty
    else { return nil }
    return (Int(exactly: task), Int(exactly: cpu))
  }

  /// The number after a task's name: `CPU 0/KVM-2101`, or a word of its own.
  private static func trailingNumber(_ word: Words) -> Int? {
    var start = word.end
    while start > word.start, Words.isDigit(word.bytes[start - 1]) { start -= 1 }
    let digits = Words(word.bytes, start..<word.end)
    guard digits.count <= 10 else { return nil }
    return digits.number.flatMap { Int(exactly: $0) }
  }
}
