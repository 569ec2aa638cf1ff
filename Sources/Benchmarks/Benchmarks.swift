import Glibc

/// Measures the engine beside its peers; run with `swift run -c release Benchmarks [NAME ...]`.
@main
struct Benchmarks {
  private static let all: [(name: String, measure: @Sendable () -> Void)] = [
    ("tables", { benchmarkTables(rounds: 5) }),
    ("ranges", { benchmarkRangeTree() }),
    ("snapshot", { benchmarkSnapshot(rounds: 3) }),
    ("devices", { benchmarkDevices(rounds: 5) }),
    ("history", { benchmarkHistory(events: 1_000_000) }),
    ("rules", { benchmarkRules(events: 1_000_000) }),
    ("import", { benchmarkImport(rounds: 5) }),
    ("recording", { benchmarkRecording(events: 100_000, rounds: 5) }),
    ("lessons", { benchmarkLessons(rounds: 5) }),
    ("run", { benchmarkRun(rounds: 51) }),
    ("screen", { benchmarkScreen(rounds: 9) }),
  ]

  static func main() {
    let names = CommandLine.arguments.dropFirst()
    if let unknown = names.first(where: { name in !all.contains { $0.name == name } }) {
      let known = all.map(\.name).joined(separator: ", ")
      print("expected names of \(known), not '\(unknown)'")
      exit(2)
    }
    for (name, measure) in all where names.isEmpty || names.contains(name) { measure() }
    if hasWrong.load(ordering: .relaxed) { exit(1) }
  }
}
