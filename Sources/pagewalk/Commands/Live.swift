import ArgumentParser
import Canvas
import Glibc
import Viewer

extension Pagewalk {
  /// `pagewalk live`.
  struct Live: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "live",
      abstract: "Watch the tables of a running VM by its folder of debugfs.",
      discussion: """
        The tables stand in the panes of the screen, with how long ago each was read in its title; a look that \
        shows something new is a moment more, and one can go back to each. Elsewhere, or with --plain, a line is \
        printed for what changes between two looks, until the VM exits. A change is a difference, which may be of \
        any number of events. A table is read again only if a counter of the VM moved, and never for more than \
        a tenth of the time, since every fault of the VM waits while it is read. On the screen `:record FOLDER` \
        keeps what is seen from then on, and `:record off` ends that.
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
        "Keep each look that shows something new as a moment in a new folder, which `pagewalk FOLDER` opens.",
        valueName: "folder"),
      completion: .directory)
    var record: String?

    @Flag(help: "Print lines; the default without a terminal.")
    var plain = false

    @OptionGroup var look: LookOptions

    func run() throws {
      guard SourceFiles.isFolder(folder) else {
        throw Failure.input("\(folder): expected a VM's folder of debugfs")
      }
      let record = try record.map { try MomentFolder($0) }
      let live = LiveFolder(folder, longestHold: maxHold, at: .now)
      if !plain, !once, isatty(0) == 1, isatty(1) == 1 {
        try show(LiveSession(live, record: record))
      } else {
        try printLines(live, record)
      }
    }

    private func printLines(_ live: LiveFolder, _ record: MomentFolder?) throws {
      var (live, record) = (live, record)
      while true {
        let begun = ContinuousClock.now
        let news = live.look()
        if once { break }
        if !news.isEmpty { FileDescriptor.output.write(lines: news.joined(separator: "\n")) }
        if !news.isEmpty, live.isThere { try record?.keep(live, title: news[0]) }
        if !live.isThere { return }
        Self.sleep(until: begun + every)
      }
      FileDescriptor.output.write(lines: live.lines().joined(separator: "\n"))
      try record?.keep(live, title: "What was there")
    }

    /// Shows the tables on the terminal, and what changes in them as it is seen.
    private func show(_ session: LiveSession) throws {
      let preferences = try ConfigurationFile.read(look)
      let begun = ContinuousClock.now
      guard case .history(let first) = try session.look() else { return }
      var next = begun + every
      var screen = try Screen(nil, preferences, recordsMoments: session) { width, height in
        var settings = preferences.settings
        settings.showsStart = false
        return Model(first, width: width, height: height, settings: settings)
      }
      screen.change { model in session.follow(&model) }
      try screen.run(every: min(every, .seconds(1))) { model, _ in
        if ContinuousClock.now >= next, session.isThere {
          next = .now + every
          do {
            switch try session.look() {
            case .history(let new): model.reload(new, telling: session.news)
            case .addition(let addition):
              if try !model.extend(by: addition, telling: session.news) {
                model.reload(try session.history(), telling: session.news)
              }
            case nil: break
            }
          } catch {
            model.refuse(SafeText(Failure(error).message))
          }
        }
        session.follow(&model)
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
