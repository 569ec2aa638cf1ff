/// Measures the engine beside its peers; run with `swift run -c release Benchmarks`.
@main
struct Benchmarks {
  static func main() {
    benchmarkTables(rounds: 5)
    benchmarkRangeTree()
    benchmarkHistory(events: 1_000_000)
    benchmarkRun(rounds: 51)
  }
}
