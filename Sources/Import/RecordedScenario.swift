import Engine
import KernelText
import Language
import Observation

/// A recording of a real kernel as a scenario: its calls become statements, each from its line.
///
/// What a recording lacks is not invented. `Unmaps` says who makes the kernel's own decisions, such as
/// what a notifier unmaps from the shadows.
package struct RecordedScenario: Sendable {
  /// Who decides what is unmapped from the shadows.
  package enum Unmaps: Sendable {
    /// The recording, call by call.
    case observed
    /// The model, under a policy: the tables of the recording are compared with it.
    case predicted(ReverseMapVersion)
  }

  /// Facts about the lines read.
  package struct Summary: Sendable {
    /// Number of events that became statements, and of those that became only comments.
    package var statements = 0, comments = 0
    package var lines = 0
    package var lost: UInt64 = 0
    /// Number of lines without events, in all files, and the first of them with their places.
    package var skipped = 0
    package var firstSkipped: [String] = []
    /// The unknowns, in sentences.
    package var unknowns: [String] = []

    package init() {}
  }

  /// The scenario, and its text if that is wanted.
  package private(set) var made: ScenarioMaker
  package private(set) var summary = Summary()
  let unmaps: Unmaps
  var tables = RecordedTables()
  private var contexts: [Int: ObservedTable.Context] = [:]
  var cause = Cause.none
  private var notedUnknowns: Set<String> = []

  /// The places of slots in the VMM, if only a notifier's address shows what it unmaps.
  private var slots: [HostSlot] = []

  /// The canonical IPA that a reverse map records for the current map call.
  var recordedPage: UInt64?

  /// The cause of the following calls, until the next top-level call.
  enum Cause: Equatable {
    case none
    /// Canonical memory is unmapped: whether for a slot, and whether the shadows' part has been seen.
    case take(isMemslot: Bool, isTold: Bool)
    case emptied(Set<Int>)
    case invalidation(shadow: Int)
  }

  /// - Parameters:
  ///   - chapters: the moments at which tables were read, in their order.
  ///   - title: the title of the scenario.
  ///   - slots: the places of slots in the VMM, besides those in chapters.
  /// - Throws: that no VM has such a head.
  package init(
    _ chapters: [RecordedChapter], title: String, unmaps: Unmaps, slots: [HostSlot] = [],
    writesText: Bool = false
  ) throws(ScenarioError) {
    self.unmaps = unmaps
    var survey = RecordedEvents.Survey()
    let events = chapters.map { RecordedEvents($0.traces, &survey) }
    summary.lines = survey.lines
    summary.lost = survey.lost
    summary.skipped = survey.skipped
    summary.firstSkipped = Array(survey.firstSkipped.prefix(3))
    // If a probe has the pages, the address only repeats that.
    self.slots = survey.hasProbedNotifier ? [] : slots + chapters.flatMap(\.slots)
    hasProbedIOMMU = !survey.hasIOMMUEvents
    recordsPages = survey.recordsPages
    let logs = Self.logged(in: chapters)
    let hasLogs = logs.contains { !$0.isEmpty }
    made = try ScenarioMaker(
      head: Self.head(chapters, survey, title, unmaps), file: "imported", writesText: writesText)
    if chapters.allSatisfy({ $0.inputBits == nil }), !hasLogs, !survey.hasDevices {
      note("the size of the IPA space, taken to be 40 bits")
    }
    if let log = chapters.lazy.flatMap(\.logs).first, hasLogs {
      made.addPlain(.event(.iommu(device: 0, .attach)), made.origin(log.name))
    }
    for (index, chapter) in chapters.enumerated() {
      let context = ContextPlan(chapter, contexts, events[index], tables)
      write(chapter, events[index], logs[index], context)
    }
  }

  /// The events of each chapter's logs. A kernel log has all since its boot, so what a former chapter's has at the
  /// same time has not happened again.
  private static func logged(
    in chapters: [RecordedChapter]
  ) -> [[(file: String, event: SMMULogEvent)]] {
    var told: Set<[UInt64]> = []
    return chapters.map { chapter in
      let events = chapter.logs.flatMap { log in
        SMMULog.events(log.bytes).map { (file: log.name, event: $0) }
      }
      let new = events.filter { $0.event.identity.map { !told.contains($0) } ?? true }
      told.formUnion(events.compactMap(\.event.identity))
      return new
    }
  }

  private static func head(
    _ chapters: [RecordedChapter], _ survey: RecordedEvents.Survey, _ title: String,
    _ unmaps: Unmaps
  ) -> [String] {
    // Of the tables that are made, the first is the canonical one.
    let shadows = max(
      chapters.flatMap { $0.shadows.keys.map { $0 + 1 } }.max() ?? 0, survey.tablesMade - 1)
    let vcpus = min(VMConfiguration.vcpusRange.upperBound, max(1, (shadows + 1) / 2))
    let bits = chapters.lazy.compactMap(\.inputBits).first ?? 40
    let head = [
      "pagewalk 1", "title \(StatementText.quoted(title))",
      "vm ipa=\(bits) vcpus=\(vcpus)\(shadows > 0 ? " nested=on" : "") recorded=on",
    ]
    guard case .predicted(let version) = unmaps, version != .none else { return head }
    return head + ["policy revmap=\(version.rawValue)"]
  }

  /// Whether the IOMMU's calls were probed, and so are complete.
  let hasProbedIOMMU: Bool
  /// Whether calls of a reverse map were probed, which tell the canonical IPAs of map calls.
  private let recordsPages: Bool

  private mutating func write(
    _ chapter: RecordedChapter, _ events: RecordedEvents,
    _ logged: [(file: String, event: SMMULogEvent)], _ plan: ContextPlan
  ) {
    made.comment()
    var plan = plan
    var faults = logged[...]
    let pages = recordsPages ? tables.recordedPages(events) : [:]
    for (index, event) in events.enumerated() {
      while let fault = faults.first, let time = fault.event.nanoseconds,
        case .nanoseconds(let now) = event.time, time < now
      {
        write(fault.event, fault.file)
        faults.removeFirst()
      }
      for context in plan.take(before: index) { write(context, chapter) }
      recordedPage = pages[index]
      let place = events.place(of: index)
      write(event, made.origin(place.file, line: place.line))
    }
    for fault in faults { write(fault.event, fault.file) }
    for context in plan.takeRest() { write(context, chapter) }
    made.addPlain(
      .chapter(label: chapter.label, text: StatementText.safe(chapter.title ?? "")),
      made.origin(chapter.label))
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
    add(
      Event.recorded(call), made.origin("known from the dump of \(chapter.label)"))
  }

  private mutating func write(_ event: SMMULogEvent, _ file: String) {
    let place = made.origin(file, line: event.line)
    guard let address = event.address, let isWrite = event.isWrite else {
      return comment(
        place,
        "event \(Phrase.address(UInt64(event.id))) of stream \(Phrase.address(UInt64(event.streamID)))"
      )
    }
    add(
      .dma(device: 0, address, write: isWrite), place,
      remark:
        " stream \(Phrase.address(UInt64(event.streamID)))\(event.isStalled == true ? ", stalled" : "")"
    )
    switch event.fault {
    case .translation, .addressSize, .accessFlag, .permission:
      guard let fault = event.fault else { return }
      made.addPlain(.expect(.dma(.fault(fault, level: nil))), place)
    case .granule, .rmp, .badStreamEntry, .conflict, nil: break
    }
  }

  private mutating func write(_ event: TraceEvent, _ place: Origin) {
    switch event.fact {
    case .call(let call): write(call, place)
    case .iommuMap(let range, _) where Self.range(range.lowerBound, range.size) == nil,
      .iommuUnmap(let range, _) where Self.range(range.lowerBound, range.size) == nil:
      comment(
        place,
        "the IOMMU's table cannot have \(Phrase.address(range.lowerBound)), which is above 48 bits")
    case .iommuMap(let range, let physical):
      let write = permissions[range.lowerBound] ?? true
      if permissions[range.lowerBound] == nil { note("permissions of the IOMMU's leaves") }
      add(.iommu(device: 0, .map(range, to: physical, write: write)), place)
    case .iommuUnmap(let range, let unmapped):
      add(.iommu(device: 0, .unmap(range)), place)
      if unmapped < range.size {
        made.comment(
          "of these \(Phrase.size(range.size)) the kernel unmapped \(Phrase.size(unmapped))")
      }
    case .ioPageFault(let address, let isWrite):
      add(.dma(device: 0, address, write: isWrite), place)
    case .guestFault(let address, let syndrome, _):
      comment(
        place, "a guest faults at IPA \(Phrase.address(address)), ESR \(Phrase.address(syndrome))")
    case .accessFault(let address):
      comment(place, "an access flag fault at \(Phrase.address(address))")
    case .nestedReturn: comment(place, "L1 returns to L2")
    case .injectNested(let syndrome): comment(place, "L1 is given ESR \(Phrase.address(syndrome))")
    case .invalidate(let name): comment(place, "L1 executes a TLBI (\(name)), operand not told")
    case .unmapHostRange(let range) where !canonical(of: range).isEmpty:
      for pages in canonical(of: range) { take(pages, isMemslot: false, place) }
      cause = .take(isMemslot: false, isTold: false)
    case .ageHostRange(let range) where !canonical(of: range).isEmpty:
      for pages in canonical(of: range) { add(.recorded(.age(pages)), place) }
    case .unmapHostRange(let range):
      comment(
        place,
        "the notifier takes \(Phrase.size(range.size)) at VMM address \(Phrase.address(range.lowerBound))"
      )
    case .ageHostRange(let range):
      comment(
        place,
        "the notifier ages \(Phrase.size(range.size)) at VMM address \(Phrase.address(range.lowerBound))"
      )
    case .testAgeHost(let address):
      comment(place, "the age of VMM address \(Phrase.address(address)) is asked for")
    case .memoryAttributes(let range, let attributes):
      comment(
        place,
        "\(Phrase.size(range.size)) at IPA \(Phrase.address(range.lowerBound)) get attributes \(Phrase.address(attributes))"
      )
    case .hostAbort(let address?, let syndrome):
      comment(
        place, "pKVM's host faults at \(Phrase.address(address)), ESR \(Phrase.address(syndrome))")
    case .hostAbort(nil, _): comment(place, "pKVM's host faults, where is not told")
    }
  }

  /// The canonical IPAs of addresses of the VMM, by slots.
  private func canonical(of range: Range<UInt64>) -> [Range<UInt64>] {
    slots.compactMap { $0.canonical(of: range) }
  }

  /// The shadow that just got another context, whose sweep follows.
  var justGiven: Int?

  /// Write permission of the IOMMU's leaves, from its page table's calls, until the event that reports them.
  var permissions: [UInt64: Bool] = [:]

  mutating func unknown(_ call: KernelCall, _ place: Origin) {
    note("tables and arguments of some calls, which are comments")
    comment(place, "\(call.function.phrase), of which table or where is not told")
  }

  mutating func note(_ what: String) {
    if notedUnknowns.insert(what).inserted { summary.unknowns.append(what) }
  }

  mutating func comment(_ place: Origin, _ text: @autoclosure () -> String) {
    summary.comments += 1
    made.comment(place, text())
  }

  mutating func add(_ event: Event, _ place: Origin, remark: String = "") {
    summary.statements += 1
    made.add(.event(event), place, remark: remark)
  }
}
