import ArgumentParser
import Canvas
import Engine
import Glibc
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
    var at = Self.first

    @Flag(
      help: ArgumentHelp(
        "No screen: lines in, lines out, without any control sequence.",
        discussion: """
          For screen readers and pipes. Each line of the standard input is the name of an action, a \
          moment or an event, as after `:` on the screen.
          """))
    var plain = false

    @Flag(
      help: ArgumentHelp(
        "Read the file again when it changes.",
        discussion: """
          The moment stays if the same events lead there. What is wrong with the file is listed; until that \
          is mended, the file is shown as it was.
          """))
    var watch = false

    @Flag(help: "The layout for a projector: two panes and one sentence.")
    var present = false

    @OptionGroup var look: LookOptions
    @OptionGroup var screen: ScreenOptions

    /// What of a history is carried out before the screen opens, so that a mistake in a scenario of a
    /// person's making is found before. What is left follows while the person looks.
    private static let before = (statements: 1_000, words: 100_000)

    func run() throws {
      let preferences = try ConfigurationFile.read(look, screen)
      var fileWatch = try watchedFile.map { FileWatch($0) }
      let session = try start(input.scenario(), at: at == Self.first ? nil : at)
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
      var settings = preferences.settings
      settings.lastPlace = preferences.lastPlace
      settings.isPresenting = present
      settings.showsStart = input.file == nil && at == Self.first
      var model = Model(
        session, width: terminal.size.width, height: terminal.size.height, settings: settings)
      var file = input.file
      var note = faultNote(on: terminal)
      terminal.setFaultNote(note.lines(model))
      terminal.present(model.frame())
      while !model.isFinished {
        terminal.setInterrupts(!model.isTyping)
        var timeout = model.isBusy ? .zero : model.tickInterval
        if fileWatch != nil { timeout = min(timeout ?? FileWatch.interval, FileWatch.interval) }
        take(terminal.nextInput(timeout: timeout), &model, &file, &terminal, &note)
        // Text that is pasted at the prompt comes as keys: what has arrived of it needs one frame.
        var left = Self.keysAtOnce
        while model.isTyping, left > 0 {
          let input = terminal.nextInput(timeout: .zero)
          if input == .tick { break }
          take(input, &model, &file, &terminal, &note)
          left -= 1
        }
        if file == input.file, fileWatch?.hasChanged() ?? false { read(again: &model) }
        terminal.present(model.frame())
      }
      if preferences.remember.value {
        let detail = model.detailLevel == settings.detailLevel ? nil : model.detailLevel
        LastTimeFile.write(file, at: model.momentOfMain, detail: detail)
      }
      if model.failure != nil { throw Failure.input(model.session.scenario.refusals()) }
    }

    /// The file that is to be read again when it changes, if one is.
    private var watchedFile: String? {
      get throws {
        guard watch else { return nil }
        guard let file = input.file, !plain, access(file, R_OK) == 0 else {
          throw Failure.usage("--watch: expected a file, and the screen")
        }
        return file
      }
    }

    /// Shows the file as it is now, or what is wrong with it.
    private func read(again model: inout Model) {
      do {
        var session = Session(try input.scenario())
        try session.finish()
        model.reload(session)
      } catch {
        guard let file = input.file, let bytes = try? FileDescriptor.contents(of: file) else {
          return model.refuse(SafeText(Failure(error).message))
        }
        model.show(Scenario.mistakes(in: bytes, file: file))
      }
    }

    /// Keys of a text that are taken before a frame is drawn, at most.
    private static let keysAtOnce = 256

    /// Lets the model do what an input asks for, and does what that leaves to the program.
    private func take(
      _ input: Input, _ model: inout Model, _ file: inout String?, _ terminal: inout Terminal,
      _ note: inout FaultNote
    ) {
      note.add(input)
      terminal.setFaultNote(note.lines(model))
      for effect in model.update(input) {
        switch effect {
        case .redraw: terminal.redraw()
        case .suspend: terminal.suspend()
        case .mouse(let on): terminal.setMouse(on)
        case .open(let name, let moment):
          do {
            let scenario = try Pagewalk.scenario(name)
            // The file may be another than it was when the moment was kept.
            let kept = moment.flatMap { try? start(scenario, at: $0) }
            model = model.opening(try kept ?? start(scenario, at: nil))
            if let moment, kept == nil {
              model.refuse("There is no event \(SafeText(moment)) in it any more.")
            }
            file = name
            note.opened(name)
          } catch {
            model.refuse(SafeText(Failure(error).message))
          }
        }
      }
    }

    /// The note of what is known from the start, and where it is kept.
    private func faultNote(on terminal: borrowing Terminal) -> FaultNote {
      if let (file, folder) = ConfigurationFile.stateFile("fault") {
        terminal.keepFaultNotes(in: file, below: folder)
      }
      let type = ConfigurationFile.environment("TERM") ?? ""
      return FaultNote(
        scenario: input.file ?? Pagewalk.builtIn,
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
        guard let name = narrator.wanted else { continue }
        do {
          say(narrator.open(try start(Pagewalk.scenario(name), at: nil)), in: characters)
        } catch {
          say([SafeText(Failure(error).message)], in: characters)
        }
      }
      if let failure = narrator.failure { throw Failure.input(failure.description) }
    }

    private func say(_ lines: [SafeText], in characters: Charset) {
      FileDescriptor.output.write(lines.map { $0.shown(in: characters).string + "\n" }.joined())
    }

    private static let first = "start"

    /// A session of a scenario: at a moment, or at the start, for which not all has to be carried out.
    private func start(_ scenario: Scenario, at moment: String?) throws -> Session {
      if let moment { return try Pagewalk.session(scenario, at: moment, for: "view") }
      var session = Session(scenario)
      do {
        _ = try session.advance(statements: Self.before.statements, words: Self.before.words)
      } catch {
        throw Failure.input(scenario.refusals())
      }
      session.seek(to: Moment(events: 0))
      return session
    }
  }
}
