import Engine
import KernelText
import Language
import Observation

/// A recording of a real kernel as a scenario: its calls become statements, each with the line that it came
/// from behind it.
///
/// What a recording does not say is not invented. Where the model decides what the kernel decided for itself,
/// as what a notifier takes from the shadows, is said by `Unmaps`.
package struct RecordedScenario: Sendable {
  /// Who decides what goes of the shadows.
  package enum Unmaps: Sendable {
    /// The recording, call by call.
    case observed
    /// The model, under a policy: the tables of the recording are held against it.
    case predicted(ReverseMapVersion)
  }

  /// What is known of the lines that were read.
  package struct Summary: Sendable {
    /// Events that became statements, and those that are told as comments only.
    package var statements = 0, comments = 0
    package var lines = 0
    package var lost: UInt64 = 0
    /// Lines that are no events, in all files, and the first of them with their places.
    package var skipped = 0
    package var firstSkipped: [String] = []
    /// What cannot be known, in sentences.
    package var unknowns: [String] = []

    package init() {}
  }

  /// The scenario's text.
  package private(set) var text = ""
  package private(set) var summary = Summary()
  private let unmaps: Unmaps
  private var tables = RecordedTables()
  private var contexts: [Int: ObservedTable.Context] = [:]
  private var cause = Cause.none
  private var notedUnknowns: Set<String> = []

  /// The canonical IPA that a reverse map records for the map call at hand.
  private var recordedPage: UInt64?

  /// Who made the calls that follow, until the next that nobody called.
  private enum Cause: Equatable {
    case none
    /// Canonical memory goes; whether that of the shadows has been told, and of a slot, whether its range was.
    case take(isMemslot: Bool, isTold: Bool)
    case emptied(Set<Int>)
    case invalidation(shadow: Int)
  }

  /// - Parameters:
  ///   - chapters: the moments at which tables were read, in their order.
  ///   - title: what the scenario is about.
  package init(_ chapters: [RecordedChapter], title: String, unmaps: Unmaps) {
    self.unmaps = unmaps
    let events = chapters.map { Self.events(of: $0, &summary) }
    let logs = chapters.map(Self.logged)
    writeHead(chapters, events, title, hasLogs: logs.contains { !$0.isEmpty })
    for (index, chapter) in chapters.enumerated() {
      let context = ContextPlan(chapter, contexts, events[index], tables)
      write(chapter, events[index], logs[index], context)
    }
  }

  /// An event with the file that it is from.
  struct Located {
    let file: String
    let event: TraceEvent
  }

  /// The events of a chapter in the order of time; of those without a time, in that of the files.
  private static func events(of chapter: RecordedChapter, _ summary: inout Summary) -> [Located] {
    var found: [(time: UInt64, located: Located)] = []
    for trace in chapter.traces {
      var reader = TraceReader()
      var last: UInt64 = 0
      reader.read(trace.bytes) { event in
        switch event.time {
        case .nanoseconds(let time), .ticks(let time): last = max(last, time)
        case nil: break
        }
        found.append((last, Located(file: trace.name, event: event)))
      }
      summary.lines += reader.summary.lines
      summary.lost += reader.summary.lost
      summary.skipped += reader.summary.skipped.count
      summary.firstSkipped += reader.summary.skipped.first.map { "\(trace.name):\($0)" }
    }
    summary.firstSkipped = Array(summary.firstSkipped.prefix(3))
    // A stable order: what has one time stays as it was.
    return found.enumerated().sorted {
      ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
    }.map(\.element.located)
  }

  private static func logged(in chapter: RecordedChapter) -> [(file: String, event: SMMULogEvent)] {
    chapter.logs.flatMap { log in SMMULog.events(log.bytes).map { (log.name, $0) } }
  }

  private mutating func writeHead(
    _ chapters: [RecordedChapter], _ events: [[Located]], _ title: String, hasLogs: Bool
  ) {
    var shadows = chapters.flatMap { $0.shadows.keys.map { $0 + 1 } }.max() ?? 0
    var made = -1
    var hasDevices = hasLogs
    for located in events.joined() {
      switch located.event.fact {
      case .call(let call) where call.function == .initTable: made += 1
      case .iommuMap, .iommuUnmap, .ioPageFault: hasDevices = true
      case .call(let call) where call.function == .iommuMap: hasDevices = true
      default: break
      }
    }
    shadows = max(shadows, made)
    let vcpus = min(VMConfiguration.vcpusRange.upperBound, max(1, (shadows + 1) / 2))
    let bits = chapters.lazy.compactMap(\.inputBits).first
    if bits == nil, !hasDevices { note("the size of the IPA space, taken to be 40 bits") }
    add("pagewalk 1")
    add("title \(quoted(title))")
    add(
      "vm ipa=\(bits ?? 40) vcpus=\(vcpus)\(shadows > 0 ? " nested=on" : "") recorded=on")
    if case .predicted(let version) = unmaps, version != .none {
      add("policy revmap=\(version.rawValue)")
    }
    hasProbedIOMMU = !events.joined().contains {
      if case .iommuMap = $0.event.fact { true } else { false }
    }
    if hasLogs { add("iommu attach") }
  }

  /// Whether the IOMMU's calls are all that there is of it.
  private var hasProbedIOMMU = false

  private mutating func write(
    _ chapter: RecordedChapter, _ events: [Located],
    _ logged: [(file: String, event: SMMULogEvent)], _ plan: ContextPlan
  ) {
    add("")
    var plan = plan
    var faults = logged[...]
    let pages = tables.recordedPages(events)
    for (index, located) in events.enumerated() {
      while let fault = faults.first, let time = fault.event.nanoseconds,
        case .nanoseconds(let now) = located.event.time, time < now
      {
        write(fault.event, fault.file)
        faults.removeFirst()
      }
      for context in plan.take(before: index) { write(context, chapter) }
      recordedPage = pages[index]
      write(located)
    }
    for fault in faults { write(fault.event, fault.file) }
    for context in plan.takeRest() { write(context, chapter) }
    add("chapter \(chapter.label)\(chapter.title.map { " \(quoted($0))" } ?? "")")
  }

  private mutating func write(
    _ context: (shadow: Int, context: ObservedTable.Context), _ chapter: RecordedChapter
  ) {
    let call = RecordedCall.context(
      .shadow(context.shadow), vttbr: context.context.vttbr, vtcr: context.context.vtcr,
      stage2Enabled: context.context.stage2Enabled)
    // The sweep that empties it for the new context is part of the statement.
    justGiven = contexts[context.shadow] == nil ? nil : context.shadow
    contexts[context.shadow] = context.context
    add(Event.recorded(call), "known from the dump of \(chapter.label)")
  }

  private mutating func write(_ event: SMMULogEvent, _ file: String) {
    let place = "\(file):\(event.line)"
    guard let address = event.address, let isWrite = event.isWrite else {
      summary.comments += 1
      return add(
        "# \(place) event 0x\(hex(UInt64(event.id))) of stream 0x\(hex(UInt64(event.streamID)))")
    }
    add(
      .dma(device: 0, address, write: isWrite),
      "\(place) stream 0x\(hex(UInt64(event.streamID)))\(event.isStalled == true ? ", stalled" : "")"
    )
    switch event.fault {
    case .translation: add("expect dma fault=translation")
    case .addressSize: add("expect dma fault=size")
    case .accessFlag: add("expect dma fault=access")
    case .permission: add("expect dma fault=permission")
    case .granule, .rmp, .badStreamEntry, .conflict, nil: break
    }
  }

  private mutating func write(_ located: Located) {
    let place = "\(located.file):\(located.event.line)"
    switch located.event.fact {
    case .call(let call): write(call, place)
    case .iommuMap(let range, let physical):
      let write = permissions[range.lowerBound] ?? true
      if permissions[range.lowerBound] == nil { note("permissions of the IOMMU's leaves") }
      add(.iommu(device: 0, .map(range, to: physical, write: write)), place)
    case .iommuUnmap(let range, let unmapped):
      add(.iommu(device: 0, .unmap(range)), place)
      if unmapped < range.size {
        add("# of these \(Phrase.size(range.size)) the kernel unmapped \(Phrase.size(unmapped))")
      }
    case .ioPageFault(let address, let isWrite):
      add(.dma(device: 0, address, write: isWrite), place)
    case .guestFault(let address, let syndrome, _):
      comment(place, "a guest faults at IPA 0x\(hex(address)), ESR 0x\(hex(syndrome))")
    case .accessFault(let address): comment(place, "an access flag fault at 0x\(hex(address))")
    case .nestedReturn: comment(place, "L1 returns to L2")
    case .injectNested(let syndrome): comment(place, "L1 is given ESR 0x\(hex(syndrome))")
    case .invalidate(let name): comment(place, "L1 executes a TLBI (\(name)), operand not told")
    case .unmapHostRange(let range):
      comment(
        place,
        "the notifier takes \(Phrase.size(range.size)) at VMM address 0x\(hex(range.lowerBound))")
    case .ageHostRange(let range):
      comment(
        place,
        "the notifier ages \(Phrase.size(range.size)) at VMM address 0x\(hex(range.lowerBound))")
    case .testAgeHost(let address):
      comment(place, "the age of VMM address 0x\(hex(address)) is asked for")
    case .memoryAttributes(let range, let attributes):
      comment(
        place,
        "\(Phrase.size(range.size)) at IPA 0x\(hex(range.lowerBound)) get attributes 0x\(hex(attributes))"
      )
    case .hostAbort(let address, let syndrome):
      comment(place, "pKVM's host faults at 0x\(hex(address)), ESR 0x\(hex(syndrome))")
    }
  }

  /// What the IOMMU's leaves permit by the calls of its page table, until the event that reports them.
  private var permissions: [UInt64: Bool] = [:]

  private mutating func write(_ call: KernelCall, _ place: String) {
    let arguments = call.arguments
    let id = tables.table(of: call)
    switch call.function {
    case .initTable: tables.add(call)
    case .map:
      guard let id = id ?? tables.guess(call), let address = arguments.address,
        let size = arguments.size, let physical = arguments.physical,
        let range = Self.range(address, size)
      else { return unknown(call, place) }
      cause = .none
      let protection = arguments.protection ?? 0xf
      add(
        .recorded(
          .map(
            id, range, to: physical, Self.permissions(protection),
            guestLevel: Int(protection >> 55 & 3), canonical: recordedPage)), place)
    case .relax:
      guard let id, let address = arguments.address else { return unknown(call, place) }
      cause = .none
      let permissions = Self.permissions(arguments.protection ?? 0)
      add(.recorded(.relax(id, address & ~4095, permissions)), place)
    case .notifierUnmap:
      guard let address = arguments.address, let end = arguments.end, address < end else {
        return unknown(call, place)
      }
      take(address..<end, isMemslot: false, place)
      cause = .take(isMemslot: false, isTold: false)
    case .flushMemslot: cause = .take(isMemslot: true, isTold: false)
    case .nestedUnmap: nestedUnmap(place)
    case .unmapCanonical, .recordReverseMap, .forgetReverseMap, .resetReverseMap, .commitMemslot,
      .nestedWriteProtect:
      break
    case .unmapRange: unmap(call, id, place)
    case .tlbiAddress:
      guard case .shadow(let number) = id, let value = arguments.value else {
        return unknown(call, place)
      }
      cause = .invalidation(shadow: number)
      guard isPredicted else { return }
      let address = value << 12 & 0xffff_ffff_f000
      add(
        .recorded(
          .invalidate(.shadow(number), address, ttl: UInt8(truncatingIfNeeded: value >> 44 & 15))),
        place)
    case .tlbiRange:
      guard case .shadow(let number) = id, let start = arguments.address,
        let range = Self.range(start, arguments.size ?? 0)
      else { return unknown(call, place) }
      cause = .invalidation(shadow: number)
      if isPredicted { add(.recorded(.invalidateRange(.shadow(number), range)), place) }
    case .writeProtectRange:
      // Those of shadows follow from it.
      guard id == .canonical, let address = arguments.address, let end = arguments.end,
        address < end
      else { return }
      cause = .none
      add(.recorded(.writeProtect(address..<end)), place)
    case .split:
      guard let address = arguments.address, let range = Self.range(address, arguments.size ?? 0)
      else { return unknown(call, place) }
      cause = .none
      add(.recorded(.split(range)), place)
    case .testClearYoung:
      guard let address = arguments.address, let range = Self.range(address, arguments.size ?? 0)
      else { return unknown(call, place) }
      cause = .none
      if arguments.value == 1 { add(.recorded(.age(range)), place) }
    case .iommuMap, .iommuUnmap: write(iommu: call, place)
    case .walkNested where !call.isReturn:
      comment(place, "L1's table is walked for nested IPA 0x\(hex(arguments.address ?? 0))")
    case .injectFault:
      comment(place, "L1 is given a stage-2 fault, ESR 0x\(hex(arguments.value ?? 0))")
    case .walkNested, .notifierAge, .other: break
    case .protectedMap, .protectedUnmap:
      comment(place, "\(call.function.phrase): 0x\(hex(arguments.address ?? 0))")
    }
  }

  private var isPredicted: Bool {
    if case .predicted = unmaps { true } else { false }
  }

  private mutating func write(iommu call: KernelCall, _ place: String) {
    guard let address = call.arguments.address,
      let range = Self.range(address, call.arguments.size ?? 0)
    else { return unknown(call, place) }
    let isWritable = (call.arguments.protection ?? 3) & 2 != 0
    guard hasProbedIOMMU else {
      if call.function == .iommuMap { permissions[address] = isWritable }
      return
    }
    if call.function == .iommuUnmap {
      add(.iommu(device: 0, .unmap(range)), place)
    } else if let physical = call.arguments.physical {
      add(.iommu(device: 0, .map(range, to: physical, write: isWritable)), place)
    }
  }

  /// Canonical memory goes. The kernel unmaps it from the canonical table by itself; only the model can say
  /// by itself what goes of the shadows.
  private mutating func take(_ range: Range<UInt64>, isMemslot: Bool, _ place: String) {
    add(
      .recorded(isPredicted ? .take(range, isMemslot: isMemslot) : .unmap(.canonical, range)),
      place)
  }

  private mutating func nestedUnmap(_ place: String) {
    if case .take(let isMemslot, false) = cause {
      cause = isMemslot ? .take(isMemslot: true, isTold: true) : .emptied([])
      return
    }
    cause = .emptied([])
    if isPredicted { add(.recorded(.emptyShadows), place) }
  }

  private mutating func unmap(_ call: KernelCall, _ id: TableID?, _ place: String) {
    guard let id, let start = call.arguments.address,
      let range = Self.range(start, call.arguments.size ?? 0)
    else { return unknown(call, place) }
    if id == .canonical {
      if case .take(isMemslot: true, _) = cause {
        take(range, isMemslot: true, place)
        return
      }
      cause = .none
      return add(.recorded(.unmap(.canonical, range)), place)
    }
    guard case .shadow(let number) = id else { return }
    let isExplained: Bool
    switch cause {
    case .none: isExplained = false
    case .take: isExplained = true
    case .emptied(var done):
      isExplained = done.insert(number).inserted
      cause = .emptied(done)
    case .invalidation(let shadow): isExplained = shadow == number
    }
    if isExplained, isPredicted {
      if case .invalidation = cause { cause = .none }
      return
    }
    if !isExplained { cause = .none }
    // A shadow that another context gets was emptied with it.
    if justGiven == number {
      justGiven = nil
      return
    }
    add(.recorded(.unmap(id, range)), place)
  }

  /// The shadow that has just been given another context, whose sweep follows.
  private var justGiven: Int?

  private static func range(_ start: UInt64, _ size: UInt64) -> Range<UInt64>? {
    let (end, overflow) = start.addingReportingOverflow(size)
    return overflow || size == 0 ? nil : start..<end
  }

  /// The kernel's `enum kvm_pgtable_prot`: PX, UX, W and R in bits 0 to 3.
  private static func permissions(_ protection: UInt64) -> Permissions {
    Permissions(
      read: protection & 8 != 0, write: protection & 4 != 0,
      executeNever: [2, 3, 1, 0][Int(protection & 3)])
  }

  private mutating func unknown(_ call: KernelCall, _ place: String) {
    note("tables and arguments of some calls, which are comments")
    comment(place, "\(call.function.phrase), of which table or where is not told")
  }

  private mutating func note(_ what: String) {
    if notedUnknowns.insert(what).inserted { summary.unknowns.append(what) }
  }

  private mutating func comment(_ place: String, _ text: String) {
    summary.comments += 1
    add("# \(place) \(text)")
  }

  private mutating func add(_ event: Event, _ place: String) {
    summary.statements += 1
    add("\(event.statement)  # \(safe(place))")
  }

  private mutating func add(_ line: String) { text += line + "\n" }

  /// A place as part of a line: names of files may hold anything.
  private func safe(_ text: String) -> String {
    // Nearly all are fit as they are.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) { return text }
    return String(
      text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) })
  }

  private func quoted(_ text: String) -> String {
    "\"\(safe(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }
}

