import Engine
import Foundation
import KernelText
import Language
import Testing

/// A captured run: a scenario, and what the kernel wrote at each of its steps.
struct Capture: CustomTestStringConvertible, Sendable {
  let folder: URL

  var name: String { folder.pathComponents.suffix(2).joined(separator: "/") }
  var testDescription: String { name }

  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "assets/captures")

  /// The captures of some runs, by name.
  static func all(_ runs: [String]) -> [Capture] {
    runs.flatMap { run -> [Capture] in
      let folder = root.appending(path: run)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      return names.sorted().map { Capture(folder: folder.appending(path: $0)) }
    }
  }

  func scenario() throws -> Scenario {
    let file = folder.appending(path: "scenario.pw")
    return try Scenario(parsing: [UInt8](Data(contentsOf: file)), file: name)
  }

  /// The kernel's files for a step, by name.
  func dumps(ofStep label: String) -> [(file: String, text: String)] {
    let step = folder.appending(path: label)
    let nested = (try? FileManager.default.contentsOfDirectory(atPath: step.path + "/nested")) ?? []
    let files =
      ["stage2_page_tables", "ipa_range", "stage2_levels"]
      + nested.sorted().map { "nested/" + $0 }
    return files.compactMap { file in
      (try? String(contentsOf: step.appending(path: file), encoding: .utf8)).map { (file, $0) }
    }
  }

  /// What the engine writes for one of those files.
  static func dump(_ file: String, of machine: Machine) -> String? {
    switch file {
    case "stage2_page_tables": KernelDump.text(of: .canonical, in: machine)
    case "ipa_range": KernelDump.ipaRange(of: machine)
    case "stage2_levels": KernelDump.levels(of: machine)
    default:
      Int(file.dropFirst("nested/nested_mmu".count)).flatMap {
        KernelDump.text(of: .shadow($0), in: machine)
      }
    }
  }

  /// The lines in which two texts differ.
  static func difference(_ expected: String, _ found: String) -> String {
    let a = expected.split(separator: "\n")
    let b = found.split(separator: "\n")
    return b.difference(from: a).map {
      switch $0 {
      case .remove(let line, let text, _): "kernel \(line + 1): \(text)"
      case .insert(let line, let text, _): "engine \(line + 1): \(text)"
      }
    }.joined(separator: "\n")
  }
}
