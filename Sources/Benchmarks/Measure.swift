import Engine
import Glibc
import Synchronization

/// Times of one operation: the median of its rounds, and ratios within one process.
struct Measurement {
  let name: String
  /// Nanoseconds per operation, one figure for each round.
  var rounds: [Double] = []

  var median: Double {
    let sorted = rounds.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }
}

/// CPU time of the process since the stopwatch was made, so that other programs do not count.
struct Stopwatch {
  private let start = Stopwatch.now

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }

  var nanoseconds: Double { Self.now - start }
}

/// Whether something that was measured did not do what it should have: then its time says nothing, and the process
/// ends with exit code 1. That a goal is missed is no such thing: `assets/figures.md` says which are, and why.
let hasWrong = Atomic(false)

/// Says what is wrong of what was measured.
func noteWrong(_ what: String, file: String = #fileID) {
  print("\(file): \(what)")
  hasWrong.store(true, ordering: .relaxed)
}

/// Carries an event out, which must be possible.
func apply(_ event: Event, to machine: inout Machine) {
  do { try machine.apply(event) } catch { noteWrong("refused: \(event): \(error)") }
}

/// The same in a history.
func append(_ event: Event, to timeline: inout Timeline) {
  do { try timeline.append(event) } catch { noteWrong("refused: \(event): \(error)") }
}

/// A number with a few digits.
func figure(_ value: Double) -> String {
  let scale = value < 10 ? 100.0 : value < 100 ? 10 : 1
  let rounded = (value * scale).rounded() / scale
  let text = rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  return text
}

func row(_ columns: [String], widths: [Int]) {
  var line = ""
  for (index, column) in columns.enumerated() {
    let padding = String(repeating: " ", count: max(0, widths[index] - column.count))
    line += index == 0 ? column + padding : "  " + padding + column
  }
  print(line)
}
