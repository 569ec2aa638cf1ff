import ArgumentParser
import Canvas
import Engine
import Glibc
import Inquiry
import Language
import Recording
import Viewer

extension Pagewalk {
  /// `pagewalk diff`.
  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compare two scenarios or recordings, or one under two policies.",
      discussion: """
        On a terminal the two stand side by side on one axis, and beneath them how the tables differ; ] and [ \
        go from difference to difference. Elsewhere: what both begin with alike is counted. From the first \
        event that differs on, '=' is in both, '-' in the first and '+' in the second. Exit code 1 if they \
        differ.
        """)

    @Argument(help: "The first scenario or recording.", completion: .scenario)
    var first: String

    @Argument(help: "The second; without it the first again.", completion: .scenario)
    var second: String?

    @Option(
      help: ArgumentHelp("A policy for the first; can be repeated.", valueName: "key=value"),
      completion: .policy)
    var firstPolicy: [String] = []

    @Option(
      help: ArgumentHelp("A policy for the second; can be repeated.", valueName: "key=value"),
      completion: .policy)
    var secondPolicy: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Print lines; the default without a terminal.")
    var plain = false

    @OptionGroup var look: LookOptions

    /// Rows after the common beginning that are printed at most.
    private static let rowsAtMost = 200

    func run() throws {
      if second == nil, firstPolicy == secondPolicy {
        throw Failure.usage(
          "diff: expected two files, or one and --second-policy or --first-policy KEY=VALUE")
      }
      var one = try Pagewalk.session(
        Pagewalk.scenario(first, policies: firstPolicy), at: "end", for: "diff")
      var other = try Pagewalk.session(
        Pagewalk.scenario(second ?? first, policies: secondPolicy), at: "end", for: "diff")
      if !plain, !json, isatty(0) == 1, isatty(1) == 1 { return try show(one, other) }
      let found = HistoryDifference(one, other)
      let tables = tables(found, &one, &other)
      if json {
        try FileDescriptor.output.write(json: DifferenceRecord(found, one, other, tables))
      } else {
        FileDescriptor.output.write(
          lines: lines(found, one, other, tables).joined(separator: "\n"))
      }
      if !found.isEmpty { throw Failure.no("") }
    }

    /// Short names of two files: as many of their last parts as needed to differ.
    private static func names(_ first: String, _ second: String) -> (String, String) {
      let parts = [first, second].map { path in
        (path.hasSuffix(".pw") ? path.dropLast(3) : path[...]).split(separator: "/")
      }
      let count = (1...).first { count in
        parts[0].suffix(count) != parts[1].suffix(count)
          || count >= max(parts[0].count, parts[1].count)
      }
      func name(_ parts: [Substring]) -> String {
        let isSame = first == second
        return parts.suffix(isSame ? 2 : count ?? 1).joined(separator: "/")
      }
      return (name(parts[0]), name(parts[1]))
    }

    /// Shows both on the terminal.
    private func show(_ one: Session, _ other: Session) throws {
      let preferences = try ConfigurationFile.read(look)
      let names = Self.names(first, second ?? first)
      var view = DifferenceView(
        (names.0, one), (names.1, other), width: 0, height: 0, settings: preferences.settings)
      try view.run(preferences, instead: "`pagewalk diff --plain`")
      if !view.isEmpty { throw Failure.no("") }
    }

    /// The tables that differ at the first different state, or after all events if those differ; nil if nothing does.
    private func tables(
      _ found: HistoryDifference, _ one: inout Session, _ other: inout Session
    ) -> TableDifferences? {
      if found.isEmpty { return nil }
      let moment = found.firstState.map { Moment(events: $0) }
      one.seek(to: moment ?? Moment(events: one.timeline.events.count))
      other.seek(to: moment ?? Moment(events: other.timeline.events.count))
      return TableDifferences(one.timeline.machine, other.timeline.machine)
    }

    private func lines(
      _ found: HistoryDifference, _ one: Session, _ other: Session,
      _ differing: TableDifferences?
    ) -> [String] {
      guard let differing else { return ["no difference in \(found.common) events"] }
      var lines = found.configurations.map { "configuration: \($0.text)" }
      lines.append("the same beginning: \(found.common) events")
      if let event = found.firstState {
        lines.append(
          "first other state: after event \(event), \(one.text(ofEvent: event - 1))")
      }
      let place = found.firstState == nil ? "at the end" : "there"
      func add(_ what: String, _ tables: [TableID]) {
        let names = tables.isEmpty ? "none" : tables.map(\.name).joined(separator: ", ")
        lines.append("other \(what) \(place): \(names)")
      }
      add("tables", differing.tables)
      // Most VMs have none.
      if !differing.reverseMaps.isEmpty { add("reverse maps", differing.reverseMaps) }
      let rest = found.rows
      if rest.allSatisfy(\.isOfBoth) { return lines }
      lines.append("")
      for row in rest.prefix(Self.rowsAtMost) {
        switch row {
        case .both(let a, _): lines.append("= \(a + 1)  \(one.text(ofEvent: a))")
        case .first(let a): lines.append("- \(a + 1)  \(one.text(ofEvent: a))")
        case .second(let b): lines.append("+ \(b + 1)  \(other.text(ofEvent: b))")
        }
      }
      if rest.count > Self.rowsAtMost {
        lines.append("and \(rest.count - Self.rowsAtMost) more; --json has all")
      }
      return lines
    }
  }
}

/// What `diff --json` prints.
private struct DifferenceRecord: Encodable {
  struct Row: Encodable {
    let first: Int?
    let second: Int?
    let statement: String
  }

  let configurations: [String]
  let common: Int
  let firstOtherState: Int?
  let tables: [String]
  let reverseMaps: [String]
  let rows: [Row]

  init(
    _ found: HistoryDifference, _ one: Session, _ other: Session, _ differing: TableDifferences?
  ) {
    configurations = found.configurations.map(\.text)
    common = found.common
    firstOtherState = found.firstState
    tables = differing?.tables.map(\.name) ?? []
    reverseMaps = differing?.reverseMaps.map(\.name) ?? []
    rows = found.rows.map { row in
      switch row {
      case .both(let a, let b): Row(first: a + 1, second: b + 1, statement: one.text(ofEvent: a))
      case .first(let a): Row(first: a + 1, second: nil, statement: one.text(ofEvent: a))
      case .second(let b): Row(first: nil, second: b + 1, statement: other.text(ofEvent: b))
      }
    }
  }
}
