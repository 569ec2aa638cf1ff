import Foundation
import Language
import Testing

@testable import Engine

/// The stage-2 faults that the hardware took, by the `kvm_guest_fault` lines of the traces, against the
/// engine's. A fault's level says how deep the tables were at that moment.
@Suite struct GuestFaultTests {
  @Test(arguments: Capture.all(["nested", "nested2", "plain", "patched"]))
  func `takes the same faults in the same order`(capture: Capture) throws {
    let scenario = try capture.scenario()
    var timeline = Timeline(scenario.configuration)
    var engine: [Fault] = []
    for statement in scenario.statements {
      switch statement.kind {
      case .event(let event):
        try timeline.append(event)
        timeline.seek(to: timeline.moment)
        engine += timeline.steps.compactMap { Fault($0) }
      case .chapter(let label, _):
        let file = capture.folder.appending(path: label).appending(path: "guest_faults.txt")
        let kernel = Fault.all(try String(contentsOf: file, encoding: .utf8))
        compare(kernel, engine, capture, "\(capture.name) step \(label)")
        engine = []
      case .expect: break
      }
    }
  }

  private func compare(_ kernel: [Fault], _ engine: [Fault], _ capture: Capture, _ step: String) {
    // The agents' doorbell and L2's instruction fetches have places of their own in the scenario: see
    // the map calls. A fetch that comes first makes the next fault's level deeper.
    func isOther(_ fault: Fault) -> Bool {
      capture.codePages.contains(fault.page) || fault.page == 0x900_0000 && fault.kind == .write
    }
    var wanted: [Fault] = []
    for (index, fault) in kernel.enumerated() where !isOther(fault) {
      let isAfterFetch = index > 0 && capture.codePages.contains(kernel[index - 1].page)
      wanted.append(fault)
      if isAfterFetch { wanted[wanted.count - 1].level = nil }
    }
    let made = engine.filter { !isOther($0) }
    #expect(made.count == wanted.count, "\(step)")
    for (one, other) in zip(wanted, made) {
      #expect(one.matches(other), "\(step): kernel \(one), engine \(other)")
    }
    let fetches = { (faults: [Fault]) in
      faults.filter { capture.codePages.contains($0.page) }.map(\.page).sorted()
    }
    #expect(fetches(kernel) == fetches(engine), "\(step)")
  }
}

/// A fault of stage 2 as a guest takes it.
private struct Fault: CustomStringConvertible {
  let page: UInt64
  let kind: AccessKind
  let isPermission: Bool
  /// Level of the walk's end, or nil for any.
  var level: Int?

  var description: String {
    "\(kind) 0x\(hex(page)) \(isPermission ? "permission" : "translation") level \(level ?? -1)"
  }

  func matches(_ other: Fault) -> Bool {
    page == other.page && kind == other.kind && isPermission == other.isPermission
      && (level == nil || level == other.level)
  }

  init?(_ step: Step) {
    guard case .access(.fault(let status, let kind)) = step.action else { return nil }
    page = step.address & ~4095
    self.kind = kind
    isPermission = status.faultClass == .permission
    level = step.level
  }

  /// The lines `... kvm_guest_fault: ipa 0x80000000, hsr 0x92000047, ...`.
  static func all(_ text: String) -> [Fault] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split { $0 == " " || $0 == "," }
      func number(after name: Substring) -> UInt64? {
        words.firstIndex(of: name).flatMap { UInt64(words[$0 + 1].dropFirst(2), radix: 16) }
      }
      guard let page = number(after: "ipa"), let syndrome = number(after: "hsr") else { return nil }
      return Fault(page, syndrome)
    }
  }

  private init(_ page: UInt64, _ syndrome: UInt64) {
    self.page = page
    kind = syndrome >> 26 == 0x20 ? .execute : syndrome >> 6 & 1 != 0 ? .write : .read
    let status = FaultStatus(UInt8(syndrome & 0x3f))
    isPermission = status.faultClass == .permission
    level = status.level
  }
}
