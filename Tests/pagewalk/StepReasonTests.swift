import Canvas
import Engine
import Foundation
import Language
import Testing

@testable import Viewer

/// Whoever asks why a micro-step was done gets the same reason.
@Suite struct StepReasonTests {
  private struct Event: Decodable {
    struct Step: Decodable {
      let label: String
      let what: String
      let why: String
    }

    let steps: [Step]
  }

  @Test(arguments: [
    "assets/scenarios/nested/three-tables.pw", "assets/captures/nested/nested-alias/scenario.pw",
    "assets/scenarios/bugs/two-unmappers.pw", "assets/scenarios/rmp/rmp-first.pw",
  ])
  func `pane, card, lines and JSON give one reason`(file: String) throws {
    let result = try Program.run(["run", file, "--json"])
    let events = try result.text.split(separator: "\n").map {
      try JSONDecoder().decode(Event.self, from: Data($0.utf8))
    }
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: Program.path(file))))
    var session = Session(try Scenario(parsing: bytes, file: file))
    try session.finish()
    for (number, event) in events.prefix(60).enumerated() {
      session.seek(to: Moment(events: number + 1))
      var model = Model(session, width: 100, height: 30)
      let steps = session.timeline.steps
      #expect(steps.map(\.explanation.why) == event.steps.map(\.why))
      #expect(steps.map(\.explanation.what) == event.steps.map(\.what))
      for (index, step) in steps.enumerated() {
        let why = SafeText(step.explanation.why)
        model.steps.cursor = index
        model.finishWork()
        #expect(model.answer.text.contains(why))
        #expect(model.answerLines.contains(why))
        #expect(Document(step.facts.convention, for: step).text.contains(why))
      }
    }
  }
}
