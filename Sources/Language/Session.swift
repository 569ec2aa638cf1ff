import Engine

/// A scenario that is being carried out: its history so far, its chapters, and what was not as expected.
public struct Session: Sendable {
  /// A place in the history where a `step` ended.
  public struct Chapter: Equatable, Sendable {
    /// Its label, as the file says it.
    public let label: String
    /// Its text, as the file says it.
    public let text: String
    /// Number of events before its end.
    public let end: Int
  }

  /// An expectation that did not hold.
  public struct Failure: Equatable, Sendable {
    /// Number of events before it.
    public let position: Int
    /// Its line.
    public let line: Int
    /// What was instead.
    public let message: String
  }

  /// The scenario.
  public internal(set) var scenario: Scenario
  /// What has happened so far.
  public internal(set) var timeline: Timeline
  /// The chapters so far.
  public internal(set) var chapters: [Chapter] = []
  /// The expectations that failed so far.
  public internal(set) var failures: [Failure] = []
  /// The statement of each event so far.
  public internal(set) var statementOfEvent: [Int] = []
  /// The next statement to be carried out.
  var next = 0
  /// Whether all of the past is kept, or so much at the most.
  private let keepsPast: Bool
  private static let forgetsAfter = (events: 1 << 14, words: 1 << 18)
  /// Whether the micro-steps of each event are there as soon as it is carried out.
  private let recordsSteps: Bool

  /// A session in which nothing has happened yet.
  ///
  /// - Parameters:
  ///   - keepsPast: whether one can go back. Without, the events that are over are forgotten now and then,
  ///     so that memory does not grow with their number; the last one is kept.
  ///   - recordsSteps: whether the micro-steps of each event are wanted.
  public init(_ scenario: Scenario, keepsPast: Bool = true, recordsSteps: Bool = false) {
    self.scenario = scenario
    self.keepsPast = keepsPast
    self.recordsSteps = recordsSteps
    timeline = Timeline(scenario.configuration)
  }

  /// Number of events that have been carried out, forgotten ones too.
  public var eventsDone: Int { timeline.forgotten + timeline.events.count }

  /// Whether every statement was carried out.
  public var isComplete: Bool { next == scenario.statements.count }

  /// Carries out the next statement, at the end of the history. Returns it, or nil at the end.
  ///
  /// - Throws: if the engine refuses the event; then the session stays where it is.
  @discardableResult
  public mutating func advance() throws(ScenarioError) -> Statement? {
    guard !isComplete else { return nil }
    let statement = scenario.statements[next]
    switch statement.kind {
    case .event(let event):
      if !keepsPast { forgetPast() }
      do throws(Refusal) {
        try timeline.append(event, recordingSteps: recordsSteps)
      } catch {
        throw scenario.error(error, at: statement)
      }
      statementOfEvent.append(next)
    case .step(let label, let text):
      chapters.append(Chapter(label: label, text: text, end: eventsDone))
    case .expect(let expectation):
      let last = timeline.events.count - 1
      let stores = last < 0 ? 0..<0 : timeline.stores(ofEvent: last)
      if let message = expectation.failure(in: timeline.machine, after: stores) {
        failures.append(
          Failure(position: eventsDone, line: statement.line, message: message))
      }
    }
    next += 1
    return statement
  }

  /// Forgets what is over, where it is much.
  private mutating func forgetPast() {
    guard
      timeline.events.count >= Self.forgetsAfter.events
        || timeline.machine.memory.position >= Self.forgetsAfter.words
    else { return }
    timeline.forgetPast()
    statementOfEvent.removeAll(keepingCapacity: true)
  }

  /// Carries out a piece of what is left: so many statements, or fewer if they change so many words.
  /// Returns whether nothing is left.
  ///
  /// - Throws: if the engine refuses an event; then the session stays where it is.
  public mutating func advance(statements: Int, words: Int) throws(ScenarioError) -> Bool {
    let end = timeline.machine.memory.journalCount + words
    for _ in 0..<statements where timeline.machine.memory.journalCount < end {
      if try advance() == nil { break }
    }
    return isComplete
  }

  /// Carries out all that is left.
  public mutating func finish() throws(ScenarioError) {
    while try advance() != nil {}
  }
}

extension Scenario {
  /// The error for an event that the engine refuses, at the operand that is to blame.
  func error(_ refusal: Refusal, at statement: Statement) -> ScenarioError {
    var words = Words(source)
    _ = try? words.read(from: statement.offset)
    // The operand is the n-th number of the statement.
    let numbers = words.words.filter { !$0.isQuoted && words.number($0.range) != nil }
    let place =
      refusal.operand > 0 && refusal.operand <= numbers.count
      ? numbers[refusal.operand - 1] : words.words.first
    let column = (place?.range.lowerBound ?? statement.offset) - statement.offset + 1
    return ScenarioError(
      file: file, line: statement.line, column: column, message: refusal.reason.description)
  }
}

