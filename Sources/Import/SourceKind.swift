import KernelText

/// The kinds of sources, recognised by content.
package enum SourceKind: String, CaseIterable, Sendable {
  case scenario, dump, trace, kernelLog = "kernel-log", tar, traceDat = "trace-dat", elf, kdump
  case rawTable = "raw-table", casemate, reverseMap = "reverse-map"
  case compressed

  /// Its name in a sentence.
  package var name: String {
    switch self {
    case .scenario: "a scenario"
    case .dump: "a stage-2 dump"
    case .trace: "a trace"
    case .kernelLog: "a kernel log with events of an SMMU"
    case .tar: "an archive of a VM's files"
    case .traceDat: "a trace.dat of trace-cmd"
    case .elf: "an ELF core"
    case .kdump: "a compressed or flattened kdump"
    case .rawTable: "the text of a raw table"
    case .casemate: "a log of casemate"
    case .reverseMap: "a dump of a reverse map"
    case .compressed: "a compressed file"
    }
  }

  /// The kind of some bytes; nil if unknown.
  package static func of(_ bytes: [UInt8]) -> SourceKind? {
    func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    if bytes.starts(with: [0x17, 0x08, 0x44] + Array("tracing".utf8)) { return .traceDat }
    if bytes.starts(with: [0x7f] + Array("ELF".utf8)) { return .elf }
    if Compression(bytes) != nil { return .compressed }
    if begins("makedumpfile") || begins("KDUMP   ") || begins("DISKDUMP") { return .kdump }
    if Tar.accepts(bytes) { return .tar }
    if begins("pagewalk-table ") { return .rawTable }
    if CasemateLog.accepts(bytes) { return .casemate }
    if TraceReader.accepts(bytes) { return .trace }
    let start = Array(bytes.prefix(1 << 16))
    if let reading = try? DumpReader.read(complete(start, of: bytes)), !reading.tables.isEmpty {
      return .dump
    }
    if ReverseMapDump.accepts(start) { return .reverseMap }
    if SMMULog.accepts(bytes) { return .kernelLog }
    return nil
  }

  /// Whether the first bytes are those of a file that is not read completely.
  package static func isLarge(_ start: [UInt8]) -> Bool {
    switch of(start) {
    case .elf, .traceDat, .kdump, .compressed: true
    case .scenario, .dump, .trace, .kernelLog, .tar, .rawTable, .casemate, .reverseMap, nil: false
    }
  }

  /// The first bytes of a text without an incomplete last line.
  private static func complete(_ start: [UInt8], of bytes: [UInt8]) -> [UInt8] {
    guard start.count < bytes.count, let end = start.lastIndex(of: 0x0a) else { return start }
    return Array(start[...end])
  }
}
