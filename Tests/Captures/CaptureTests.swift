import Engine
import Foundation
import Language
import Testing

/// The captures of a real kernel, fed to the engine: every dump of every step must be the same.
@Suite struct CaptureTests {
  @Test(arguments: Capture.all(["nested", "nested2", "plain", "patched"]))
  func `writes the kernel's dumps byte for byte, and breaks no rule`(capture: Capture) throws {
    let scenario = try capture.scenario()
    var machine = Machine(scenario.configuration)
    for statement in scenario.statements {
      switch statement.kind {
      case .event(let event): try machine.apply(event)
      case .expect(let expectation):
        let failure = expectation.failure(in: machine, after: 0..<0)
        #expect(failure == nil, "\(capture.name), \(scenario.place(of: statement.origin))")
      case .chapter(let label, _):
        #expect(machine.violations(after: 0..<0).isEmpty, "\(capture.name) step \(label)")
        for (file, text) in capture.dumps(ofStep: label) {
          let ours = Capture.dump(file, of: machine)
          #expect(
            ours == text,
            "\(capture.name) step \(label) \(file)\n\(Capture.difference(text, ours ?? "none"))")
        }
      }
    }
  }

  /// What README says of them.
  @Test func `there are 1,125 dumps of tables in 29 runs, of 11,374 lines, and 3,871 faults`()
    throws
  {
    let captures = Capture.all(["nested", "nested2", "plain", "patched"])
    var (dumps, lines, faults) = (0, 0, 0)
    for capture in captures {
      for case .chapter(let label, _) in try capture.scenario().statements.map(\.kind) {
        let tables = capture.dumps(ofStep: label).filter {
          $0.file.contains("table") || $0.file.contains("mmu")
        }
        dumps += tables.count
        lines += tables.reduce(0) { $0 + $1.text.count { $0.isNewline } }
        let file = capture.folder.appending(path: "\(label)/guest_faults.txt")
        faults += try String(contentsOf: file, encoding: .utf8).count { $0.isNewline }
      }
    }
    #expect(captures.count == 29 && dumps == 1_125)
    #expect(lines == 11_374)
    #expect(faults == 3_871)
  }
}
