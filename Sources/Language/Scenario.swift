import Engine

/// A scenario: a world, and what happens in it, with chapters and expectations.
public struct Scenario: Sendable {
  /// The version of the event language that this program reads.
  public static let languageVersion: UInt64 = 1

  /// Name of the file, for messages.
  public var file: String
  /// The title, as in the file; must be made safe before it is shown.
  public var title = ""
  /// The VM.
  public var configuration = VMConfiguration()
  /// The VM as in the file, if the events are carried out under another policy.
  var own: VMConfiguration?
  /// The policies under which the events are carried out instead of the file's own, as `KEY=VALUE` in the
  /// order requested.
  public internal(set) var changedPolicies: [String] = []
  /// Keys of the policies that the file sets, each with its `=`.
  var policies: [String] = []
  /// What happens, in order.
  public package(set) var statements = StatementList()
  /// Number of its events. O(n) in the statements.
  public var eventCount: Int { statements.indices.count { statements.isEvent(at: $0) } }

  /// The file's bytes, to point at a place in them. Of an imported scenario they are its head.
  package var source: [UInt8] { statements.source }
  /// Number of lines read of them.
  var lineCount = 0
  /// What statements were imported from, by the numbers in their origins.
  var importedSources: [String] = []
}

/// A statement of a scenario at a moment.
public struct Statement: Sendable {
  /// What it says.
  public enum Kind: Sendable {
    /// Something happens.
    case event(Event)
    /// A chapter ends: its label, and its text as in the file.
    case chapter(label: String, text: String)
    /// Something must hold now.
    case expect(Expectation)
  }

  /// What it says.
  public let kind: Kind
  /// Where it comes from.
  public let origin: Origin
  /// Columns of its operands, if it has a text.
  let columns: OperandColumns

  init(kind: Kind, origin: Origin, columns: OperandColumns = OperandColumns()) {
    self.kind = kind
    self.origin = origin
    self.columns = columns
  }
}

extension Statement.Kind {
  /// The statement as a line of the event language: reading it gives the same statement.
  package var text: String {
    switch self {
    case .event(let event): event.statement
    case .chapter(let label, let text):
      WorldStatement.chapter.text(label, text.isEmpty ? nil : text)
    case .expect(let expectation): expectation.statement
    }
  }
}

/// Where a statement comes from.
public enum Origin: Equatable, Sendable {
  /// A line of the scenario's file, from 1, and where the line begins in its bytes.
  case file(line: UInt32, offset: UInt32)
  /// A person typed it.
  indirect case typed(String)
  /// It was imported from another format: at a line, from 1, of a file, which is a number in the scenario; with line
  /// 0 that names what it is known from, which has no lines.
  case imported(line: UInt32, source: UInt32)
  /// A search found it.
  case found

  /// Its line in a file, from 1; nil if it is not from a line of a file.
  public var line: Int? {
    switch self {
    case .file(let line, _): Int(line)
    case .imported(let line, _): line > 0 ? Int(line) : nil
    case .typed, .found: nil
    }
  }

  /// Whether the scenario had the statement before anything was typed or searched for.
  var isOfFile: Bool {
    switch self {
    case .file, .imported: true
    case .typed, .found: false
    }
  }
}

extension Scenario {
  /// Where a statement is, as in an error of the file.
  public func position(of origin: Origin) -> String {
    switch origin {
    case .file(let line, _): "\(file):\(line):1"
    case .imported: place(of: origin)
    case .typed, .found: "\(file): \(place(of: origin))"
    }
  }

  /// The same in a few words, where it is known which scenario is meant.
  public func place(of origin: Origin) -> String {
    switch origin {
    case .file(let line, _): "line \(line)"
    case .imported(let line, let source):
      importedSources[Int(source)] + (line > 0 ? ":\(line)" : "")
    case .typed: "what was typed"
    case .found: "what was found"
    }
  }
}

