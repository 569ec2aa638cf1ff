import Engine
import Foundation
import Language
import Testing

/// The calls that the kernel made, by its probes, against the engine's micro-steps.
@Suite struct ProbeTests {
  @Test(arguments: Capture.all(["nested", "nested2", "plain", "patched"]))
  func `maps the same leaves in the same order`(capture: Capture) throws {
    try capture.compareSteps { label, kernel, engine in
      // After a copy-on-write the guest fetches its instruction again, which is a statement of its own
      // in the scenario; so the place of L2's code page among the calls may differ, but not the calls.
      let isCode = { (call: Call) in capture.codePages.contains(call.address) }
      #expect(
        kernel.maps.filter { !isCode($0) } == engine.maps.filter { !isCode($0) },
        "\(capture.name) step \(label)")
      #expect(
        kernel.maps.map(\.description).sorted() == engine.maps.map(\.description).sorted(),
        "\(capture.name) step \(label)")
    }
  }

  @Test(arguments: Capture.all(["nested", "nested2", "plain", "patched"]))
  func `notifies the same ranges in the same order`(capture: Capture) throws {
    try capture.compareSteps { label, kernel, engine in
      #expect(kernel.notifiers == engine.notifiers, "\(capture.name) step \(label)")
    }
  }
}

/// The calls that take leaves out of the shadows, and those of a kernel with a reverse map.
@Suite struct ReverseMapProbeTests {
  @Test(arguments: Capture.all(["nested", "nested2", "patched"]))
  func `records, forgets, resets and unmaps the same ranges in the same order`(capture: Capture)
    throws
  {
    try capture.compareSteps { label, kernel, engine in
      #expect(kernel.reverseMap == engine.reverseMap, "\(capture.name) step \(label)")
    }
  }
}

/// A call of `kvm_pgtable_stage2_map` or `kvm_pgtable_stage2_relax_perms`.
struct Call: Equatable, CustomStringConvertible {
  var function: String
  var table: TableID
  var address: UInt64
  var size: UInt64?
  /// The kernel's `enum kvm_pgtable_prot`: PX, UX, W, R in bits 0 to 3, the software bits above.
  var protection: UInt64

  var description: String {
    "\(function) \(table) 0x\(hex(address)) \(size ?? 0) 0x\(hex(protection))"
  }
}

/// What was called in one step.
struct Calls {
  var maps: [Call] = []
  var notifiers: [Range<UInt64>] = []
  /// Calls that concern the reverse map of a shadow, and unmaps of a shadow.
  var reverseMap: [String] = []

  mutating func addReverseMap(
    _ name: String, _ table: TableID?, _ address: UInt64 = 0, _ size: UInt64 = 0,
    nested: UInt64 = 0
  ) {
    guard let table, table != .canonical else { return }
    reverseMap.append(
      "\(name) \(table) 0x\(hex(address))+0x\(hex(size)) 0x\(hex(nested))")
  }
}

extension Capture {
  /// Pages from which the scenario's L2 fetches.
  var codePages: Set<UInt64> { [0x7000_0000, 0x4001_0000] }

  func compareSteps(_ compare: (String, Calls, Calls) throws -> Void) throws {
    let scenario = try scenario()
    var timeline = Timeline(scenario.configuration)
    var kernel = KernelProbes()
    var engine = Calls()
    for statement in scenario.statements {
      switch statement.kind {
      case .event(let event):
        try timeline.append(event)
        timeline.seek(to: timeline.moment)
        engine.add(timeline.steps)
      case .chapter(let label, _):
        let probes = folder.appending(path: label).appending(path: "probes.txt")
        try compare(label, kernel.read(String(contentsOf: probes, encoding: .utf8)), engine)
        engine = Calls()
      case .expect: break
      }
    }
  }
}

