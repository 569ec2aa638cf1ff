import ArgumentParser
import FoundationEssentials
import Glibc
import KernelText

extension Pagewalk {
  /// `pagewalk live`.
  struct Live: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "live",
      abstract: "Watch the tables of a running VM by its folder of debugfs.",
      discussion: """
        A line is printed for what changes between two looks: a difference, which may be of any number of \
        events. A table is read again only if a counter of the VM moved, and never for more than a tenth of \
        the time, since every fault of the VM waits while it is read. It ends when the VM goes, or with \
        Ctrl-C.
        """)

    @Argument(help: "The VM's folder, as /sys/kernel/debug/kvm/2101-12.", completion: .directory)
    var folder: String

    @Option(help: "How often to look, as 2s or 500ms.", transform: Self.duration)
    var every: Duration = .seconds(2)

    @Flag(help: "Look once, print the tables, and end.")
    var once = false

    @Option(
      help: ArgumentHelp(
        "Leave a table alone whose reading takes longer.", valueName: "time"),
      transform: Self.duration)
    var maxHold: Duration = .milliseconds(20)

    @Option(
      name: [.customShort("o"), .long],
      help: ArgumentHelp(
        "Keep each look that shows something new as a moment, for `pagewalk import`.",
        valueName: "folder"),
      completion: .directory)
    var record: String?

    func run() throws {
      guard SourceFiles.isFolder(folder) else {
        throw Failure.input("\(folder): expected a VM's folder of debugfs")
      }
      var live = LiveFolder(folder, longestHold: maxHold, at: .now)
      var moments = 0
      while true {
        let begun = ContinuousClock.now
        let news = live.look()
        if once { break }
        if !news.isEmpty { FileDescriptor.output.write(lines: news.joined(separator: "\n")) }
        if let record, !news.isEmpty, live.isThere {
          try keep(live, in: record, number: moments)
          moments += 1
        }
        if !live.isThere { return }
        Self.sleep(until: begun + every)
      }
      FileDescriptor.output.write(lines: live.lines().joined(separator: "\n"))
      if let record { try keep(live, in: record, number: 0) }
    }

    /// Writes what was seen last as a moment.
    private func keep(_ live: LiveFolder, in record: String, number: Int) throws {
      let digits = String(number)
      let folder = "\(record)/\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
      do {
        try FileManager.default.createDirectory(
          atPath: folder + "/nested", withIntermediateDirectories: true)
        for (path, text) in live.moment() {
          try Data(text.utf8).write(to: URL(filePath: folder + "/" + path))
        }
      } catch {
        throw Failure.environment("\(folder): cannot be written")
      }
    }

    private static func sleep(until end: ContinuousClock.Instant) {
      let left = end - ContinuousClock.now
      guard left > .zero else { return }
      let (seconds, rest) = left.components
      var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(rest / 1_000_000_000))
      nanosleep(&time, nil)
    }

    private static func duration(_ text: String) throws -> Duration {
      let digits = text.prefix { $0.isNumber }
      guard let number = Int(digits), (1...86_400_000).contains(number) else {
        throw ValidationError("expected a time, as 2s or 500ms, not '\(text)'")
      }
      switch text.dropFirst(digits.count) {
      case "s", "": return .seconds(min(number, 86_400))
      case "ms": return .milliseconds(number)
      default: throw ValidationError("expected a time, as 2s or 500ms, not '\(text)'")
      }
    }
  }
}
