import ArgumentParser
import Canvas
import Engine
import Export
import Inquiry
import Language
import Recording
import Viewer

extension Pagewalk {
  /// `pagewalk export`.
  struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export",
      abstract: "Write a session for others: a page, a cast, a picture that moves, a trace.",
      discussion: """
        html: one page that needs no network, with the program's keys. cast, cast2: asciinema, versions 3 \
        and 2. svg: a picture that moves. text: the frames. chrome, perfetto: traces for ui.perfetto.dev. \
        vcd: for GTKWave and Surfer. itf: for Apalache and Quint. json: as `run --json` prints it.

        A recording is shown as it was done, other scenarios event by event. The same file gives the same \
        bytes everywhere.
        """)

    /// The format of an exported session.
    enum Format: CaseIterable, ExpressibleByArgument {
      case film(Film)
      case trace(Trace)
      case json

      /// Formats of frames.
      enum Film: String, CaseIterable {
        case html, cast, cast2, svg, text
      }

      /// Formats of events with a time.
      enum Trace: String, CaseIterable {
        case chrome, perfetto, vcd, itf
      }

      static var allCases: [Format] {
        Film.allCases.map(Self.film) + Trace.allCases.map(Self.trace) + [.json]
      }

      var name: String {
        switch self {
        case .film(let film): film.rawValue
        case .trace(let trace): trace.rawValue
        case .json: "json"
        }
      }

      static var allValueStrings: [String] { allCases.map(\.name) }

      var defaultValueDescription: String { name }

      init?(argument: String) {
        guard let format = Self.allCases.first(where: { $0.name == argument }) else { return nil }
        self = format
      }
    }

    @OptionGroup var input: InputOptions

    @Option(help: "As what: \(Format.allValueStrings.joined(separator: ", ")).")
    var to: Format

    @Option(
      name: .shortAndLong, help: "The file to write; without it the standard output.",
      completion: .file())
    var output: String?

    @Option(help: momentHelp("The first moment"), completion: .moment)
    var from: String?

    @Option(help: momentHelp("The last moment"), completion: .moment)
    var until: String?

    @Flag(help: "A frame for each micro-step.")
    var steps = false

    @Option(help: "Columns and rows of a frame.")
    var size = Size(width: 110, height: 32)

    @Option(help: "Colours: \(Theme.names).")
    var theme = Theme.dark

    func run() throws {
      let opened = try Opened(input.file, policies: input.policy, at: "end")
      let out = try Output(output)
      switch to {
      case .film(let format): try writeFrames(of: opened, as: format, to: out)
      case .trace(let format): try writeTrace(of: opened.session, as: format, to: out)
      case .json: try writeRecords(of: opened.session, to: out)
      }
      try out.finish()
    }

    // MARK: Frames

    private func writeFrames(
      of opened: Opened, as format: Format.Film, to out: Output
    ) throws {
      let model = try opened.beginning().model(
        width: size.width, height: size.height, settings: Settings())
      let first = try moment(from, in: opened.session, "--from")
      let last = try moment(until, in: opened.session, "--until")
      if let first, let last, last < first { throw Self.reversed }
      var film = Film(
        model, opened.recording, part: Film.Part(from: first, until: last, showsSteps: steps))
      let title = SafeText(opened.session.scenario.title)
      switch format {
      case .cast, .cast2:
        var cast = Cast(version: format == .cast ? 3 : 2, theme: theme)
        out.write(cast.header(width: size.width, height: size.height, title: title))
        while let frame = film.next() { out.write(cast.lines(of: frame)) }
      case .html:
        var page = Page(theme: theme)
        while let frame = film.next() {
          page.add(frame, statement: film.statement, text: film.explanation)
        }
        out.write(page.html(title: title, beat: Film.beat))
      case .text:
        while let frame = film.next() {
          out.write("== \(frame.moment.name)\n" + frame.surface.text)
        }
      case .svg:
        var picture = MovingPicture(width: size.width, height: size.height, theme: theme)
        out.write(picture.header)
        while let frame = film.next() { out.write(picture.lines(of: frame)) }
        out.write(picture.footer())
      }
    }

    private func moment(_ text: String?, in session: Session, _ option: String) throws -> Moment? {
      guard let text else { return nil }
      var session = session
      return try Pagewalk.moment(text, of: option, in: &session)
    }

    private static let reversed = Failure.usage("--from: expected a moment before --until")

    // MARK: Traces

    private func writeTrace(
      of session: Session, as format: Format.Trace, to out: Output
    ) throws {
      let range = try events(of: session)
      let title = SafeText(session.scenario.title)
      switch format {
      case .chrome: write(ChromeTrace(), session, range, title, to: out)
      case .perfetto: write(PerfettoTrace(), session, range, title, to: out)
      case .vcd:
        write(WaveTrace(tables: tables(of: session, range)), session, range, title, to: out)
      case .itf:
        write(StateTrace(tables: tables(of: session, range)), session, range, title, to: out)
      }
    }

    private func write(
      _ format: some TraceFormat, _ session: Session, _ range: ClosedRange<Int>, _ title: SafeText,
      to out: Output
    ) {
      var format = format
      var events = SessionEvents(session, range)
      out.write(format.header(title: title))
      while let event = events.next() { out.write(format.bytes(of: event)) }
      out.write(format.footer())
    }

    /// All tables that exist at some time.
    private func tables(of session: Session, _ range: ClosedRange<Int>) -> [String] {
      var events = SessionEvents(session, range)
      var names: [String] = []
      while let event = events.next() {
        for (name, _) in event.leaves where !names.contains(name) { names.append(name) }
      }
      return names.sorted()
    }

    private func writeRecords(of session: Session, to out: Output) throws {
      let range = try events(of: session)
      var again = Session(session.scenario, keepsPast: false, recordsSteps: true)
      do {
        while let statement = try again.advance(), again.eventsDone <= range.upperBound {
          guard statement.isEvent, again.eventsDone >= range.lowerBound else { continue }
          try out.write(json: EventRecord(last: again))
        }
      } catch let error as ScenarioError {
        throw Failure.input(error.description)
      }
    }

    private func events(of session: Session) throws -> ClosedRange<Int> {
      let first = try moment(from, in: session, "--from")?.events ?? 0
      let last = try moment(until, in: session, "--until")?.events ?? session.timeline.events.count
      guard last > first else { throw Self.reversed }
      return first + 1...last
    }
  }
}
