import Canvas
import Engine
import Testing

@testable import Viewer

/// Where running and playing stop, and what they say.
@Suite struct StopJourneyTests {
  @Test func `a stop says which condition holds, and which rule is broken`() throws {
    var screen = try Screen("scenarios/bugs/two-unmappers.pw")
    var stops: [String] = []
    for _ in 0..<20 {
      screen.press("c")
      if screen.lastLine.contains("Stopped at event") { stops.append(screen.lastLine) }
    }
    #expect(
      stops.contains { $0.hasPrefix(" Stopped at event 15: violation (leaf-outlives-page).") },
      "\(stops)")
    #expect(stops.allSatisfy { !$0.contains(" or ") })
  }

  @Test func `of typed alternatives the one that holds is named`() throws {
    var screen = try Screen()
    screen.press(": ‹run inject or (l2 and fault)› enter")
    #expect(screen.lastLine.contains(": ( l2 and fault )."), "\(screen.lastLine)")
    screen.press(": ‹run inject or host› enter")
    #expect(screen.lastLine.contains(": inject."), "\(screen.lastLine)")
  }

  @Test func `a watch of one's own leaves what is watched from the start`() throws {
    var screen = try Screen()
    screen.press(": ‹watch host› enter c")
    #expect(screen.lastLine.contains("Stopped at event 12: inject."))
    screen.press("ctrl-w")
    #expect(screen.text.contains("1 ✓ host"))
    for name in ["violation", "inject", "full-unmap", "unknown", "broken"] {
      #expect(screen.text.contains("  ✓ \(name)  from the start"))
    }
    // Switched off, it is no stop any more.
    screen.press("j j enter esc 0 c".replacing("esc", with: "escape"))
    #expect(screen.lastLine.contains(": host."), "\(screen.lastLine)")
  }

  @Test func `without a watch that is on, running says so`() throws {
    var screen = try Screen()
    screen.press("ctrl-w g enter j enter j enter j enter j enter q c")
    #expect(screen.lastLine.contains("No watch is on."))
    #expect(screen.model.timeline.moment == Moment(events: 0))
  }

  /// Lets time pass until it stands.
  private func play(_ screen: inout Screen, _ key: String = "space") {
    screen.press(key)
    for _ in 0..<500 where screen.model.tickInterval != nil { screen.input(.tick) }
  }

  @Test func `playing stops at chapters, marks, violations and watches, and says at which`() throws
  {
    var screen = try Screen("scenarios/bugs/two-unmappers.pw")
    screen.press(": ‹5› enter m x 0")
    var stops: [String] = []
    while screen.model.timeline.moment.events < 16 {
      play(&screen)
      stops.append(screen.lastLine.trimmingSuffix { $0 == " " })
    }
    #expect(stops.contains(" Stopped at event 5: mark x."))
    #expect(stops.contains { $0.hasSuffix("end of chapter mapped.") })
    #expect(stops.contains(" Stopped at event 15: violation (leaf-outlives-page)."))
  }

  @Test func `speeds go from one event in 10 s up`() throws {
    var screen = try Screen()
    screen.press("space")
    #expect(
      screen.lastLine.contains("Playing, 1 event/s")
        || screen.lastLine.contains("Playing, 2 events/s"))
    for _ in 0..<10 { screen.press("-") }
    #expect(screen.model.tickInterval == .seconds(10))
    #expect(screen.lastLine.contains("Slowest already: 1 event in 10 s."))
    for _ in 0..<10 { screen.press("+") }
    #expect(screen.lastLine.contains("Fastest already"))
    #expect((screen.model.tickInterval ?? .zero) < .milliseconds(50))
  }

  @Test func `micro-steps play, too`() throws {
    var screen = try Screen()
    screen.press(": ‹9› enter p")
    #expect(screen.lastLine.contains("micro-steps/s"))
    screen.input(.tick)
    #expect(screen.model.timeline.moment == Moment(events: 9, steps: 1))
    screen.input(.tick)
    #expect(screen.model.timeline.moment == Moment(events: 9, steps: 2))
    screen.press("p")
    #expect(screen.model.tickInterval == nil)
  }
}

extension String {
  fileprivate func trimmingSuffix(_ isBlank: (Character) -> Bool) -> String {
    String(dropLast(reversed().prefix { isBlank($0) }.count))
  }
}
