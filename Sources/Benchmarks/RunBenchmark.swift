import Engine
import Foundation
import Language

/// Statements a second of `pagewalk run` on the largest capture, from the file's bytes to the last
/// expectation.
func benchmarkRun(rounds: Int) {
  let file = "assets/captures/nested/nested-thp-collapse/scenario.pw"
  guard let data = FileManager.default.contents(atPath: file) else {
    print("run this in the project's folder: there is no \(file)")
    return
  }
  let bytes = [UInt8](data)
  var parse = Measurement(name: "parse")
  var total = Measurement(name: "parse and run")
  for _ in 0..<rounds {
    let start = Stopwatch()
    guard let scenario = try? Scenario(parsing: bytes, file: file) else { return }
    let count = scenario.statements.count
    parse.rounds.append(start.nanoseconds / Double(count))
    var timeline = Timeline(scenario.configuration)
    for statement in scenario.statements {
      switch statement.kind {
      case .event(let event): try? timeline.append(event)
      case .expect(let expectation):
        if expectation.failure(in: timeline.machine, after: 0..<0) != nil {
          print("an expectation failed")
        }
      case .chapter: break
      }
    }
    total.rounds.append(start.nanoseconds / Double(count))
  }
  let widths = [46, 12]
  row(["statements a second, parsed", figure(1e9 / parse.median)], widths: widths)
  row(["statements a second, parsed and run", figure(1e9 / total.median)], widths: widths)
}