extension Calls {
  /// Adds what the micro-steps of an event did.
  mutating func add(_ steps: [Step]) {
    for step in steps {
      switch step.action {
      case .table(.map(let leaf)):
        maps.append(
          Call(
            function: "s2_map", table: step.table!, address: step.address, size: step.size,
            protection: Self.protection(leaf)))
      case .table(.relax(let permissions)):
        maps.append(
          Call(
            function: "s2_relax", table: step.table!, address: step.address,
            protection: Self.protection(permissions)))
      case .reverseMap(.record(let nested)):
        addReverseMap("record_revmap", step.table, step.address, step.size, nested: nested)
      case .reverseMap(.forget): addReverseMap("revmap_forget", step.table, step.address, step.size)
      case .reverseMap(.resetMap): addReverseMap("revmap_reset", step.table)
      case .table(.sweep) where step.table != .canonical:
        addReverseMap("s2_unmap_range", step.table, step.address, step.size)
      case .table(.sweep(let cause)) where cause.kind == .notifier && step.table == .canonical:
        notifiers.append(step.address..<step.address + step.size)
      default: break
      }
    }
  }

  private static func protection(_ leaf: Descriptor) -> UInt64 {
    protection(leaf.permissions) | leaf.bits & Descriptor.softwareMask
  }

  private static func protection(_ permissions: Permissions) -> UInt64 {
    (permissions.executeEL1 ? 1 : 0) | (permissions.executeNever < 2 ? 2 : 0)
      | (permissions.write ? 4 : 0) | (permissions.read ? 8 : 0)
  }
}

/// A line of `probes.txt`: a function of the kernel that was called, with its arguments.
struct Probe {
  let function: Substring
  private let values: [Substring: Substring]

  /// The probes of a file, in order.
  static func all(_ text: String) -> [Probe] {
    text.split(separator: "\n").compactMap { $0.hasPrefix("#") ? nil : Probe($0) }
  }

  private init?(_ line: Substring) {
    let words = line.split(separator: " ")
    guard let name = words.first(where: { $0.hasSuffix(":") && $0.first?.isLetter == true }) else {
      return nil
    }
    function = name.dropLast()
    values = words.reduce(into: [:]) { values, word in
      let parts = word.split(separator: "=")
      if parts.count == 2 { values[parts[0]] = parts[1] }
    }
  }

  /// An argument as text, empty if there is none of that name.
  func text(_ key: Substring) -> Substring { values[key] ?? "" }

  /// An argument in hexadecimal, or nil.
  func number(_ key: Substring) -> UInt64? { UInt64(text(key).dropFirst(2), radix: 16) }
}

/// Which tables the pointers in probes mean: they are known by the order of their creation.
struct KernelTables {
  private var tables: [Substring: TableID] = [:]
  private var count = 0

  /// Takes note of a table that is made.
  mutating func add(_ probe: Probe) {
    guard probe.function == "s2_init" else { return }
    let id = count == 0 ? TableID.canonical : .shadow(count - 1)
    tables[probe.text("pgt")] = id
    tables[probe.text("mmu")] = id
    count += 1
  }

  /// The table of a call, by its page table or its context.
  func table(of probe: Probe) -> TableID? {
    tables[probe.text("pgt")] ?? tables[probe.text("mmu")]
  }
}

/// Reads `probes.txt`, step by step.
struct KernelProbes {
  private var tables = KernelTables()

  mutating func read(_ text: String) -> Calls {
    var calls = Calls()
    for probe in Probe.all(text) {
      tables.add(probe)
      let table = tables.table(of: probe)
      func number(_ key: Substring) -> UInt64 { probe.number(key) ?? 0 }
      switch probe.function {
      case "s2_map", "s2_relax":
        calls.maps.append(
          Call(
            function: String(probe.function), table: table ?? .vmmStage1, address: number("addr"),
            size: probe.number("size"), protection: number("prot")))
      case "record_revmap":
        calls.addReverseMap(
          "record_revmap", table, number("ipa"), number("size"), nested: number("nipa"))
      case "revmap_forget":
        calls.addReverseMap("revmap_forget", table, number("nipa"), number("size"))
      case "revmap_reset": calls.addReverseMap("revmap_reset", table)
      case "s2_unmap_range":
        calls.addReverseMap("s2_unmap_range", table, number("start"), number("size"))
      case "mmu_notifier_unmap_gfn":
        calls.notifiers.append(number("start_gfn") << 12..<number("end_gfn") << 12)
      default: break
      }
    }
    return calls
  }
}