/// What an `expect` statement asks for.
public enum Expectation: Equatable, Sendable {
  /// The last access of a vCPU's L2 injected an abort into L1.
  case abort(vcpu: Int, instruction: Bool, status: UInt8, write: Bool, ipa: UInt64)
  /// The last access ended in an external abort.
  case externalAbort
  /// The last access ended in an address size fault.
  case sizeFault
  /// The last access made KVM_RUN fail with EFAULT, or with ENOMEM.
  case efault, outOfMemory
  /// The last read returned a value.
  case value(UInt64)
  /// The last access exited to user space.
  case mmio(write: Bool, ipa: UInt64)
  /// The first word of the dirty log last fetched for a slot.
  case dirty(slot: UInt64, word: UInt64)
  /// The idle flag of a page.
  case idle(UInt64, Bool)
  /// A rule is broken now; without one, all hold.
  case violation(Invariant?)
  /// What a shadow's reverse map says about a canonical IPA.
  case reverseMap(shadow: Int, ipa: UInt64, ReverseMapAnswer)
  /// Whether a shadow's reverse map is broken.
  case broken(shadow: Int, Bool)
  /// The number of entries without a leaf in a shadow's reverse map.
  case stale(shadow: Int, UInt64)
  /// A table maps an input address with a leaf of a size, or does not map it.
  case leaf(TableID, UInt64, size: UInt64?)
  /// How the last DMA ended.
  case dma(DMAExpectation)
  /// The last event about devices or ownership ended in an error of the kernel.
  case kernelError(KernelError)
  /// The state of a page for a party; for a guest, at a guest address.
  case pageState(PageParty, UInt64, PageState)
  /// The number of guests with which the host shares a page.
  case pageCount(UInt64, shares: UInt64)
  /// Only under certain policies.
  indirect case under([ReverseMapVersion], Expectation)
}

/// A party with a state of a page under pKVM.
public enum PageParty: Equatable, Sendable {
  /// The host, or the hypervisor.
  case host, hypervisor
  /// A guest, by its number.
  case guest(Int)
}

/// How a DMA ended, in the details that matter.
public enum DMAExpectation: Equatable, Sendable {
  /// At a physical address; from the SMMU's TLB, or from a walk.
  case translated(UInt64, cached: Bool?)
  /// In a fault of a class, at a level.
  case fault(DeviceFault, level: Int?)
  /// Terminated without an event.
  case aborted
  /// Stalled.
  case stalled
}

/// What a reverse map says about a canonical IPA.
public enum ReverseMapAnswer: Equatable, Sendable {
  /// Nothing is recorded.
  case nothing
  /// It is mapped, but the nested IPA is unknown.
  case unknown
  /// It is mapped at a nested IPA.
  case known(UInt64)
  /// The entry that covers it is this word.
  case payload(UInt64)
}

/// Something wrong with a file, and where.
public struct ScenarioError: Error, Equatable, CustomStringConvertible, Sendable {
  /// Name of the file.
  public let file: String
  /// Line and column, from 1; the column counts bytes.
  public let line: Int
  /// Column, from 1.
  public let column: Int
  /// What was expected.
  public let message: String
  /// Whether even the first word of the statement is unknown.
  public private(set) var isUnknownStatement = false
  /// Why the engine refused the event; nil if it is no event's.
  var refusal: Refusal.Reason?

  /// An error at a place.
  public init(file: String, line: Int, column: Int, message: String) {
    self.file = file
    self.line = line
    self.column = column
    self.message = message
  }

  /// The error of a mistake in a line that begins at `offset`.
  init(_ mistake: Mistake, file: String, line: Int, offset: Int) {
    self.init(
      file: file, line: line, column: mistake.offset - offset + 1, message: mistake.message)
    isUnknownStatement = mistake.isUnknownStatement
  }

  /// `file:line:column: message`.
  public var description: String { "\(file):\(line):\(column): \(message)" }
}
