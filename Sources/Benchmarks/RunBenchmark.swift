import Foundation
import Language

/// Statements a second of `pagewalk run` on the largest capture, from the file's bytes to the last
/// expectation.
func benchmarkRun(rounds: Int) {
  let file = "assets/captures/nested/nested-thp-collapse/scenario.pw"
  guard let data = FileManager.default.contents(atPath: file) else {
    return noteWrong("run this in the project's folder: there is no \(file)")
  }
  let bytes = [UInt8](data)
  var parse = Measurement(name: "parse")
  var total = Measurement(name: "parse and run")
  do throws(ScenarioError) {
    for _ in 0..<rounds {
      let start = Stopwatch()
      let scenario = try Scenario(parsing: bytes, file: file)
      let count = Double(scenario.statements.count)
      parse.rounds.append(start.nanoseconds / count)
      var session = Session(scenario, keepsPast: false)
      try session.finish()
      total.rounds.append(start.nanoseconds / count)
      if let failure = session.failures.first { noteWrong("\(failure)") }
    }
  } catch {
    return noteWrong(error.description)
  }
  let widths = [46, 12]
  row(["statements a second, parsed", figure(1e9 / parse.median)], widths: widths)
  row(["statements a second, parsed and run", figure(1e9 / total.median)], widths: widths)
}
