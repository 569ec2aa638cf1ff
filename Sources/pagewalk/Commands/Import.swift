import ArgumentParser
import Canvas
import Engine
import Import
import Language
import Observation
import Recording

extension Pagewalk {
  /// `pagewalk import`.
  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "import",
      abstract: "Make a scenario of what a kernel, a hypervisor or a memory image says.",
      discussion: """
        PATH may be a VM's folder of debugfs or a copy of it, a folder or tar of such folders as moments, one \
        stage-2 dump of any kernel, text of ftrace, trace-cmd report, perf script or bpftrace, a trace.dat, a \
        kernel log with events of an SMMU, a log of casemate, the text of a raw table, a dump of a reverse map, an \
        ELF core or, with --base, raw memory; files packed by gzip, xz, zstd or bzip2 are unpacked by those \
        programs. The content says what a file is; --as overrides it.

        Calls that kprobes saw, as `pagewalk recorder` sets them, become statements, and the tables that they \
        lead to are held against those that were seen. A log of casemate ends at the first record that breaks a \
        rule of the architecture, or that casemate says something of. Of an L1's memory the table at --vttbr becomes \
        `l1 store` statements. Where there is no event, the tables are listed that were seen, and -o makes a \
        scenario of them, as `pagewalk PATH` shows them. What a source does not say is shown as ?.
        """)

    @Argument(help: "Files and folders; several are moments, in this order.", completion: .file())
    var paths: [String]

    @Option(
      name: .shortAndLong,
      help: ArgumentHelp("Write the scenario to this file.", valueName: "out.pw"),
      completion: .file())
    var output: String?

    @Flag(
      help: """
        Let the model decide what is removed from the shadows, and hold the tables against it; where they differ, \
        both walks are shown as by `check`, and the exit code is 1.
        """)
    var predict = false

    @Option(
      help: ArgumentHelp(
        "The reverse map of the kernel that --predict is about: \(ReverseMapVersion.names). Without this "
          + "option: none.", valueName: "version"))
    var revmap: ReverseMapVersion?

    @Flag(help: "Refuse a source with lines or files that cannot be read.")
    var strict = false

    @Flag(help: "Print what was seen as one JSON object, instead of a scenario.")
    var json = false

    @OptionGroup var hints: ImportHints

    func validate() throws {
      if revmap != nil, !predict { throw ValidationError("--revmap: expected --predict with it") }
    }

    func run() throws {
      if let output, let source = paths.first(where: { RecordingFile.isSame($0, output) }) {
        throw Failure.usage("--output: \(output) is the source \(source), which it would replace")
      }
      var found = hints.values
      if predict { found.unmaps = .predicted(revmap ?? .none) }
      let imported = try Imported(paths, found, for: json ? .judging : .writing)
      tell(imported)
      if strict { try refuseDoubts(imported) }
      let difference = report(imported)
      if json {
        try FileDescriptor.output.write(json: ImportRecord(imported, difference))
      } else if let scenario = imported.text ?? (output == nil ? nil : imported.seen?.text) {
        try write(scenario)
      } else {
        FileDescriptor.output.write(
          lines: ObservedText.lines(imported.chapters).joined(separator: "\n"))
      }
      if predict, difference != nil { throw Failure.no("") }
    }

    private func write(_ scenario: String) throws {
      let out = try Output(output)
      out.write(scenario)
      try out.finish()
    }

    /// Reports the kinds of the sources, and what they lack.
    private func tell(_ imported: Imported) {
      for source in imported.sources { writeError("\(source.path): \(source.kind)") }
      let summary = imported.summary
      if summary.lines > 0 {
        writeError(
          "\(summary.lines) lines of events: \(summary.statements) became statements, "
            + "\(summary.comments) comments"
            + (summary.lost > 0 ? "; the kernel lost \(summary.lost)" : ""))
      }
      if summary.skipped > 0 {
        writeError("\(summary.skipped) lines are no events, the first of them:")
        for line in summary.firstSkipped { writeError("  \(line)") }
      }
      if !imported.refused.isEmpty {
        writeError(
          "\(imported.refused.count) statements are refused by the model, the first of them:")
        for line in imported.refused.prefix(3) { writeError("  \(line)") }
      }
      for chapter in imported.chapters {
        for line in chapter.unread { writeError("not read: \(line)") }
      }
      for line in summary.unknowns { writeError("not known: \(line)") }
      for line in imported.notes { writeError(line) }
      let unknowns = Set(imported.chapters.flatMap { $0.tables.flatMap { $0.table.unknowns } })
      if !unknowns.isEmpty {
        writeError("not in the dumps: \(unknowns.sorted().joined(separator: ", "))")
      }
    }

    private func refuseDoubts(_ imported: Imported) throws {
      let unread = imported.chapters.flatMap(\.unread)
      if imported.summary.skipped > 0 || !unread.isEmpty || !imported.refused.isEmpty {
        throw Failure.input(
          "--strict: \(imported.summary.skipped) lines and \(unread.count) files cannot be read, "
            + "\(imported.refused.count) statements are refused")
      }
    }

    /// Says how the tables that were seen compare with those of the model, and which expectations do not hold.
    ///
    /// - Returns: what differs first.
    private func report(_ imported: Imported) -> Discrepancy? {
      guard let run = imported.run else { return nil }
      for failure in run.session.failures {
        writeError("\(failure.place): not as expected: \(failure.message)")
      }
      let compared = run.judgements.reduce(0) { $0 + $1.judgement.compared }
      let different = run.judgements.count { !$0.judgement.differences.isEmpty }
      if different == 0 {
        if compared > 0 {
          writeError("all \(compared) tables that were seen are those of the model")
        }
        return nil
      }
      writeError(
        "\(different) of \(run.judgements.count) moments have tables that are not those of the model; the first:"
      )
      // With both walks, and what led to it.
      var session = run.session
      let moments = ComparisonRecord.moments(imported.chapters, in: session)
      let difference = ComparisonRecord(moments, in: &session).difference
      for line in difference?.lines ?? [] { writeError(line) }
      return difference
    }
  }
}

