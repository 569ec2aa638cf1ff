import Engine
import Foundation
import Scenario
import Testing

/// The calls that the kernel made, by its probes, against the engine's micro-steps.
@Suite struct ProbeTests {
  @Test(arguments: Capture.all(["nested", "nested2", "plain"]))
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

  @Test(arguments: Capture.all(["nested", "nested2", "plain"]))
  func `notifies the same ranges in the same order`(capture: Capture) throws {
    try capture.compareSteps { label, kernel, engine in
      #expect(kernel.notifiers == engine.notifiers, "\(capture.name) step \(label)")
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
      case .step(let label, _):
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
    var isNotifying = false
    for step in steps {
      switch step.action {
      case .map:
        let leaf = Descriptor(step.value)
        maps.append(
          Call(
            function: "s2_map", table: step.table!, address: step.address, size: step.size,
            protection: Self.protection(leaf)))
      case .relax:
        maps.append(
          Call(
            function: "s2_relax", table: step.table!, address: step.address,
            protection: Self.protection(Descriptor(step.value))))
      case .notifierStart: isNotifying = true
      case .notifierEnd: isNotifying = false
      case .sweep where isNotifying && step.table == .canonical:
        notifiers.append(step.address..<step.address + step.size)
      default: break
      }
    }
  }

  private static func protection(_ leaf: Descriptor) -> UInt64 {
    let permissions = leaf.permissions
    return (permissions.executeEL1 ? 1 : 0) | (permissions.executeEL0 ? 2 : 0)
      | (permissions.write ? 4 : 0) | (permissions.read ? 8 : 0)
      | leaf.bits & Descriptor.softwareMask
  }
}

/// Reads `probes.txt`, step by step; the tables are known by the order of their creation.
struct KernelProbes {
  private var tables: [Substring: TableID] = [:]

  mutating func read(_ text: String) -> Calls {
    var calls = Calls()
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ")
      guard let function = words.first(where: { $0.hasSuffix(":") && $0.first?.isLetter == true })
      else { continue }
      var values: [Substring: Substring] = [:]
      for word in words {
        let parts = word.split(separator: "=")
        if parts.count == 2 { values[parts[0]] = parts[1] }
      }
      func number(_ key: Substring) -> UInt64 {
        UInt64(values[key]?.dropFirst(2) ?? "", radix: 16) ?? 0
      }
      switch function {
      case "s2_init:":
        if let table = values["pgt"] {
          tables[table] = tables.isEmpty ? .canonical : .shadow(tables.count - 1)
        }
      case "s2_map:", "s2_relax:":
        calls.maps.append(
          Call(
            function: String(function.dropLast()), table: tables[values["pgt"] ?? ""] ?? .host,
            address: number("addr"), size: values["size"] == nil ? nil : number("size"),
            protection: number("prot")))
      case "mmu_notifier_unmap_gfn:":
        calls.notifiers.append(number("start_gfn") << 12..<number("end_gfn") << 12)
      default: break
      }
    }
    return calls
  }
}
