import Engine
import Foundation
import KernelText
import Language
import Observation
import Testing

@testable import Import

/// The captures of a real kernel, opened as they are, without the scenarios that were written for them.
@Suite struct RecordedCaptureTests {
  /// A captured run: a folder with a folder for each step.
  struct Run: CustomTestStringConvertible, Sendable {
    let folder: URL
    var testDescription: String { folder.pathComponents.suffix(2).joined(separator: "/") }
    var isPatched: Bool { testDescription.hasPrefix("patched/") }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "assets/captures")

    static func all(_ groups: [String]) -> [Run] {
      groups.flatMap { group -> [Run] in
        let folder = root.appending(path: group)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { Run(folder: folder.appending(path: $0)) }
      }
    }

    /// Every file below the folder but the scenario, which nobody has of a real machine.
    var files: [(path: String, bytes: [UInt8])] {
      let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
      return (names ?? []).sorted().compactMap { name in
        let file = folder.appending(path: name)
        guard !name.hasPrefix("scenario"), !file.hasDirectoryPath,
          let data = try? Data(contentsOf: file)
        else { return nil }
        return (name, [UInt8](data))
      }
    }

    var chapters: [RecordedChapter] {
      RecordedChapter.all(in: files, of: folder.path)
    }

    func text(_ label: String, _ file: String) -> String? {
      try? String(contentsOf: folder.appending(path: label).appending(path: file), encoding: .utf8)
    }
  }

  private static let runs = Run.all(["nested", "nested2", "plain", "patched", "l1linux"])

  private func carryOut(
    _ recorded: RecordedScenario, at chapter: (String, Machine) throws -> Void
  ) throws {
    try recorded.made.requireSameText()
    var session = Session(recorded.made.scenario)
    while let statement = try session.advance() {
      guard case .chapter(let label, _) = statement.kind else { continue }
      #expect(session.violations().isEmpty, "\(label)")
      try chapter(label, session.timeline.machine)
    }
  }

  /// Both with the unmaps as they were recorded, and with those that the model decides for itself.
  @Test(arguments: runs, [false, true])
  func `every dump of every step is what the model has made of the calls`(
    run: Run, isPredicted: Bool
  ) throws {
    let version: ReverseMapVersion = run.isPatched ? .repaired : .none
    let chapters = run.chapters
    #expect(!chapters.isEmpty)
    let recorded = try RecordedScenario(
      chapters, title: "a run", unmaps: isPredicted ? .predicted(version) : .observed,
      writesText: true)
    #expect(recorded.summary.skipped == 0 && recorded.summary.statements > 3)
    #expect(recorded.summary.unknowns.isEmpty, "\(recorded.summary.unknowns)")
    var labels: [String] = []
    try carryOut(recorded) { label, machine in
      labels.append(label)
      let chapter = try #require(chapters.first { $0.label == label })
      let judgement = Judgement(chapter, with: machine)
      #expect(judgement.differences.map(\.sentence) == [], "\(run.testDescription) \(label)")
      #expect(judgement.compared == chapter.shadows.count + 1)
      // By the bytes also, without any reader; but when the hardware set an access flag nobody knows.
      if run.testDescription == "nested2/aging" { return }
      #expect(
        KernelDump.text(of: .canonical, in: machine) == run.text(label, "stage2_page_tables"))
      for number in 0..<machine.configuration.shadows {
        #expect(
          KernelDump.text(of: .shadow(number), in: machine)
            == run.text(label, "nested/nested_mmu\(number)"))
      }
    }
    #expect(labels == chapters.map(\.label))
  }

  /// `host_pages.txt` is from the VMM's pagemap: another source than the calls.
  @Test(arguments: Run.all(["nested", "nested2", "plain", "patched"]))
  func `output addresses are those of the VMM's pages`(run: Run) throws {
    let recorded = try RecordedScenario(run.chapters, title: "a run", unmaps: .observed)
    var known = 0
    try carryOut(recorded) { label, machine in
      guard let table = ObservedTable(.canonical, of: machine),
        let text = run.text(label, "host_pages.txt")
      else { return }
      for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        let words = line.split { $0 == " " || $0 == "-" }.map { UInt64($0.dropFirst(2), radix: 16) }
        guard let start = words[0], let end = words[1], let physical = words[2] else { continue }
        for page in stride(from: start, to: end, by: 4096) {
          guard let run = table.run(at: page), run.isMapped else { continue }
          known += 1
          #expect(run.descriptor.address + (page - run.start) == physical + (page - start))
        }
      }
    }
    #expect(known > 5)
  }

  @Test(arguments: Run.all(["iommu"]))
  func `the IOMMU's table maps what is left mapped by the trace`(run: Run) throws {
    let recorded = try RecordedScenario(run.chapters, title: "a run", unmaps: .observed)
    var pages: [UInt64: UInt64] = [:]
    for chapter in run.chapters {
      for trace in chapter.traces where trace.name.hasSuffix("trace.txt") {
        var reader = TraceReader()
        reader.read(trace.bytes) { event in
          switch event.fact {
          case .iommuMap(let range, let physical):
            for page in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
              pages[page] = physical + (page - range.lowerBound)
            }
          case .iommuUnmap(let range, _):
            for page in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
              pages[page] = nil
            }
          default: break
          }
        }
      }
    }
    var session = Session(recorded.made.scenario)
    try session.finish()
    let machine = session.timeline.machine
    var mapped: [UInt64: UInt64] = [:]
    if let table = machine.table(.iommu(0)) {
      machine.visit(.mapping, of: table) { leaf in
        for offset in stride(from: 0, to: table.geometry.size(leaf.level), by: 4096) {
          mapped[leaf.address + offset] = leaf.descriptor.address + offset
        }
      }
    }
    #expect(mapped == pages)
  }

  /// A kernel that forgets one shadow is not Linux 7.3.4, and the first row says so.
  @Test func `a kernel that leaves a leaf behind is told from the model`() throws {
    let run = try #require(
      Run.all(["nested"]).first { $0.testDescription == "nested/nested-notifier" })
    // The notifier's sweep of the shadow is gone from dumps of the first step after it: what was there stays.
    var chapters = run.chapters
    let swept = try #require(
      chapters.indices.dropFirst().first { index in
        chapters[index].shadows[0] != chapters[index - 1].shadows[0]
          && chapters[index].traces.contains {
            String(decoding: $0.bytes, as: UTF8.self).contains("nested_unmap_all")
          }
      })
    chapters[swept].shadows[0] = chapters[swept - 1].shadows[0]
    let recorded = try RecordedScenario(chapters, title: "a run", unmaps: .predicted(.none))
    var found: [String] = []
    try carryOut(recorded) { label, machine in
      let chapter = try #require(chapters.first { $0.label == label })
      found += Judgement(chapter, with: machine).differences.map { "\(label) \($0.sentence)" }
    }
    #expect(found.count == 1, "\(found)")
    #expect(
      found.first?.hasPrefix("\(chapters[swept].label) shadow 0 differs at 0x") == true, "\(found)")
  }

  /// Lines of a capture of a VM under pKVM, where the dump fails: what its kernel asked the hypervisor for.
  @Test func `under pKVM the probes and the hypervisor's trace tell the VM's table`() throws {
    let head = "            init-1       [000] d..1.     "
    let probes = """
      # tracer: nop
      \(head)6.109006: pkvm_map: (pkvm_pgtable_stage2_map+0x0/0x248) pgt=0xffff000002199b00 addr=0x80000000 size=0x1000 phys=0x409ed000 prot=0xf
      \(head)6.149216: pkvm_map: (pkvm_pgtable_stage2_map+0x0/0x248) pgt=0xffff000002199b00 addr=0xc0000000 size=0x200000 phys=0x42a00000 prot=0xf
      \(head)6.174401: mmu_notifier_unmap_gfn: (kvm_unmap_gfn_range+0x0/0x80) start_gfn=0x80000 end_gfn=0x80001
      \(head)6.174451: pkvm_unmap: (pkvm_pgtable_stage2_unmap+0x0/0x50) pgt=0xffff000002199b00 addr=0x80000000 size=0x1000
      \(head)6.174693: nested_unmap_all: (kvm_nested_s2_unmap+0x0/0xb8) kvm=0xffff00000145c000 may_block=1
      """
    let hypervisor = """
      [000]\t    5.903465: hyp_exit reason=eret_host vcpu=0
      [000]\t    6.120000: hyp_enter reason=host_abort vcpu=0
      [000]\t    6.120001: hyp_exit reason=eret_host vcpu=0
      """
    let files: [(path: String, bytes: [UInt8])] = [
      ("00/probes.txt", Array(probes.utf8)), ("00/hyp_trace.txt", Array(hypervisor.utf8)),
      ("00/ipa_range", Array("35232960\n".utf8)),
    ]
    let recorded = try RecordedScenario(
      RecordedChapter.all(in: files, of: "pkvm"), title: "pkvm", unmaps: .observed, writesText: true
    )
    let lines = try #require(recorded.made.text).split(separator: "\n").dropFirst(3).map(
      String.init)
    #expect(
      lines == [
        "kernel map canonical 0x80000000 4K 0x409ed000 rw x  # 00/probes.txt:2",
        "# 00/hyp_trace.txt:2 pKVM's host faults, where is not told",
        "kernel map canonical 0xc0000000 2M 0x42a00000 rw x  # 00/probes.txt:3",
        "kernel unmap canonical 0x80000000 4K  # 00/probes.txt:4", "chapter 00",
      ])
    try carryOut(recorded) { _, machine in
      let table = try #require(ObservedTable(.canonical, of: machine))
      #expect(table.run(at: 0xc010_0000)?.descriptor.address == 0x42a0_0000)
      #expect(table.run(at: 0x8000_0000)?.isMapped == false)
    }
  }

  @Test func `files of pKVM's kernel that make no sense are named, and nothing is made of them`() {
    let files: [(path: String, bytes: [UInt8])] = [
      ("00/ipa_range", Array("35232960\n".utf8)), ("00/stage2_page_tables", []),
      ("00/stage2_page_tables.err", Array("read/open failed: Numerical result (34)\n".utf8)),
      ("00/trace.txt", Array("# tracer: nop\n".utf8)), ("00/stage2_levels", Array("4\n".utf8)),
    ]
    let chapters = RecordedChapter.all(in: files, of: "pkvm")
    #expect(chapters.count == 1 && chapters[0].canonical == nil && chapters[0].inputBits == nil)
    #expect(
      chapters[0].unread == [
        "00/ipa_range: no number of bits that an IPA can have",
        "00/stage2_page_tables: read/open failed: Numerical result (34)",
      ])
  }
}

extension ScenarioMaker {
  /// The text, if there is one, says what the scenario does, statement by statement, and where each is from.
  func requireSameText() throws {
    guard let text else { return }
    let read = try Scenario(parsing: Array(text.utf8), file: "imported.pw")
    #expect(read.configuration == scenario.configuration && read.title == scenario.title)
    #expect(read.statements.map(\.kind.text) == scenario.statements.map(\.kind.text))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (written, own) in zip(read.statements, scenario.statements) where own.isEvent {
      let line = try #require(written.origin.line.map { lines[$0 - 1] })
      let comment = line.firstRange(of: "# ").map { line[$0.upperBound...] }
      #expect(comment?.hasPrefix(scenario.place(of: own.origin)) ?? true)
    }
  }
}
