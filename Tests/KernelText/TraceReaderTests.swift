import Foundation
import TestSupport
import Testing

@testable import KernelText

/// One trace in all the forms in which its text reaches people.
@Suite struct TraceReaderTests {
  /// An event as it was recorded.
  struct Recorded {
    var task: String
    var pid: Int
    var cpu: Int
    var nanoseconds: UInt64
    var system: String
    var name: String
    var text: String
    /// The text of `trace-cmd report -R`.
    var raw: String
  }

  private static let events = [
    Recorded(
      task: "CPU 0/KVM", pid: 2101, cpu: 3, nanoseconds: 812_004_511_000, system: "kvm",
      name: "kvm_guest_fault",
      text: "ipa 0x40200000, hsr 0x92000007, hxfar 0xffff800080a01000, pc 0xffff800080012340",
      raw: "vcpu_pc=0xffff800080012340 hsr=0x92000007 hxfar=0xffff800080a01000 ipa=0x40200000"),
    Recorded(
      task: "CPU 0/KVM", pid: 2101, cpu: 3, nanoseconds: 812_004_520_000, system: "kvm",
      name: "kvm_entry", text: "PC: 0x0000000040000000", raw: "vcpu_pc=0x40000000"),
    Recorded(
      task: "kworker/0:1-eve", pid: 17, cpu: 0, nanoseconds: 812_004_590_001, system: "kvm",
      name: "kvm_sys_access",
      text: "PC: ffff80008004c1d0 OP_TLBI_IPAS2E1IS (1,4,8,0,1) write",
      raw: "vcpu_pc=0xffff80008004c1d0 is_write=1 name=OP_TLBI_IPAS2E1IS Op0=1"),
    Recorded(
      task: "a [0] b-9 ", pid: 88, cpu: 1, nanoseconds: 812_100_000_000, system: "kvm",
      name: "kvm_unmap_hva_range",
      text: "mmu notifier unmap range: 0x007fbe64017000 -- 0x007fbe64018000",
      raw: "start=0x7fbe64017000 end=0x7fbe64018000"),
    Recorded(
      task: "vmm", pid: 2100, cpu: 2, nanoseconds: 812_200_000_000, system: "iommu", name: "map",
      text:
        "IOMMU: iova=0x0000000040000000 - 0x0000000040200000 paddr=0x0000000880000000 size=2097152",
      raw: "iova=0x40000000 paddr=0x880000000 size=0x200000"),
    Recorded(
      task: "vmm", pid: 2100, cpu: 2, nanoseconds: 812_300_000_000, system: "iommu", name: "unmap",
      text: "IOMMU: iova=0x0000000040000000 - 0x0000000040200000 size=2097152 unmapped_size=4096",
      raw: "iova=0x40000000 size=0x200000 unmapped_size=0x1000"),
    Recorded(
      task: "swapper/11", pid: 0, cpu: 11, nanoseconds: 812_400_000_000, system: "iommu",
      name: "io_page_fault",
      text: "IOMMU:arm-smmu-v3 0000:00:01.0 iova=0x0000000040001000 flags=0x0001",
      raw: "driver=arm-smmu-v3 device=0000:00:01.0 iova=0x40001000 flags=0x1"),
    Recorded(
      task: "init", pid: 1, cpu: 0, nanoseconds: 813_000_000_000, system: "kprobes",
      name: "s2_map",
      text:
        "(kvm_pgtable_stage2_map+0x0/0x138) pgt=0xffff0000021a1140 addr=0x70000000 size=0x1000 "
        + "phys=0x409e1000 prot=0x18000000000000b",
      raw:
        "__probe_ip=0xffff800080012340 pgt=0xffff0000021a1140 addr=0x70000000 size=0x1000 "
        + "phys=0x409e1000 prot=0x18000000000000b"),
    Recorded(
      task: "init", pid: 1, cpu: 0, nanoseconds: 813_000_001_000, system: "kprobes",
      name: "walk_nested_ret",
      text: "(kvm_handle_guest_abort+0x538/0xb18 <- kvm_walk_nested_s2) ret=1",
      raw: "__probe_func=0xffff800080012340 __probe_ret_ip=0xffff800080012350 ret=0x1"),
    Recorded(
      task: "init", pid: 1, cpu: 0, nanoseconds: 813_000_002_000, system: "sched",
      name: "sched_switch", text: "prev_comm=map: prev_pid=1 ==> next_comm=kvm_entry: x",
      raw: "prev_comm=map: prev_pid=1"),
  ]

