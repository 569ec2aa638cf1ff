import ArgumentParser
import Canvas
import Engine
import Language
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk view`, and `pagewalk` alone.
  struct View: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Open a scenario on the screen; without a file, the built-in one.")

    @OptionGroup var input: OptionalInputOptions

    @Option(help: momentHelp())
    var at = "start"

    @Flag(
      help: ArgumentHelp(
        "No screen: lines in, lines out, without any control sequence.",
        discussion: """
          For screen readers and pipes. Each line of the standard input is the name of an action, a \
          moment or an event, as after `:` on the screen.
          """))
    var plain = false

    @OptionGroup var look: LookOptions
    @OptionGroup var screen: ScreenOptions

    /// What of a history is carried out before the screen opens, so that a mistake in a scenario of a
    /// person's making is found before. What is left follows while the person looks.
    private static let before = (statements: 1_000, words: 100_000)

    func run() throws {
      let preferences = try ConfigurationFile.read(look, screen)
      let session = try start()
      if plain { return try converse(session, preferences) }
      var terminal: Terminal
      do {
        terminal = try Terminal(
          Terminal.Options(
            theme: preferences.theme.value, colour: preferences.colour.value,
            asciiOnly: preferences.ascii.value, mouse: preferences.mouse.value))
      } catch {
        throw Failure.environment(
          "\(error); without a screen there are `pagewalk view --plain`, `run`, `dump` and `render`"
        )
      }
      var model = Model(
        session, width: terminal.size.width, height: terminal.size.height,
        settings: preferences.settings)
      var note = faultNote(on: terminal)
      terminal.setFaultNote(note.lines(model))
      terminal.present(model.frame())
      while !model.isFinished {
        terminal.setInterrupts(!model.isTyping)
        let timeout = model.isBusy ? .zero : model.tickInterval
        take(terminal.nextInput(timeout: timeout), &model, &terminal, &note)
        // Text that is pasted at the prompt comes as keys: what has arrived of it needs one frame.
        var left = Self.keysAtOnce
        while model.isTyping, left > 0 {
          let input = terminal.nextInput(timeout: .zero)
          if input == .tick { break }
          take(input, &model, &terminal, &note)
          left -= 1
        }
        terminal.present(model.frame())
      }
      if let failure = model.failure { throw Failure.input(failure.description) }
    }

    /// Keys of a text that are taken before a frame is drawn, at most.
    private static let keysAtOnce = 256

    /// Lets the model do what an input asks for, and does what that leaves to the program.
    private func take(
      _ input: Input, _ model: inout Model, _ terminal: inout Terminal, _ note: inout FaultNote
    ) {
      note.add(input)
      terminal.setFaultNote(note.lines(model))
      for effect in model.update(input) {
        switch effect {
        case .redraw: terminal.redraw()
        case .suspend: terminal.suspend()
        case .mouse(let on): terminal.setMouse(on)
        }
      }
    }

    /// The note of what is known from the start, and where it is kept.
    private func faultNote(on terminal: borrowing Terminal) -> FaultNote {
      if let (file, folder) = ConfigurationFile.faultFile {
        terminal.keepFaultNotes(in: file, below: folder)
      }
      let type = ConfigurationFile.environment("TERM") ?? ""
      return FaultNote(
        scenario: input.file ?? "the built-in one",
        terminal: "\(type) \(terminal.size.width)x\(terminal.size.height)")
    }

    /// Reads lines and answers in lines, until there are no more or one of them ends it.
    private func converse(_ session: Session, _ preferences: Preferences) throws {
      if input.file == "-" {
        throw Failure.usage("--plain: expected a file: the standard input is for what you ask")
      }
      let characters = Terminal.characters(asciiOnly: preferences.ascii.value)
      var narrator = Narrator(session, settings: preferences.settings)
      say(narrator.greeting(), in: characters)
      while !narrator.isFinished, let line = readLine() {
        say(narrator.carryOut(line), in: characters)
      }
      if let failure = narrator.failure { throw Failure.input(failure.description) }
    }

    private func say(_ lines: [SafeText], in characters: Charset) {
      FileDescriptor.output.write(lines.map { $0.shown(in: characters).string + "\n" }.joined())
    }

    private func start() throws -> Session {
      let scenario = try input.scenario()
      if at != "start" { return try Pagewalk.session(scenario, at: at, for: "view") }
      var session = Session(scenario)
      do {
        _ = try session.advance(statements: Self.before.statements, words: Self.before.words)
      } catch {
        throw Failure.input(error.description)
      }
      session.seek(to: Moment(events: 0))
      return session
    }
  }
}
