import Engine
import FoundationEssentials
import Glibc
import Import
import KernelText
import Language
import MemoryImage
import Observation

/// Imported paths: their kinds, and the results.
struct Imported {
  /// A path, and its recognised kind.
  struct Source: Encodable {
    let path: String
    let kind: String
  }

  /// Hints for reading sources that are not self-describing.
  struct Hints {
    var kind: SourceKind?
    var inputBits: Int?
    var vttbr: UInt64?
    var vtcr: UInt64?
    /// Physical address of raw memory's first byte.
    var base: UInt64?
    /// The places of slots in the VMM, whose addresses notifiers name.
    var slots: [HostSlot] = []
    var unmaps = RecordedScenario.Unmaps.observed
    /// The name of the VM's folder, if there are several.
    var vm: String?
  }

  /// What is wanted of them.
  enum Purpose {
    /// The tables that were seen.
    case tables
    /// A scenario, which is carried out by whoever opens it.
    case opening
    /// What the model makes of it.
    case judging
    /// The same, and the scenario as a text.
    case writing
  }

  private(set) var sources: [Source] = []
  private(set) var chapters: [RecordedChapter] = []
  /// The scenario; nil if nothing could become a statement, or none is wanted.
  private(set) var made: ScenarioMaker?
  /// A scenario of tables that were seen; nil if there are events, or no tables.
  private(set) var seen: ScenarioMaker?
  private(set) var summary = RecordedScenario.Summary()
  /// Notes about a table whose words are known.
  private(set) var notes: [String] = []

  private let purpose: Purpose
  private var writesText: Bool { purpose == .writing }

  init(_ paths: [String], _ hints: Hints, for purpose: Purpose) throws {
    self.purpose = purpose
    for path in paths {
      if SourceFiles.isFolder(path) {
        try addTree(SourceFiles.all(in: path), path, "a folder with a VM's files", hints)
      } else {
        try addFile(path, hints)
      }
    }
    makeLabelsUnique()
    let title = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
      .joined(separator: ", ")
    if purpose == .tables { return }
    do {
      try makeScenario(title, hints)
    } catch let error as ScenarioError {
      throw Failure.input(error.description)
    } catch let error as SeenScenario.Unshowable {
      throw Failure.input(error.message)
    }
  }

  private mutating func makeScenario(_ title: String, _ hints: Hints) throws {
    if made == nil, chapters.contains(where: { !$0.traces.isEmpty || !$0.logs.isEmpty }) {
      let recorded = try RecordedScenario(
        chapters, title: "imported from \(title)", unmaps: hints.unmaps, slots: hints.slots,
        writesText: writesText)
      summary = recorded.summary
      if summary.statements > 0 { made = recorded.made }
    }
    // All that is in them is in the scenario now.
    for index in chapters.indices { (chapters[index].traces, chapters[index].logs) = ([], []) }
    if let made, purpose != .opening {
      let run = try ImportedRun(of: made.scenario, against: chapters)
      summary.statements -= run.refused.count
      summary.comments += run.refused.count
      self.run = run
    }
    if made == nil, chapters.contains(where: { !$0.tables.isEmpty || !$0.reverseMaps.isEmpty }) {
      let shown = try SeenScenario(chapters, title: "seen in \(title)", writesText: writesText)
      seen = shown.made
      summary.unknowns += shown.unknowns
    }
  }

  /// Statements that the model refuses, with the reasons; they are comments of the scenario's text.
  var refused: [String] { run?.refused ?? [] }

  /// The scenario as it was carried out; nil if there is none, or it is only opened.
  private(set) var run: ImportedRun?

  /// The text of the scenario, if it was to be written and there are events.
  var text: String? { run.flatMap { made?.text(of: $0.session) } }

  /// Takes the scenario, to be opened: of events, or of tables that were seen.
  mutating func takeScenario() -> Scenario? { made?.takeScenario() ?? seen?.takeScenario() }

  private mutating func addTree(
    _ all: [(path: String, bytes: [UInt8])], _ path: String, _ kind: String, _ hints: Hints
  ) throws {
    var files = all
    let vms = RecordedChapter.vms(in: all)
    if let vm = hints.vm {
      files = all.filter { $0.path.split(separator: "/").contains { $0 == vm } }
      if files.isEmpty {
        throw Failure.usage(
          "--vm: expected \(vms.isEmpty ? "no name: \(path) has files of one VM" : vms.joined(separator: ", ")), not '\(vm)'"
        )
      }
    } else if vms.count > 1 {
      notes.append(
        "\(path): \(vms.joined(separator: ", ")) look like several VMs, and are taken for moments of one; "
          + "`pagewalk import --vm \(vms[0])` takes one")
    }
    var found = RecordedChapter.all(in: files, of: path)
    if found.isEmpty {
      throw Failure.input(
        "\(path): no stage2_page_tables, ipa_range, trace.txt or probes.txt in it: expected a VM's folder "
          + "of debugfs, a copy of it, or what `pagewalk recorder` has written")
    }
    let moments = found.count == 1 ? "one moment" : "\(found.count) moments"
    sources.append(Source(path: path, kind: "\(kind), \(moments)"))
    // Slots are recorded once, and stay.
    found[0].slots = files.filter { $0.path.split(separator: "/").last == "events.jsonl" }
      .flatMap { VMMEvents.slots(in: $0.bytes) }
    chapters += found
  }

