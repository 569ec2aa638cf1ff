import Engine
import Foundation
import KernelText
import Language
import Recording

/// Writing, opening and verifying a recording, beside carrying the same events out without one, and its size.
func benchmarkRecording(events: Int, rounds: Int) {
  var session = Session(scenario(events: events))
  do throws(ScenarioError) {
    try session.finish()
  } catch {
    return noteWrong("a wrong scenario: \(error)")
  }
  let saved = SavedSession([.init(name: "main", origin: nil, session: session)])
  var bytes: [UInt8] = []
  var writing = Measurement(name: "written")
  var opening = Measurement(name: "opened")
  var running = Measurement(name: "run")
  var verifying = Measurement(name: "verified")
  for _ in 0..<rounds {
    var watch = Stopwatch()
    var text = RecordingText(RecordingVersion(program: "benchmark"))
    text.add(saved)
    text.end()
    bytes = text.take()
    writing.rounds.append(watch.nanoseconds)
    do {
      watch = Stopwatch()
      let recording = try Recording(bytes, file: "benchmark.pw")
      opening.rounds.append(watch.nanoseconds)
      watch = Stopwatch()
      var again = Session(
        try Scenario(parsing: bytes, of: recording, file: "benchmark.pw"), keepsPast: false)
      try again.finish()
      running.rounds.append(watch.nanoseconds)
      watch = Stopwatch()
      let found = try Verification(
        try Recording(bytes, file: "benchmark.pw"), bytes, file: "benchmark.pw")
      verifying.rounds.append(watch.nanoseconds)
      if !found.isGood || found.states != again.eventsDone { noteWrong("wrong result") }
    } catch {
      return noteWrong("wrong result: \(error)")
    }
  }
  let widths = [34, 12, 14]
  row(["recording, \(events) events", "ms", "beside a run"], widths: widths)
  for measurement in [writing, opening, running, verifying] {
    row(
      [
        measurement.name, figure(measurement.median / 1e6),
        figure(measurement.median / running.median),
      ], widths: widths)
  }
  let source = session.scenario.source.count
  row(["bytes an event", figure(Double(bytes.count) / Double(events))], widths: widths)
  row(["the same without a recording", figure(Double(source) / Double(events))], widths: widths)
}

/// Accesses of L1 to random pages of a slot, some of which the host takes back.
private func scenario(events: Int) -> Scenario {
  var random = SplitMix64(seed: 1)
  var text = "pagewalk 1\nvm ipa=40 vcpus=1\nmemslot 0 0x40000000 64M backing=4K\n"
  for _ in 1..<events {
    let page = 0x4000_0000 + (random.next() % 16_384) << 12
    let hex = String(page, radix: 16)
    text += random.next() % 8 == 0 ? "host discard 0x\(hex) 4K\n" : "l1 write 0x\(hex)\n"
  }
  guard let scenario = try? Scenario(parsing: [UInt8](text.utf8), file: "benchmark.pw") else {
    preconditionFailure("the benchmark's scenario is wrong")
  }
  return scenario
}