  enum Flavour: CaseIterable {
    case trace, noFlags, tgid, latency, verbose, counter, traceCmd, traceCmdNano, traceCmdLatency
    case traceCmdRaw, traceCmdFiles, perf, perfPeriod, perfTimeless, windows

    /// Whether the time in it is that of the event.
    var isAbsolute: Bool { ![.latency, .verbose, .counter, .perfTimeless].contains(self) }

    func text(_ events: [Recorded]) -> String {
      let lines = events.map { line($0, since: events[0].nanoseconds) }
      switch self {
      case .trace, .windows:
        let text = """
          # tracer: nop
          #
          # entries-in-buffer/entries-written: 14/514   #P:1
          #           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
          ##### CPU 1 buffer started ####
          CPU:2 [LOST 7 EVENTS]
          CPU:2 [LOST EVENTS]

          """
          + lines.joined(separator: "\n") + "\n"
        return self == .windows ? text.replacing("\n", with: "\r\n") : text
      case .traceCmd, .traceCmdNano, .traceCmdLatency, .traceCmdRaw:
        return "cpus=4\n" + lines.joined(separator: "\n") + "\n"
      case .traceCmdFiles:
        return "trace-host.dat: cpus=4\n"
          + lines.map { "trace-host.dat: " + $0 }.joined(separator: "\n")
      default: return lines.joined(separator: "\n") + "\n"
      }
    }

    private func line(_ event: Recorded, since start: UInt64) -> String {
      let (seconds, rest) = event.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
      let micros = String(format: "%5lu.%06lu", seconds, rest / 1000)
      let nanos = String(format: "%5lu.%09lu", seconds, rest)
      let task = String(repeating: " ", count: max(0, 16 - event.task.utf8.count)) + event.task
      let pid = String(event.pid).padding(toLength: 7, withPad: " ", startingAt: 0)
      let cpu = String(format: "[%03d]", event.cpu)
      let relative = (event.nanoseconds - start) / 1000
      switch self {
      case .trace, .windows:
        return "\(task)-\(pid) \(cpu) d..1. \(micros): \(event.name): \(event.text)"
      case .noFlags: return "\(task)-\(pid) \(cpu) \(micros): \(event.name): \(event.text)"
      case .tgid:
        let group = event.pid == 0 ? "(-------)" : "(   2100)"
        return "\(task)-\(pid) \(group) \(cpu) ..... \(micros): \(event.name): \(event.text)"
      case .latency:
        let short = String(event.task.prefix(8))
        return "\(short)-\(pid) \(String(format: "%3d", event.cpu))d..1. "
          + String(format: "%4ld", relative) + "us+: \(event.name): \(event.text)"
      case .verbose:
        return "\(task) \(String(format: "%7d %3d", event.pid, event.cpu)) 0 00000001 0000001a "
          + "[001a2b3c] \(relative / 1000).\(String(format: "%03lu", relative % 1000))ms "
          + "(+0.004ms): \(event.name): \(event.text)"
      case .counter:
        return "\(task)-\(pid) \(cpu) d..1. \(String(format: "%12lu", relative)): "
          + "\(event.name): \(event.text)"
      case .traceCmd, .traceCmdFiles:
        return "\(task)-\(event.pid)  \(cpu)  \(micros): "
          + "\(event.name):".padding(toLength: 21, withPad: " ", startingAt: 0) + event.text
      case .traceCmdNano:
        return "\(task)-\(event.pid)  \(cpu)  \(nanos): "
          + "\(event.name):".padding(toLength: 21, withPad: " ", startingAt: 0) + event.text
      case .traceCmdLatency:
        return "\(task)-\(pid) \(event.cpu)d....  \(micros): \(event.name): \(event.text)"
      case .traceCmdRaw:
        return "\(task)-\(event.pid)  \(cpu)  \(micros): "
          + "\(event.name):".padding(toLength: 21, withPad: " ", startingAt: 0) + " \(event.raw)"
      case .perf:
        return
          "\(task) \(event.pid) \(cpu) \(micros):     \(event.system):\(event.name): \(event.text)"
      case .perfPeriod:
        return "\(task) \(event.pid)/\(event.pid) \(cpu) \(nanos):          1     "
          + "\(event.system):\(event.name): \(event.text)"
      case .perfTimeless:
        return "\(task) \(event.pid) \(cpu) \(event.system):\(event.name): \(event.text)"
      }
    }
  }