/// Hints for reading sources that are not self-describing.
struct ImportHints: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the sources are: \(SourceKind.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "kind"))
  var `as`: SourceKind?

  @Option(
    help: ArgumentHelp("Bits of the IPA space of a dump that comes alone.", valueName: "bits"))
  var ipa: Int?

  @Option(
    help: ArgumentHelp("VTTBR_EL2 of the table in a memory image.", valueName: "value"),
    transform: Self.number)
  var vttbr: UInt64?

  @Option(
    help: ArgumentHelp("VTCR_EL2 of the table in a memory image.", valueName: "value"),
    transform: Self.number)
  var vtcr: UInt64?

  @Option(
    help: ArgumentHelp("Physical address of the first byte of raw memory.", valueName: "pa"),
    transform: Self.number)
  var base: UInt64?

  @Option(
    help: ArgumentHelp(
      """
      Where a memory slot lies in the VMM, whose addresses notifiers name: canonical IPA, address of the VMM, \
      bytes. May be given several times.
      """, valueName: "ipa=hva:size"),
    transform: Self.slot)
  var slot: [HostSlot] = []

  @Option(
    help: ArgumentHelp(
      "The VM's folder, as 2101-12, where a folder or an archive has several.", valueName: "name"))
  var vm: String?

  func validate() throws {
    if let ipa, !VMConfiguration.ipaBitsRange.contains(ipa) {
      throw ValidationError(
        "--ipa: expected \(VMConfiguration.ipaBitsRange.lowerBound) to \(VMConfiguration.ipaBitsRange.upperBound)"
      )
    }
  }

  var values: Imported.Hints {
    Imported.Hints(
      kind: `as`, inputBits: ipa, vttbr: vttbr, vtcr: vtcr, base: base, slots: slot, vm: vm)
  }

  /// `0x40000000=0xffff81600000:0x400000`, or the size as 4M.
  private static func slot(_ text: String) throws -> HostSlot {
    let sides = text.split(separator: "=", omittingEmptySubsequences: false)
    let parts = sides.last?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    guard sides.count == 2, parts.count == 2,
      let found = HostSlot(
        canonical: try number(String(sides[0])), host: try number(String(parts[0])),
        size: try number(String(parts[1])))
    else {
      throw ValidationError("expected IPA=HVA:SIZE, whole pages below 2^48, not '\(text)'")
    }
    return found
  }

  private static func number(_ text: String) throws -> UInt64 {
    guard let value = Number.value(of: text) else {
      throw ValidationError("expected a number, not '\(text)'")
    }
    return value
  }
}

extension SourceKind: ExpressibleByArgument {}

extension ReverseMapVersion: ExpressibleByArgument {}