  private mutating func addFile(_ path: String, _ hints: Hints) throws {
    // Read no more of an image than its table needs.
    let start = path == "-" ? [] : SourceFiles.start(of: path)
    let early = hints.kind ?? SourceKind.of(start)
    if hints.base != nil || early == .elf {
      return try addImage(path, hints)
    }
    switch early {
    case .traceDat: return try addTraceDat(path)
    case .kdump:
      throw Failure.environment(
        "\(path): a compressed or flattened kdump: `makedumpfile -R vmcore < \(path)` makes an ELF core of a "
          + "flattened one, and the script of `pagewalk recorder --drgn` reads any")
    case .compressed: return try addCompressed(path, start, hints)
    default: break
    }
    try add(FileDescriptor.contents(of: path), path, hints)
  }

  /// Adds what a file is unpacked to.
  private mutating func addCompressed(
    _ path: String, _ start: [UInt8], _ hints: Hints
  ) throws {
    guard let compression = Compression(start) else {
      throw Failure.usage("--as compressed: \(path) is not that")
    }
    let command = "\(compression.program) -dc -- \(path)"
    guard let program = Subprocess.find(compression.program) else {
      throw Failure.environment(
        "\(path): packed by \(compression.program), which is not there to unpack it: `\(command)` does that"
      )
    }
    let (found, isWhole) = Subprocess.outputSoFar(of: program, ["-dc", "--", path])
    // Of a file that broke off, what was unpacked before may be of use.
    guard let bytes = found, isWhole || (hints.kind ?? SourceKind.of(bytes)) != nil else {
      throw Failure.input(
        "\(path): `\(command)` fails, or gives more than \(FileDescriptor.bytesAtMost >> 30) GiB")
    }
    try add(bytes, path, hints)
    if !isWhole, !chapters.isEmpty {
      chapters[chapters.count - 1].unread.append(
        "\(path): `\(command)` fails after \(bytes.count) bytes: only what stands before is read")
    }
  }

  /// Adds a file by its content.
  private mutating func add(_ bytes: [UInt8], _ path: String, _ hints: Hints) throws {
    guard let kind = hints.kind ?? SourceKind.of(bytes) else {
      throw Failure.input(
        "\(path): nothing that is known: expected a stage-2 dump, a trace, a kernel log with events of an "
          + "SMMU, a raw table, a tar, an ELF core, or with --base raw memory; --as says which it is"
      )
    }
    sources.append(Source(path: path, kind: kind.name))
    var chapter = RecordedChapter(label: RecordedChapter.label(path))
    switch kind {
    case .trace:
      chapter.traces = [RecordedChapter.Trace(name: path, bytes: bytes)]
      chapters.append(chapter)
    case .kernelLog:
      chapter.logs = [RecordedChapter.Trace(name: path, bytes: bytes)]
      chapters.append(chapter)
    case .dump: try addDump(bytes, path, chapter, hints)
    case .tar:
      sources.removeLast()
      let files: [(path: String, bytes: [UInt8])]
      var cut: Tar.Damage?
      do {
        files = try Tar.files(in: bytes, cut: &cut)
      } catch {
        throw Failure.input("\(path): at byte \(error.offset): \(error.message)")
      }
      try addTree(files, path, kind.name, hints)
      if let cut {
        chapters[chapters.count - 1].unread.append(
          "\(path): at byte \(cut.offset): \(cut.message): only what stands before is read")
      }
    case .rawTable:
      chapter.add(rawTables: bytes, path)
      try add(chapter, path)
    case .reverseMap:
      chapter.add(reverseMap: bytes, 0, path)
      try add(chapter, path)
    case .casemate: try addCasemate(bytes, path, chapter)
    case .traceDat, .elf, .kdump, .compressed:
      sources.removeLast()
      throw Failure.input(
        "\(path): \(kind.name) that is packed, or comes through a pipe: unpack it into a file")
    case .scenario: throw Failure.usage("--as \(kind.rawValue): \(path) is not that")
    }
  }

