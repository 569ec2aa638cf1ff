import CBenchmarkPeers
import Engine
import Foundation
import Glibc
import Import
import KernelText
import Language
import MemoryImage
import Observation

/// Reading what a real machine says: traces, dumps and memory images, beside the programs that read the same
/// files, where they are installed.
func benchmarkImport(rounds: Int) {
  let widths = [34, 12, 12]
  row(["import", "pagewalk", "peer"], widths: widths)
  let others = trace(lines: 1_000_000, of: 0)
  row(
    ["trace, none of ours, M lines/s", figure(rate(others, rounds)), figure(grepRate(others))],
    widths: widths)
  let faults = trace(lines: 500_000, of: 1)
  row(
    ["trace, faults, M lines/s", figure(rate(faults, rounds)), figure(grepRate(faults))],
    widths: widths)
  let calls = trace(lines: 500_000, of: 2)
  row(
    ["trace, kprobes, M lines/s", figure(rate(calls, rounds)), figure(grepRate(calls))],
    widths: widths)
  if let kept = keptBytes(calls: 500_000) {
    row(["bytes kept of a call while read", figure(kept.reading)], widths: widths)
    row(["of its event, besides the journal", figure(kept.opened)], widths: widths)
  }
  row(["the same by trace-cmd report", "-", figure(reportRate(events: 500_000))], widths: widths)
  row(["dump of 500,000 rows, ms", figure(dumpTime(rows: 500_000, rounds))], widths: widths)
  if let time = coreTime(leaves: 1 << 20, rounds) {
    row(["core of 4G, 1 M leaves, ms", figure(time)], widths: widths)
  }
}

/// Text of ftrace. Either every line is an event that concerns us, or none is.
private func trace(lines: Int, of kind: Int) -> [UInt8] {
  var text: [UInt8] = Array("# tracer: nop\n".utf8)
  let head = " CPU 0/KVM-2101    [003] d..1.   812.004511: "
  let events = [
    "kvm_entry: PC: 0x0000000040000000\n",
    "kvm_guest_fault: ipa 0x40200000, hsr 0x92000007, hxfar 0xffff800080a01000, pc 0xffff800080012340\n",
    "s2_map: (kvm_pgtable_stage2_map+0x0/0x138) pgt=0xffff000002164b40 addr=0x40103000 size=0x1000 "
      + "phys=0x409eb000 prot=0xf\n",
  ]
  let line = Array((head + events[kind]).utf8)
  text.reserveCapacity(lines * line.count + text.count)
  for _ in 0..<lines { text += line }
  return text
}

/// Bytes kept of each call that a kprobe saw, all for different pages: while a trace is read, besides its text, and
/// in the history that is made of it.
private func keptBytes(calls: Int) -> (reading: Double, opened: Double)? {
  var text = "# tracer: nop\n"
  for page in 0..<calls {
    text +=
      " CPU 0/KVM-2101    [003] d..1.   812.004511: s2_map: (kvm_pgtable_stage2_map+0x0/0x138) "
      + "pgt=0xffff000002164b40 addr=0x\(hex(0x8000_0000 + UInt64(page) << 12)) size=0x1000 "
      + "phys=0x\(hex(0x9_0000_0000 + UInt64(page * 7919 % calls) << 12)) prot=0xf\n"
  }
  var chapter = RecordedChapter(label: "0")
  chapter.traces = [RecordedChapter.Trace(name: "trace.txt", bytes: Array(text.utf8))]
  func each(_ bytes: UInt64) -> Double { Double(bytes) / Double(calls) }
  var start = allocated_bytes()
  var survey = RecordedEvents.Survey()
  let events = RecordedEvents(chapter.traces, &survey)
  let reading = each(allocated_bytes() - start)
  if events.count != calls { noteWrong("wrong result") }
  start = allocated_bytes()
  guard var made = try? RecordedScenario([chapter], title: "calls", unmaps: .observed).made
  else { return nil }
  // Statements are released once they are carried out, unless somebody else holds them.
  var session = Session(made.takeScenario())
  guard (try? session.finish()) != nil else { return nil }
  let machine = session.timeline.machine
  let journal = UInt64(machine.memory.journalCount * 12)
  // The pages of the table itself are as large as the kernel's.
  let table = UInt64(calls * 8)
  return (reading, each(allocated_bytes() - start - journal - table))
}

/// Millions of lines a second.
private func rate(_ text: [UInt8], _ rounds: Int) -> Double {
  var measurement = Measurement(name: "trace")
  var lines = 0
  for _ in 0..<rounds {
    var reader = TraceReader()
    var sum: UInt64 = 0
    let start = Stopwatch()
    reader.read(text) { event in sum &+= UInt64(event.line) }
    measurement.rounds.append(start.nanoseconds)
    lines = reader.summary.lines
    if reader.summary.skipped.count > 0 || sum == 1 { noteWrong("wrong result") }
  }
  return Double(lines) * 1000 / measurement.median
}

/// The same of `grep -c`, which looks for one event; nil without it.
private func grepRate(_ text: [UInt8]) -> Double? {
  withTemporaryFile(text) { path in
    let start = childTime
    // That it finds nothing is no error.
    guard system("grep -c kvm_guest_fault \(path) 2>/dev/null | cat >/dev/null") & 0xfe00 == 0
    else {
      return nil
    }
    let lines = text.reduce(0) { $0 + ($1 == 0x0a ? 1 : 0) }
    return Double(lines) * 1000 / max(1, childTime - start)
  }
}