  /// Each event is the same when its line is read again.
  private func read(_ text: String) -> (events: [TraceEvent], summary: TraceReader.Summary) {
    var reader = TraceReader()
    var events: [TraceEvent] = []
    let bytes = [UInt8](text.utf8)
    reader.read(bytes) { event, offset in
      events.append(event)
      #expect(TraceReader().event(at: offset, line: event.line, in: bytes) == event)
    }
    return (events, reader.summary)
  }

  @Test(arguments: Flavour.allCases)
  func `all forms of one trace are the same events`(flavour: Flavour) throws {
    let text = flavour.text(Self.events)
    #expect(TraceReader.accepts([UInt8](text.utf8)))
    let (events, summary) = read(text)
    var call = KernelCall(.map)
    call.arguments.table = 0xffff_0000_021a_1140
    call.arguments.address = 0x7000_0000
    call.arguments.size = 4096
    call.arguments.physical = 0x409e_1000
    call.arguments.protection = 0x180_0000_0000_000b
    var end = KernelCall(.walkNested, isReturn: true)
    end.arguments.value = 1
    #expect(
      events.map(\.fact) == [
        .guestFault(
          address: 0x4020_0000, syndrome: 0x9200_0007, virtualAddress: 0xffff_8000_80a0_1000),
        .invalidate(.address), .unmapHostRange(0x7fbe_6401_7000..<0x7fbe_6401_8000),
        .iommuMap(0x4000_0000..<0x4020_0000, physical: 0x8_8000_0000),
        .iommuUnmap(0x4000_0000..<0x4020_0000, unmapped: 4096),
        .ioPageFault(address: 0x4000_1000, isWrite: true), .call(call), .call(end),
      ])
    #expect(events.map(\.task) == [2101, 17, 88, 2100, 2100, 0, 1, 1])
    #expect(events.map(\.cpu) == [3, 0, 1, 2, 2, 11, 0, 0])
    #expect(summary.skipped.count == 0, "\(summary.skipped.first)")
    #expect(summary.lines == Self.events.count)
    #expect(summary.lost == (flavour == .trace || flavour == .windows ? 508 : 0))
    guard flavour.isAbsolute else { return }
    let interesting = Self.events.filter { $0.name != "kvm_entry" && $0.name != "sched_switch" }
    for (event, recorded) in zip(events, interesting) {
      let unit: UInt64 = [.traceCmdNano, .perfPeriod].contains(flavour) ? 1 : 1000
      #expect(event.time == .nanoseconds(recorded.nanoseconds / unit * unit))
    }
  }

  @Test func `the hypervisor's remote trace has no task`() throws {
    let (events, summary) = read(
      """
      [000]\t    5.903465: hyp_exit reason=eret_host vcpu=0
      [000]\t    5.908952: hyp_enter reason=host_abort vcpu=0
      [001]\t    5.908953: host_mem_abort esr=0x93820007 addr=0x4a000000
      [001]\t    5.908954: UNKNOWN id=12
      """)
    #expect(
      events.map(\.fact) == [
        .hostAbort(address: nil, syndrome: 0),
        .hostAbort(address: 0x4a00_0000, syndrome: 0x9382_0007),
      ])
    #expect(events.map(\.cpu) == [0, 1] && events.allSatisfy { $0.task == nil })
    #expect(summary.skipped.count == 0)
  }

  /// What the script in `assets/import.md` prints, with a time and without.
  @Test func `names and values alone are events`() throws {
    let (events, summary) = read(
      """
      Attaching 2 probes...
      813.000000: s2_map: pgt=0xffff0000021a1140 addr=0x70000000 size=0x1000 phys=0x409e1000 prot=0xf
      s2_map: pgt=0xffff0000021a1140 addr=0x70000000 size=0x1000 phys=0x409e1000 prot=0xf
      mmu_notifier_unmap_gfn: start_gfn=0x70000 end_gfn=0x70001
      nothing of ours: a=1
      s2_map without values
      """)
    #expect(events.count == 3 && events[0].fact == events[1].fact)
    #expect(events.map(\.time) == [.nanoseconds(813_000_000_000), nil, nil])
    guard case .call(let call) = events[2].fact else { throw Missing() }
    #expect(call.function == .notifierUnmap && call.arguments.end == 0x7000_1000)
    #expect(summary.skipped.count == 2)
  }

  private struct Missing: Error {}

  /// Names are found by their ends: one that differs anywhere is another.
  @Test func `every function is known by its symbol and by its probe, and by nothing else`() {
    func function(_ name: String, _ text: String) -> KernelCall.Function? {
      let (events, _) = read(" vmm-1 [000] .... 1.000000: \(name): \(text) addr=0x1000\n")
      guard case .call(let call)? = events.first?.fact else { return nil }
      return call.function
    }
    for expected in KernelCall.Function.allCases where expected != .other {
      let symbol = "\(expected.names.symbol)"
      let probe = "\(expected.names.probe)"
      #expect(function("p_0", "(\(symbol)+0x0/0x138)") == expected)
      #expect(function("p_0", "(caller+0x8/0x10 <- \(symbol))") == expected)
      #expect(function(probe, "(0xffff800080012340)") == expected)
      for place in symbol.indices {
        var other = symbol
        other.replaceSubrange(place...place, with: "Z")
        #expect(function("p_0", "(\(other)+0x0/0x138)") == nil, "\(other)")
      }
      #expect(function("p_0", "(\(symbol)x+0x0/0x138)") == nil)
      #expect(function("p_0", "(\(symbol.dropLast())+0x0/0x138)") == nil)
    }
  }

  @Test func `garbled lines are counted, and the first three are named`() throws {
    let good = Flavour.trace.text([Self.events[0]])
    let (events, summary) = read(
      good + """
        no event at all
                 init-1       [000] d....     2.249377: kvm_guest_fault: ipa 0x4020
                 init-1       [000] d....     2.249378: map: IOMMU: iova=0x40000000 siz
        garbage, a fourth line

        """)
    #expect(events.count == 1)
    #expect(summary.skipped.count == 4)
    #expect(summary.skipped.first.map(\.line) == [9, 10, 11])
    #expect(summary.skipped.first[1].message.contains("kvm_guest_fault"))
  }

  /// By a regular expression that was written for the captures, and knows only their form.
  @Test func `every line of the captures is read as another reader reads it`() throws {
    let line = /^\s*(.*?)-(\d+)\s+\[(\d+)\]\s+\S{4,6}\s+(\d+)\.(\d+):\s+(\w+):\s+(.*)$/
    var found: [String: Int] = [:]
    for file in try captures(where: {
      ["probes.txt", "trace.txt", "guest_faults.txt"].contains($0)
    }) {
      let text = try String(contentsOf: file, encoding: .utf8)
      let (events, summary) = read(text)
      #expect(summary.skipped.count == 0, "\(file.path): \(summary.skipped.first)")
      var index = 0
      for (number, row) in text.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated()
      {
        guard let match = try line.wholeMatch(in: row) else { continue }
        let name = String(match.6)
        guard index < events.count, events[index].line == number + 1 else {
          found[name + " left out", default: 0] += 1
          continue
        }
        found[name, default: 0] += 1
        let event = events[index]
        #expect(event.task == Int(match.2) && event.cpu == Int(match.3))
        index += 1
        // All numbers of the text that pagewalk keeps are numbers of the line.
        switch event.fact {
        case .call(let call):
          let values = [
            call.arguments.table, call.arguments.context, call.arguments.physical,
            call.arguments.protection,
          ]
          for value in values.compactMap({ $0 }) {
            #expect(match.7.contains("=0x" + String(value, radix: 16)))
          }
        case .guestFault(let address, let syndrome, _):
          #expect(match.7.contains("ipa 0x\(String(address, radix: 16)), hsr 0x"))
          #expect(match.7.contains(String(syndrome, radix: 16)))
        default: break
        }
      }
      #expect(index == events.count, "\(file.path)")
    }
    #expect(found.keys.allSatisfy { !$0.hasSuffix(" left out") }, "\(found)")
    #expect(found["s2_map"] ?? 0 > 3000 && found["map"] ?? 0 > 300)
  }

  @Test func `text cut or changed anywhere is read or counted, and never more`() {
    var random = Generator(seed: 8)
    let texts = Flavour.allCases.map { [UInt8]($0.text(Self.events).utf8) }
    for _ in 0..<3000 {
      var bytes = texts[random.below(texts.count)]
      for _ in 0..<random.below(6) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if random.below(3) == 0 { bytes.removeLast(random.below(bytes.count)) }
      var reader = TraceReader()
      var count = 0
      reader.read(bytes) { _ in count += 1 }
      #expect(count == reader.summary.events)
      #expect(reader.summary.events + reader.summary.skipped.count <= reader.summary.lines)
    }
  }
}
