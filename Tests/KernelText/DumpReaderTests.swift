import Engine
import Foundation
import Observation
import TestSupport
import Testing

@testable import KernelText

/// Dumps of all dialects, written here by what their kernels' sources say, and read back.
@Suite struct DumpReaderTests {
  /// A run of entries: addresses, level, and bits.
  struct Run: Equatable {
    var start: UInt64
    var end: UInt64
    var level: Int
    var bits: UInt64
  }

  /// A kernel's way to write rows: `ptdump.c` of each.
  enum Kernel: CaseIterable {
    case linux6_12, linux7_1, linux7_2, linux7_3rc, linux7_3, android

    private var printsLastRun: Bool { self == .linux7_3rc || self == .linux7_3 }

    /// What the kernel shows of a bit, and what it shows if the bit is not set.
    private var attributes: [(mask: UInt64, value: UInt64, set: String, clear: String)] {
      let valid = (UInt64(1), UInt64(1), " ", "F")
      let read = (UInt64(1 << 6), UInt64(1 << 6), "R", " ")
      let write = (UInt64(1 << 7), UInt64(1 << 7), "W", " ")
      let accessed = (UInt64(1 << 10), UInt64(1 << 10), "AF", "  ")
      let block = (UInt64(3), UInt64(1), "BLK", "   ")
      switch self {
      case .linux6_12:
        return [valid, read, write, (1 << 54, 1 << 54, "X", " "), accessed, block]
      case .linux7_1, .linux7_2, .linux7_3rc, .linux7_3:
        return [valid, read, write, (0, 0, "", ""), accessed, block]
      case .android:
        return [
          valid, (1 << 54, 1 << 54, "XN", "  "), read, write, accessed,
          (1 << 11, 1 << 11, "FnXS", "    "), (1 << 52, 1 << 52, "CON", "   "), block,
        ]
      }
    }

    /// The bits of an entry that rows tell.
    var mask: UInt64 {
      attributes.reduce(self == .linux6_12 || self == .android ? 0 : UInt64(3) << 53) {
        $0 | $1.mask
      }
    }

    func row(_ run: Run, startLevel: Int) -> String {
      let units = ["K", "M", "G", "T", "P", "E"]
      var size = (run.end &- run.start) >> 10
      var unit = 0
      while size & 1023 == 0, unit < 5 { (size, unit) = (size >> 10, unit + 1) }
      var text =
        String(format: "0x%016lx-0x%016lx   %9lu", run.start, run.end, size) + units[unit] + " "
      let names = ["PGD", "PUD", "PMD", "PTE"]
      text +=
        self == .android
        ? (run.level == startLevel ? "PGD" : names[run.level]) : String(run.level)
      if run.bits & mask == 0 { return text }
      for (mask, value, set, clear) in attributes {
        if mask == 0 {
          text += " " + ["px ux ", "PXNux ", "PXNUXN", "px UXN"][Int(run.bits >> 53 & 3)]
        } else {
          text += " " + (run.bits & mask == value ? set : clear)
        }
      }
      return text
    }

    /// The dump of a table, whose runs are those of `note_page` for this kernel.
    func dump(_ runs: [Run], startLevel: Int) -> String {
      let shown = printsLastRun ? runs : runs.dropLast()
      return "---[ Guest IPA ]---\n"
        + shown.map { row($0, startLevel: startLevel) + "\n" }.joined()
    }

    /// The same by a `seq_file` that begins again with twice the buffer until all fits, while the state of
    /// the dump stays what it was (Linux before 7.2).
    func restartedDump(_ runs: [Run], startLevel: Int) -> String {
      var size = 4096
      var state: Run?
      while true {
        var text = state == nil ? "---[ Guest IPA ]---\n" : ""
        for run in runs {
          if let old = state, old.level != run.level || old.bits & mask != run.bits & mask {
            text +=
              row(
                Run(start: old.start, end: run.start, level: old.level, bits: old.bits),
                startLevel: startLevel) + "\n"
            state = run
          } else if state == nil {
            state = run
          }
        }
        if text.utf8.count < size { return text }
        size *= 2
      }
    }
  }

  /// A table of 40 bits as KVM could have it, of random leaves.
  private func table(_ seed: UInt64, runs count: Int) -> [Run] {
    var random = Generator(seed: seed)
    var runs: [Run] = []
    var address: UInt64 = 0
    func add(_ end: UInt64, _ level: Int, _ bits: UInt64) {
      if let last = runs.last, last.level == level, last.bits == bits {
        runs[runs.count - 1].end = end
      } else if address < end {
        runs.append(Run(start: address, end: end, level: level, bits: bits))
      }
      address = end
    }
    add(1 << 30, 1, 0)
    for _ in 0..<count {
      let kind = random.below(4)
      let pages = UInt64(random.below(3) + 1)
      let flags: UInt64 =
        [0xc0, 0x40, 0x80][random.below(3)] | 1 << 10 | UInt64(random.below(4)) << 53
      switch kind {
      case 0: add(address + pages << 12, 3, 0)
      case 1: add(address + pages << 12, 3, 3 | flags)
      case 2 where address & 0x1f_ffff == 0: add(address + pages << 21, 2, 1 | flags)
      case 3: add(address + pages << 12, 3, flags & ~(1 << 10))
      default: add((address | 0x1f_ffff) + 1, 3, 3 | flags)
      }
    }
    add((address | 0x3fff_ffff) + 1, 3, 0)
    add(1 << 40, 1, 0)
    return runs
  }