  private mutating func addDump(
    _ bytes: [UInt8], _ path: String, _ chapter: RecordedChapter, _ hints: Hints
  ) throws {
    do {
      let reading = try DumpReader.read(bytes, inputBits: hints.inputBits)
      sources[sources.count - 1] = Source(
        path: path,
        kind: "a \(reading.dialect.name)"
          + (reading.hasRestarted ? ", begun again by the kernel" : ""))
      // The VM's own table and its shadows in one text are one moment, up to a table that is there already.
      var moments: [RecordedChapter] = []
      for table in reading.tables {
        if let last = moments.indices.last, moments[last].add(table, path) { continue }
        var next = chapter
        if !moments.isEmpty { next.label += ".\(moments.count + 1)" }
        _ = next.add(table, path)
        moments.append(next)
      }
      chapters += moments
    } catch {
      throw Failure.input("\(path):\(error.description)")
    }
  }

  /// Adds what was read of a file that is about nothing else.
  private mutating func add(_ chapter: RecordedChapter, _ path: String) throws {
    if chapter.tables.isEmpty, chapter.reverseMaps.isEmpty, let first = chapter.unread.first {
      throw Failure.input(first)
    }
    chapters.append(chapter)
  }

  /// Adds L1's table from its memory.
  private mutating func addImage(_ path: String, _ hints: Hints) throws {
    guard let vttbr = hints.vttbr, let vtcr = hints.vtcr else {
      throw Failure.usage(
        "\(path): an image of memory has no registers of EL2: give --vttbr and --vtcr of the table")
    }
    do {
      var image =
        if let base = hints.base { try MemoryImage(raw: path, base: base) } else {
          try MemoryImage(core: path)
        }
      let walk = try ImageWalk(&image, vttbr: vttbr, vtcr: vtcr)
      sources.append(
        Source(
          path: path,
          kind: hints.base == nil ? "an ELF core of a machine" : "raw memory"))
      notes += walk.faults.prefix(3).map(\.sentence)
      if walk.faults.count > 3 { notes.append("and \(walk.faults.count - 3) more") }
      notes.append(
        "\(walk.table.leaves) leaves in \(walk.pages.count) tables; \(image.bytesRead) bytes were read"
      )
      var chapter = RecordedChapter(label: "table")
      chapter.guests[VTTBR(vttbr).vmid] = walk.table
      chapters.append(chapter)
      made = try KnownTable.guestScenario(
        walk, segments: image.segments, file: path, title: "imported from \(path)",
        writesText: writesText)
    } catch let error as CustomStringConvertible {
      throw Failure.input("\(path): \(error.description)")
    }
  }

  /// Adds a hypervisor's operations on its tables, until one breaks a rule.
  private mutating func addCasemate(
    _ bytes: [UInt8], _ path: String, _ chapter: RecordedChapter
  ) throws {
    do {
      let log = try CasemateScenario(
        CasemateLog(bytes), file: path, title: "imported from \(path)", writesText: writesText)
      made = log.made
      notes += log.findings
      summary.lines += log.statements + log.comments
      summary.statements += log.statements
      summary.comments += log.comments
      var chapter = chapter
      for (vmid, table) in log.watch.tables { chapter.guests[vmid] = table }
      chapters.append(chapter)
    } catch {
      throw Failure.input("\(path):\(error.description)")
    }
  }

  /// `trace-cmd` knows the event formats of the kernel, which are in the file.
  private mutating func addTraceDat(_ path: String) throws {
    guard let program = Subprocess.find("trace-cmd") else {
      throw Failure.environment(
        "\(path): a trace.dat, which trace-cmd reads: `trace-cmd report -t \(path) > trace.txt`, and import "
          + "trace.txt")
    }
    // trace-cmd takes a name that begins with a hyphen for an option.
    let argument = path.hasPrefix("-") ? "./\(path)" : path
    guard let bytes = Subprocess.output(of: program, ["report", "-t", argument]) else {
      throw Failure.input("\(path): `trace-cmd report -t \(argument)` fails")
    }
    sources.append(Source(path: path, kind: "a trace.dat, read by \(program)"))
    var chapter = RecordedChapter(label: RecordedChapter.label(path))
    chapter.traces = [RecordedChapter.Trace(name: path, bytes: bytes)]
    chapters.append(chapter)
  }

  /// Moments of several paths may have the same names.
  private mutating func makeLabelsUnique() {
    var seen: Set<String> = []
    for index in chapters.indices {
      let label = chapters[index].label
      var number = 2
      while !seen.insert(chapters[index].label).inserted {
        chapters[index].label = "\(label).\(number)"
        number += 1
      }
    }
  }
}