/// Which tables the pointers of calls mean: they are known by the order in which the tables are made.
struct RecordedTables {
  private var tables: [UInt64: TableID] = [:]
  private var count = 0

  mutating func add(_ call: KernelCall) {
    let id = count == 0 ? TableID.canonical : .shadow(count - 1)
    for pointer in [call.arguments.table, call.arguments.context].compactMap({ $0 }) {
      tables[pointer] = id
    }
    count += 1
  }

  func table(of call: KernelCall) -> TableID? {
    (call.arguments.table ?? call.arguments.context).flatMap { tables[$0] }
  }

  /// The canonical IPAs that a reverse map records for map calls, by the numbers of the events. It is told
  /// before the call or after it.
  func recordedPages(_ events: [RecordedScenario.Located]) -> [Int: UInt64] {
    var tables = self
    var found: [Int: UInt64] = [:]
    var last: [TableID: (index: Int, nested: UInt64)] = [:]
    var told: [TableID: (nested: UInt64, canonical: UInt64)] = [:]
    for (index, located) in events.enumerated() {
      guard case .call(let call) = located.event.fact else { continue }
      if call.function == .initTable { tables.add(call) }
      guard let id = tables.table(of: call), let nested = call.arguments.address else { continue }
      if call.function == .map {
        if let known = told.removeValue(forKey: id), known.nested == nested {
          found[index] = known.canonical
        } else {
          last[id] = (index, nested)
        }
      } else if call.function == .recordReverseMap, let canonical = call.arguments.canonical {
        if let map = last.removeValue(forKey: id), map.nested == nested {
          found[map.index] = canonical
        } else {
          told[id] = (nested, canonical)
        }
      }
    }
    return found
  }