  private func read(_ text: String, inputBits: Int? = 40) throws -> DumpReader.Reading {
    try DumpReader.read([UInt8](text.utf8), inputBits: inputBits)
  }

  private func runs(_ table: ObservedTable) -> [Run] {
    table.runs.map {
      Run(
        start: $0.start, end: $0.end, level: Int($0.level), bits: $0.descriptor.bits)
    }
  }

  /// What a kernel's rows tell of runs: those that look the same to it are one.
  private func merged(_ runs: [Run], _ mask: UInt64) -> [Run] {
    runs.reduce(into: []) { found, run in
      var run = run
      run.bits &= mask
      if let last = found.last, last.level == run.level, last.bits == run.bits {
        found[found.count - 1].end = run.end
      } else {
        found.append(run)
      }
    }
  }

  /// A line with a line feed at the last blank before a column, if it is longer.
  private func broken(_ line: String, at column: Int) -> String {
    guard line.count > column, let blank = line.prefix(column).lastIndex(of: " ") else {
      return line
    }
    return line[..<blank] + "\n" + line[line.index(after: blank)...]
  }

  private func numbered(_ lines: [Substring]) -> String {
    lines.enumerated().map { index, line in "    \(index + 1)\t" + line }.joined(separator: "\n")
  }

  @Test func `a dump that broke off in a row has the rows before it`() throws {
    let model = table(4, runs: 12)
    let text = Kernel.linux7_3.dump(model, startLevel: 1)
    let whole = runs(try #require(try read(text).tables.first))
    let last = try #require(text.dropLast().lastIndex(of: "\n"))
    for end in [21, 37, 45, 50] {
      let cut = try read(String(text[...text.index(last, offsetBy: end)]))
      #expect(cut.skipped.count == 1 && cut.skipped.first.first?.line == whole.count + 1)
      let table = try #require(cut.tables.first)
      #expect(runs(table) == Array(whole.dropLast()) && table.coverage == .lastRunMissing)
    }
    // In the middle of a text the same is a mistake.
    #expect(throws: TextError.self) {
      try read(String(text.prefix(120)) + "\n" + text)
    }
  }

  @Test(arguments: Kernel.allCases, [1, 2, 3] as [UInt64])
  func `one table in six dialects is the same table`(kernel: Kernel, seed: UInt64) throws {
    let model = merged(table(seed, runs: 30), kernel.mask)
    let text = kernel.dump(model, startLevel: 1)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let variants: [String] = [
      text, text.replacing("\n", with: "\r\n"),
      lines.map { line in
        String(line.reversed().drop { $0 == " " }.reversed())
      }.joined(separator: "\n"),
      lines.map { "> > " + $0 }.joined(separator: "\n"),
      "What the host says:\n\n" + lines.map { "\t" + $0 }.joined(separator: "\n") + "\nRegards\n",
      text.replacing("   ", with: " "),
      // As tools print lines, and as a mail program breaks them.
      numbered(lines),
      lines.map { "stage2_page_tables:" + $0 }.joined(separator: "\n"),
      lines.map { "[  812.004511][  T123] " + $0 }.joined(separator: "\n"),
      lines.map { "> " + broken(String($0), at: 52) }.joined(separator: "\n"),
      lines.map { broken(String($0), at: 64).replacing("\n", with: "\n> ") }.joined(
        separator: "\n"),
    ]
    for text in variants {
      let reading = try read(text)
      let table = try #require(reading.tables.first)
      #expect(reading.tables.count == 1)
      let printed = kernel == .linux7_3 || kernel == .linux7_3rc
      #expect(table.coverage == (printed ? .whole : .lastRunMissing))
      #expect(runs(table) == (printed ? model : Array(model.dropLast())))
      #expect(table.known == kernel.mask | 3)
      #expect(!table.knowsOutputs)
    }
  }

  @Test(arguments: [Kernel.linux6_12, .linux7_1])
  func `a dump that was begun again is complete`(kernel: Kernel) throws {
    // The last run without leaves, as ever, and with the attributes of a leaf.
    for last: UInt64 in [0, 0x4c1] {
      for first: UInt64 in [0, 0x4c1] {
        var model = merged(table(7, runs: 300), kernel.mask)
        model[0].bits = first & kernel.mask
        model[model.count - 1].bits = last & kernel.mask
        let text = kernel.restartedDump(model, startLevel: 1)
        #expect(text.utf8.count > 4096 && !text.contains("---["))
        let reading = try read(text)
        let table = try #require(reading.tables.first)
        #expect(reading.hasRestarted && table.coverage == .whole)
        #expect(runs(table) == model)
        // Without the input size the last run has a start, but no end.
        #expect(try read(text, inputBits: nil).tables.first?.coverage == .lastRunMissing)
      }
    }
  }

