import Glibc

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
