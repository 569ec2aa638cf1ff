import Language
import Lesson

/// The time to prove each lesson of the program, and the time from an answer to its mark, the question's scene
/// included: median and maximum. The maxima must be below a second and below 16 ms.
func benchmarkLessons(rounds: Int) {
  let library = Library.shipped
  var checks: [Measurement] = []
  var marks: [Measurement] = []
  for lesson in library.lessons {
    var check = Measurement(name: lesson.id)
    for _ in 0..<rounds {
      let start = Stopwatch()
      if let failure = LessonCheck(lesson, in: library).failure { noteWrong(failure.name) }
      check.rounds.append(start.nanoseconds / 1e6)
    }
    checks.append(check)
    for exercise in lesson.exercises {
      var mark = Measurement(name: lesson.name(of: exercise))
      for _ in 0..<rounds {
        do throws(ScenarioError) {
          mark.rounds.append(try milliseconds(toMark: exercise, of: lesson, in: library))
        } catch {
          return noteWrong(error.description)
        }
      }
      marks.append(mark)
    }
  }
  let widths = [34, 10, 10, 36]
  row(["lessons, ms", "median", "most", "of"], widths: widths)
  for (name, all) in [("to prove one", checks), ("to mark an answer", marks)] {
    let sorted = all.sorted { $0.median < $1.median }
    guard let most = sorted.last else { continue }
    row(
      [name, figure(sorted[sorted.count / 2].median), figure(most.median), most.name],
      widths: widths)
  }
}

/// Milliseconds from the right answer to a question until it is marked.
private func milliseconds(
  toMark exercise: Exercise, of lesson: Lesson, in library: Library
) throws(ScenarioError) -> Double {
  var player = try Player(lesson, in: library, from: exercise.id, day: 0)
  let key = try Marker(exercise, on: player.stage, file: lesson.file).key()
  let start = Stopwatch()
  try player.answer(key)
  return start.nanoseconds / 1e6
}