  @Test func `X means must not execute in one dialect, and nothing but words say it in the others`()
    throws
  {
    let row = "0x0000000000000000-0x0000000000001000           4K 3   R W"
    let executable = try read("\(row)   AF\n").tables[0].runs[0].descriptor
    #expect(executable.permissions.allow(.execute))
    let marked = try read("\(row) X AF\n").tables[0].runs[0].descriptor
    #expect(!marked.permissions.allow(.execute))
    #expect(try read("\(row) px ux  AF\n").tables[0].runs[0].descriptor.executeNever == 0)
    #expect(try read("\(row) px UXN AF\n").tables[0].runs[0].descriptor.executeNever == 3)
    #expect(throws: TextError.self) {
      try read(
        """
        0x0000000000000000-0x0000000000001000           4K 3   R W X AF
        0x0000000000001000-0x0000000000002000           4K 3   R W px ux  AF
        """)
    }
  }

  @Test func `an entry that is not valid keeps the bits that are shown`() throws {
    let table = try read(
      """
      ---[ Guest IPA ]---
      0x0000000000000000-0x0000000000001000           4K 3 F R W px ux
      0x0000000000001000-0x0000010000000000  1073741820K 1
      """
    ).tables[0]
    #expect(table.runs[0].descriptor.bits == 0xc0 && !table.runs[0].isMapped)
    #expect(table.runs[1].isEmpty)
    #expect(table.leaves == 0)
  }

  @Test(arguments: [
    ("0x0000000000000000-0x0000000000001000           8K 3", "1:49: a size that is not that"),
    ("0x0000000000000000-0x0000000000001000           4K 4", "1:52: expected a level"),
    ("0x0000000000000000-0x0000000000001000           4K 3   R Q", "1:58: 'Q' is no attribute"),
    (
      "0x0000000000000000-0x0000000000001000           4K 3\n"
        + "0x0000000000002000-0x0000000000003000           4K 3", "2:1: a row that begins at 0x2000"
    ),
    ("0x0000000000000000-0x0000020000000000           2T 1", "1:1: a row ends at 0x20000000000"),
    ("0x0000000000001000-0x0000000000001000           0K 3", "1:1: a row of no addresses"),
  ])
  func `a row that cannot be is named`(text: String, message: String) throws {
    let error = #expect(throws: TextError.self) { try read(text) }
    #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
  }

  /// The captures: what is read is written again, by other code than the program's.
  @Test func `every dump of the captures says again what it said`() throws {
    var count = 0
    for file in try captures(where: { $0.contains("nested_mmu") || $0 == "stage2_page_tables" }) {
      let text = try String(contentsOf: file, encoding: .utf8)
      let isShadow = file.path.contains("/nested/nested_mmu")
      let reading = try read(text, inputBits: nil)
      #expect(reading.skipped.count == 0)
      guard let table = reading.tables.first else {
        #expect(text.isEmpty)
        continue
      }
      count += 1
      #expect(table.coverage == .whole, "\(file.path)")
      #expect((table.context != nil) == isShadow)
      let header =
        table.context.map {
          String(
            format: "VTCR: 0x%016lx VTTBR: 0x%016lx s2: %@\n", $0.vtcr, $0.vttbr,
            $0.stage2Enabled ? "enabled" : "disabled")
        } ?? ""
      #expect(header + Kernel.linux7_3.dump(runs(table), startLevel: 1) == text, "\(file.path)")
    }
    #expect(count > 400)
  }

  @Test func `text cut or changed anywhere ends in a reading or an error`() throws {
    var random = Generator(seed: 15)
    let text = [UInt8](Kernel.linux7_3.dump(table(3, runs: 20), startLevel: 1).utf8)
    for _ in 0..<3000 {
      var bytes = text
      for _ in 0..<random.below(4) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if random.below(3) == 0 { bytes.removeLast(random.below(bytes.count)) }
      let reading = try? DumpReader.read(bytes, inputBits: random.below(2) == 0 ? 40 : nil)
      for table in reading?.tables ?? [] {
        for (one, two) in zip(table.runs, table.runs.dropFirst()) { #expect(one.end == two.start) }
        #expect(table.runs.allSatisfy { $0.start < $0.end })
      }
    }
  }
}

/// The files of the captures with a name, in order.
func captures(where isWanted: (String) -> Bool) throws -> [URL] {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "assets/captures")
  let names = try #require(FileManager.default.enumerator(atPath: root.path))
  return names.compactMap { $0 as? String }.filter {
    isWanted(String($0.split(separator: "/").last ?? ""))
  }.sorted().map { root.appending(path: $0) }
}
