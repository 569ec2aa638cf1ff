import ArgumentParser
import Canvas
import Engine
import Glibc
import Language
import Recording
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk view`, and plain `pagewalk`.
  struct View: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "view",
      abstract: "Open a scenario on the screen; without a file, the built-in one.")

    @OptionGroup var input: OptionalInputOptions

    @Argument(
      help: "More of what a kernel says, as `pagewalk import` takes it: moments after the first.",
      completion: .file())
    var others: [String] = []

    @Option(help: momentHelp(), completion: .moment)
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

    @Option(
      help: ArgumentHelp(
        "Record what is done into a new file, which `pagewalk play` plays.", valueName: "file"))
    var record: String?

    @Option(
      help: ArgumentHelp(
        "No terminal: do what a script says, and print the frames that it asks for.",
        discussion: """
          Lines: \(KeyScript.Word.usage). Exit code 1 if a frame is not as expected.
          """, valueName: "script"))
    var keys: String?

    @Option(help: "Columns and rows, where there is no terminal.")
    var size = Size(width: 120, height: 40)

    func run() throws {
      let preferences = try ConfigurationFile.read(look, screen)
      var fileWatch = try watchedFile.map { FileWatch($0) }
      let opened = try Opened(
        input.file, and: others, policies: input.policy, at: at == Self.first ? nil : at)
      if plain { return try converse(opened, preferences) }
      var settings = preferences.settings
      settings.lastPlace = preferences.lastPlace
      settings.isPresenting = present
      if let keys { return try drive(opened, settings, keys, theme: preferences.theme.value) }
      settings.unsaved = UnsavedFile.left
      settings.showsStart = input.file == nil && at == Self.first
      var screen = try Screen(input.file, preferences) { width, height in
        opened.model(width: width, height: height, settings: settings)
      }
      if let record { try screen.record(record) }
      try screen.run(every: fileWatch.map { _ in FileWatch.interval }) { model, file in
        guard file == input.file, !model.isLesson, let change = fileWatch?.change() else { return }
        switch change {
        case .changed: read(again: &model)
        case .missing: model.fileIsMissing()
        case .back: model.fileIsBack()
        }
      }
      if preferences.remember.value, !screen.model.isLesson {
        let detail =
          screen.model.detailLevel == settings.detailLevel ? nil : screen.model.detailLevel
        LastTimeFile.write(screen.open.file, at: screen.model.momentOfMain, detail: detail)
      }
      if screen.model.failure != nil {
        throw Failure.input(screen.model.session.scenario.refusals())
      }
    }

    /// Runs a script.
    private func drive(
      _ opened: Opened, _ settings: Settings, _ path: String, theme: Theme
    ) throws {
      let bytes = try FileDescriptor.contents(of: path)
      let script: KeyScript
      do throws(ScenarioError) {
        script = try KeyScript(bytes, file: path)
      } catch {
        throw Failure.input(error.description)
      }
      var open = OpenModel(
        input.file, opened.model(width: size.width, height: size.height, settings: settings),
        theme: theme)
      if let record { try open.record(record) }
      var isAsExpected = true
      for (line, step) in script.steps where !open.model.isFinished {
        switch step {
        case .input(let inputs): for input in inputs { _ = open.take(input) }
        case .wait: open.finishWork()
        case .frame: FileDescriptor.output.write(open.model.frame().text)
        case .expect(let text, let isThere):
          let frame = open.model.frame().text
          if frame.contains(text) == isThere { continue }
          isAsExpected = false
          writeError("\(path):\(line):1: the frame has \(isThere ? "no" : "the") text '\(text)':")
          FileDescriptor.error.write(lines: frame)
        }
      }
      try open.end()
      if !isAsExpected { throw Failure.no("") }
    }

    /// The file to read again when it changes, or nil.
    private var watchedFile: String? {
      get throws {
        guard watch else { return nil }
        guard let file = input.file, !plain, access(file, R_OK) == 0 else {
          throw Failure.usage("--watch: expected a file, and the screen")
        }
        return file
      }
    }

    /// Shows the file's current version, or its mistakes.
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

    /// Reads lines and answers in lines, until their end, or until one of them quits.
    private func converse(_ opened: Opened, _ preferences: Preferences) throws {
      if input.file == "-" {
        throw Failure.usage("--plain: expected a file: the standard input is for what you ask")
      }
      let characters = Terminal.characters(asciiOnly: preferences.ascii.value)
      var narrator = Narrator(
        opened.model(
          width: Narrator.size.width, height: Narrator.size.height,
          settings: Narrator.settings(preferences.settings)))
      var keeper = SessionKeeper(input.file, theme: preferences.theme.value)
      if let record {
        do throws(RecordingFile.Failure) {
          try narrator.change { (model) throws(RecordingFile.Failure) in
            try keeper.record(record, &model)
          }
        } catch {
          throw Failure.environment("\(record): \(error.reason)")
        }
      }
      say(narrator.greeting(), in: characters)
      while !narrator.isFinished, let line = readLine() {
        say(narrator.carryOut(line) { keeper.carryOut($0, &$1) }, in: characters)
        narrator.change { keeper.follow(&$0) }
        guard let name = narrator.wanted else { continue }
        do {
          let opened = try Opened(name)
          say(narrator.open(opened.session, saved: opened.saved), in: characters)
          keeper.open(name)
        } catch {
          say([SafeText(Failure(error).message)], in: characters)
        }
      }
      narrator.change { keeper.end(&$0) }
      if let reason = keeper.failure { throw Failure.environment("the recording ended: \(reason)") }
      if let failure = narrator.failure { throw Failure.input(failure.description) }
    }

    private func say(_ lines: [SafeText], in characters: Charset) {
      FileDescriptor.output.write(lines.map { $0.shown(in: characters).string + "\n" }.joined())
    }

    private static let first = "start"
  }
}