/// Millions of events a second that `trace-cmd report` prints, of a trace.dat made of the tests' own, whose one
/// call is repeated; nil without trace-cmd.
private func reportRate(events: Int) -> Double? {
  let fixture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Tests/pagewalk/trace.dat").path
  return withTemporaryFile([]) { path in
    let convert =
      "trace-cmd convert --file-version 6 --compression none -i \(fixture) -o \(path) >/dev/null 2>&1"
    guard system(convert) == 0, let data = try? Data(contentsOf: URL(filePath: path)),
      let mark = data.range(of: Data("flyrecord\0".utf8))?.upperBound
    else { return nil }
    var file = [UInt8](data)
    func number(_ place: Int) -> Int {
      (0..<8).reduce(0) { $0 | Int(file[place + $1]) << (8 * $1) }
    }
    func put(_ value: Int, _ place: Int, _ bytes: inout [UInt8]) {
      for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
    }
    // Behind the mark stand the offset and size of each CPU's pages. A page has a time, a length and events. The
    // third event of the first page is the call.
    let pages = number(mark)
    let call = pages + 16 + 36 + 60..<pages + 16 + 36 + 120
    guard file.count >= pages + 4096 else { return nil }
    let inPage = (4096 - 16) / call.count
    var page = Array(file[pages..<pages + 16])
    put(inPage * call.count, 8, &page)
    for _ in 0..<inPage { page += file[call] }
    page += [UInt8](repeating: 0, count: 4096 - page.count)
    let count = events / inPage
    let time = number(pages)
    put(count * 4096, mark + 8, &file)
    put(0, mark + 24, &file)
    file.removeSubrange(pages...)
    for index in 0..<count {
      put(time + index << 20, 0, &page)
      file += page
    }
    guard (try? Data(file).write(to: URL(filePath: path))) != nil else { return nil }
    let start = childTime
    guard system("trace-cmd report -t \(path) >/dev/null 2>&1") == 0 else { return nil }
    return Double(count * inPage) * 1000 / (childTime - start)
  }
}

/// CPU time of the programs that were run, in nanoseconds.
private var childTime: Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
  let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
  return Double(seconds) * 1e9 + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3
}

private func figure(_ value: Double?) -> String { value.map { figure($0) } ?? "-" }

/// Milliseconds.
private func dumpTime(rows: Int, _ rounds: Int) -> Double {
  var runs: [ObservedTable.Run] = []
  for page in 0..<UInt64(rows) {
    let bits: UInt64 = page & 1 == 0 ? 0x4c3 : 0x443
    runs.append(
      ObservedTable.Run(
        page << 12..<(page + 1) << 12, level: 3, descriptor: Descriptor(bits), line: 0))
  }
  let text = Array(DumpWriter.text(of: ObservedTable(runs: runs, known: ~0)).utf8)
  var measurement = Measurement(name: "dump")
  for _ in 0..<rounds {
    let start = Stopwatch()
    let tables = try? DumpReader.read(text, inputBits: 48).tables
    measurement.rounds.append(start.nanoseconds)
    if tables?.first?.runs.count != rows { noteWrong("wrong result") }
  }
  return measurement.median / 1e6
}

/// Milliseconds to open a core of 4 GiB with a table of leaves of 4K; nil if there is no room for the file.
private func coreTime(leaves: Int, _ rounds: Int) -> Double? {
  let base: UInt64 = 0x4000_0000
  let tables = leaves / 512
  // A root, a table of level 2 for each gigabyte, and the tables of pages behind them.
  var words = [UInt64](repeating: 0, count: (2 + tables / 512 + tables) * 512)
  var next = base + 0x2000
  var place = 1024
  for index in 0..<tables / 512 {
    words[index] = next | 3
    let middle = place
    next += 4096
    place += 512
    for entry in 0..<512 {
      words[middle + entry] = next | 3
      for page in 0..<512 {
        // Neighbours are not contiguous.
        words[place + page] = UInt64(place + page) << 13 | 0x7ff
      }
      next += 4096
      place += 512
    }
  }
  let table = words.withUnsafeBytes { Array($0) }
  func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }
  let size: UInt64 = 4 << 30
  var head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + bytes(0, 9)
  head += bytes(4, 2) + bytes(183, 2) + bytes(1, 4) + bytes(0, 8) + bytes(64, 8) + bytes(0, 8)
  head += bytes(0, 4) + bytes(64, 2) + bytes(56, 2) + bytes(1, 2) + bytes(0, 6)
  head += bytes(1, 4) + bytes(7, 4) + bytes(120, 8) + bytes(base, 8) + bytes(base, 8)
  head += bytes(size, 8) + bytes(size, 8) + bytes(0, 8)
  return withTemporaryFile(head + table) { path in
    guard truncate(path, off_t(size) + 120) == 0 else { return nil }
    var measurement = Measurement(name: "core")
    for _ in 0..<rounds {
      let start = Stopwatch()
      guard var image = try? MemoryImage(core: path),
        let walk = try? ImageWalk(&image, vttbr: base, vtcr: 0x8002_3558)
      else { return nil }
      measurement.rounds.append(start.nanoseconds)
      if walk.table.leaves != UInt64(leaves) || image.bytesRead > size / 100 {
        noteWrong("wrong result")
      }
    }
    return measurement.median / 1e6
  }
}

private func withTemporaryFile<Result>(
  _ bytes: [UInt8], _ body: (String) -> Result?
) -> Result? {
  let pattern = FileManager.default.temporaryDirectory.appending(path: "pagewalk-XXXXXX")
  var template = Array(pattern.path.utf8CString)
  let descriptor = mkstemp(&template)
  guard descriptor >= 0 else { return nil }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer {
    close(descriptor)
    unlink(path)
  }
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count <= 0 { return nil }
    rest = rest.dropFirst(count)
  }
  return body(path)
}
