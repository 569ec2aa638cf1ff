import Canvas
import Testing

@testable import Terminal

@Suite struct ClickCounterTests {
  let start = ContinuousClock.now

  /// What a second press is, some time after and some columns beside a first one.
  func second(after time: Duration, columns: Int = 0) -> Mouse.Action {
    var counter = ClickCounter()
    _ = counter.press(at: Point(5, 5), time: start)
    return counter.press(at: Point(5 + columns, 5), time: start + time)
  }

  @Test func `two presses in time are a double click`() {
    #expect(second(after: .milliseconds(100)) == .doubleClick)
    #expect(second(after: ClickCounter.interval) == .doubleClick)
  }

  @Test func `two presses out of time or place are clicks`() {
    #expect(second(after: .milliseconds(401)) == .click)
    #expect(second(after: .milliseconds(100), columns: 1) == .click)
  }

  @Test func `the third press begins again`() {
    var counter = ClickCounter()
    let actions = (0..<4).map { counter.press(at: Point(1, 1), time: start + .milliseconds($0)) }
    #expect(actions == [.click, .doubleClick, .click, .doubleClick])
  }
}
