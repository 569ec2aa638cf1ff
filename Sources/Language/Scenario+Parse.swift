import Engine

extension Scenario {
  /// Reads a scenario file.
  ///
  /// - Throws: the first mistake, with its place.
  public init(parsing bytes: [UInt8], file: String) throws(ScenarioError) {
    self.init(file: file)
    guard bytes.count <= UInt32.max else {
      throw ScenarioError(file: file, line: 1, column: 1, message: "expected a file below 4G")
    }
    source = bytes
    // A long file has a statement in nearly every line.
    statements.reserveCapacity(bytes.count { $0 == UInt8(ascii: "\n") })
    var reader = StatementReader(bytes)
    var start = 0
    var line = 0
    var prologue = Prologue()
    while start < bytes.count {
      line += 1
      let lineStart = start
      do throws(Mistake) {
        start = try reader.readLine(from: start)
        guard let first = reader.statementStart else { continue }
        // The columns are those of the statement that was read just before.
        try add(
          try reader.statement(), at: first,
          .file(line: UInt32(line), offset: UInt32(lineStart)), reader.values.columns, &prologue)
      } catch {
        throw ScenarioError(error, file: file, line: line, offset: lineStart)
      }
    }
    if !prologue.hasVersion || !prologue.hasVM {
      throw ScenarioError(
        file: file, line: line + 1, column: 1,
        message: prologue.hasVersion ? Prologue.noVM : Prologue.noVersion)
    }
  }

  /// What must come first, and only once.
  private struct Prologue {
    var hasVersion = false
    var hasVM = false
    static let noVersion = "expected 'pagewalk 1' as the first statement"
    static let noVM = "expected 'vm ipa=BITS vcpus=N nested=on|off' before anything happens"
  }

  private mutating func add(
    _ statement: ParsedStatement, at offset: Int, _ origin: Origin, _ columns: OperandColumns,
    _ prologue: inout Prologue
  ) throws(Mistake) {
    if case .version = statement {
      if prologue.hasVersion {
        throw Mistake(offset: offset, message: "expected 'pagewalk 1' once")
      }
      prologue.hasVersion = true
      return
    }
    if !prologue.hasVersion { throw Mistake(offset: offset, message: Prologue.noVersion) }
    let kind: Statement.Kind
    switch statement {
    case .version: return
    case .title(let text):
      title = text
      return
    case .vm(let configuration):
      if prologue.hasVM { throw Mistake(offset: offset, message: "expected 'vm' once") }
      prologue.hasVM = true
      self.configuration.ipaBits = configuration.ipaBits
      self.configuration.vcpus = configuration.vcpus
      self.configuration.nested = configuration.nested
      self.configuration.vmidBits = configuration.vmidBits
      return
    case .policy(let setting):
      if statements.contains(where: \.isEvent) {
        throw Mistake(offset: offset, message: "expected 'policy' before anything happens")
      }
      setting.change(&configuration)
      policies.append(setting.key)
      return
    case .event(let event): kind = .event(event)
    case .chapter(let label, let text): kind = .chapter(label: label, text: text)
    case .expect(let expectation): kind = .expect(expectation)
    }
    if !prologue.hasVM { throw Mistake(offset: offset, message: Prologue.noVM) }
    statements.append(Statement(kind: kind, origin: origin, columns: columns))
  }
}

extension Scenario {
  /// Whether a device is attached, or tries DMA.
  public var hasDevices: Bool {
    statements.contains {
      switch $0.kind {
      case .event(.iommu), .event(.dma): true
      default: false
      }
    }
  }
}

extension Statement {
  /// Whether something happens.
  var isEvent: Bool {
    if case .event = kind { true } else { false }
  }
}