  /// The table of a map call whose making was not seen: the first that is no shadow's is the canonical one.
  mutating func guess(_ call: KernelCall) -> TableID? {
    guard let pointer = call.arguments.table else { return nil }
    let isShadow = (call.arguments.protection ?? 0) >> 55 & 3 != 0
    let known = Set(tables.values)
    if !isShadow, !known.contains(.canonical) {
      tables[pointer] = .canonical
      return .canonical
    }
    let number = (0..<Int.max).first { !known.contains(.shadow($0)) } ?? 0
    tables[pointer] = .shadow(number)
    return .shadow(number)
  }
}

/// Where in a chapter shadows are given the registers that only the dump at its end tells: where a sweep
/// empties the shadow that nobody else called for, or before the first call on it.
struct ContextPlan {
  private var places: [(index: Int, shadow: Int, context: ObservedTable.Context)] = []

  init(
    _ chapter: RecordedChapter, _ before: [Int: ObservedTable.Context],
    _ events: [RecordedScenario.Located], _ tables: RecordedTables
  ) {
    for (number, table) in chapter.shadows.sorted(by: { $0.key < $1.key }) {
      guard let context = table?.context, before[number] != context else { continue }
      var tables = tables
      var sweep: Int?
      var first: Int?
      var isCalled = false
      for (index, located) in events.enumerated() {
        guard case .call(let call) = located.event.fact else { continue }
        if call.function == .initTable { tables.add(call) }
        switch call.function {
        case .notifierUnmap, .flushMemslot, .nestedUnmap, .tlbiAddress, .tlbiRange: isCalled = true
        case .map, .relax, .writeProtectRange: isCalled = false
        default: break
        }
        let isOurs =
          tables.table(of: call) == .shadow(number)
          || call.function == .map && tables.guess(call) == .shadow(number)
        guard isOurs, call.function != .initTable else { continue }
        if call.function == .unmapRange, call.arguments.address == 0,
          call.arguments.size == 1 << UInt64(VMConfiguration.physicalBits)
        {
          if !isCalled { sweep = index }
        }
        if first == nil { first = index }
      }
      let isRecycled = before[number] != nil
      places.append(
        ((isRecycled ? sweep : nil) ?? first ?? events.count, number, context))
    }
    places.sort { ($0.index, $0.shadow) < ($1.index, $1.shadow) }
  }

  /// The contexts that come before an event.
  mutating func take(before index: Int) -> [(shadow: Int, context: ObservedTable.Context)] {
    let found = places.prefix { $0.index <= index }.map { ($0.shadow, $0.context) }
    places.removeFirst(found.count)
    return found
  }

  /// Those that no call shows.
  mutating func takeRest() -> [(shadow: Int, context: ObservedTable.Context)] {
    defer { places.removeAll() }
    return places.map { ($0.shadow, $0.context) }
  }
}
