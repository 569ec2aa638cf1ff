import Foundation
import TestSupport
import Testing

@testable import Lesson

/// What is kept of a learner's answers, and when they are due again.
@Suite struct LearnerProgressTests {
  private static func progress(_ results: [(right: Bool, hints: Int, day: Int)]) -> LearnerProgress
  {
    var progress = LearnerProgress()
    for result in results {
      progress.add(.result(result.right, hints: result.hints, of: "l/q", day: result.day))
    }
    return progress
  }

  @Test func `a right answer is due after 1, 3, 7 and 14 days, and then known`() {
    var results: [(Bool, Int, Int)] = []
    var day = 100
    for interval in [1, 3, 7, 14] {
      results.append((true, 0, day))
      let progress = Self.progress(results)
      #expect(progress.nextDay == day + interval)
      #expect(progress.due(on: day + interval - 1) == [])
      #expect(progress.due(on: day + interval) == ["l/q"])
      day += interval
    }
    #expect(Self.progress(results + [(true, 0, day)]).nextDay == nil)
  }

  @Test func `a wrong answer, and one with the last hint, are due tomorrow`() {
    let before: [(Bool, Int, Int)] = [(true, 0, 1), (true, 0, 2), (true, 0, 5)]
    #expect(Self.progress(before).nextDay == 12)
    #expect(Self.progress(before + [(false, 0, 12)]).nextDay == 13)
    #expect(Self.progress(before + [(true, 3, 12)]).nextDay == 13)
    #expect(Self.progress(before + [(true, 2, 12)]).nextDay == 26)
  }

  @Test func `an answer before the day is no step towards knowing it`() {
    #expect(Self.progress([(true, 0, 1), (true, 0, 1), (true, 0, 1)]).nextDay == 2)
    #expect(Self.progress([(false, 0, 1), (true, 0, 1)]).nextDay == 2)
  }

  @Test func `any lines give some progress, and extreme days no trap`() {
    var random = Generator(seed: 2)
    let days = [Int.min, -1, 0, 1, 20_000, Int.max - 1, Int.max]
    for _ in 0..<500 {
      var progress = LearnerProgress()
      for _ in 0..<random.below(12) {
        var record = LearnerProgress.Record()
        if random.below(2) == 0 { record.lesson = "l" }
        if random.below(2) == 0 { record.at = "x" }
        if random.below(4) > 0 { record.question = "l/\(random.below(3))" }
        if random.below(4) > 0 { record.right = random.below(2) == 0 }
        if random.below(2) == 0 { record.hints = random.below(9) - 4 }
        if random.below(4) > 0 { record.day = days[random.below(days.count)] }
        progress.add(record)
      }
      _ = progress.due(on: days[random.below(days.count)])
    }
  }
}