extension Refusal.Reason {
  /// What was expected instead.
  public var description: String {
    switch self {
    case .unaligned(let value, let alignment):
      "expected a multiple of \(Phrase.size(alignment)), not 0x\(hex(value))"
    case .beyondIPASpace(let bits):
      "expected a slot below 2^\(bits), the end of the VM's IPA space (vm ipa=\(bits))"
    case .slotExists(let id): "expected a free slot number: slot \(id) exists"
    case .slotsOverlap(let id): "expected addresses of no other slot: slot \(id) is there"
    case .tooManySlots(let count): "expected at most \(count) memory slots"
    case .addressSpaceFull: "expected a smaller slot: the VMM's address space is full"
    case .outsideSlots(let address):
      "expected addresses of one memory slot: 0x\(hex(address)) is outside"
    case .tooLarge(let limit):
      "expected at most \(Phrase.size(limit)): it is gone through page by page"
    case .noSuchVCPU(let count):
      "expected vCPU 0\(count > 1 ? " to \(count - 1)" : ""): the VM has vcpus=\(count)"
    case .noSuchCPU(let count):
      "expected CPU 0\(count > 1 ? " to \(count - 1)" : ""): there is one for each vCPU"
    case .notRunning: "expected 'run' first: it stays on no CPU"
    case .noSuchVM(let limit): "expected the number of another VM, 0 to \(limit)"
    case .noSuchProcess(let limit): "expected the number of another process, 0 to \(limit)"
    case .noSharedAddresses:
      "a device can work with the VMM's addresses where it is the host's, and its walks are coherent: "
        + "without policies rmp-, cca, pkvm and iommu-walk=noncoherent"
    case .notNested: "expected a VM with nested=on: without it there is no L2"
    case .nothingPaused: "expected a paused event: nothing is paused, and no pause is asked for"
    case .alreadyPaused: "expected 'resume' first: an event is paused"
    case .vcpuPaused(let number):
      "expected another vCPU: vCPU \(number) is in the paused event, until 'resume'"
    case .lockHeld:
      "expected 'resume' first: the paused event holds a lock that this needs"
    case .noReverseMap:
      "expected a policy with a reverse map: under revmap=none there is nothing that can fail"
    case .noRealm: "expected 'policy cca=on' before: the VM is no realm"
    case .realmMemory:
      "expected what a host can do with a realm's memory: read, write, hugepages, no-thp, or 'realm'"
    case .noRMP: "expected 'policy rmp-order=ORDER' before: there is no RMP without it"
    case .beyondRegion: "expected pages of one region of 2M"
    case .oneTableOfVMID:
      "expected the device that has the domain: with the CPUs' VMID one table is all that the SMMU can tell apart"
    case .sharedTable:
      "expected iommu=own: under iommu=shared the device's table is the CPUs' and changes with it "
        + "(a VM's memory can be pinned there with iommu-fault=pin)"
    case .notProtected: "expected 'policy pkvm=v4' or 'v5' first: without it there is no hypervisor"
    case .onlyProtected:
      "expected a statement of pKVM or of devices: under pkvm= there is no VM but 'pkvm create guest'"
    case .outsidePhysicalMemory(let range):
      "expected memory from 0x\(hex(range.lowerBound)) to 0x\(hex(range.upperBound)), the end of the "
        + "physical addresses (vm ipa=)"
    case .memoryOverlaps(let address):
      "expected addresses without memory: there is some from 0x\(hex(address)) on already"
    case .tooManyRegions(let count): "expected at most \(count) regions of memory"
    case .memoryTooLate:
      "expected memory before anything is mapped there, and before the snapshot"
    case .beyondPhysicalSpace(let bits):
      "expected an address below 2^\(bits), the end of the physical addresses (vm ipa=\(bits))"
    case .hypervisorTable:
      "expected no map or unmap: under pkvm= the device's table is the hypervisor's"
    case .noSuchDevice: "expected device 0 to \(SMMU.devices - 1)"
    case .notLogging: "expected dirty logging to be on for the slot (host dirty-log on)"
    case .splitAfterSlots: "expected eager-split before the first memslot (EINVAL)"
    case .splitSize(let size): "expected 0, 4K, 2M or 1G, not \(Phrase.size(size))"
    }
  }
}
