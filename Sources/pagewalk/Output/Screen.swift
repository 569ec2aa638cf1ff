import Canvas
import Engine
import Glibc
import Language
import Recording
import Terminal
import Viewer

/// The model on a terminal, with the files that belong to it, until a person ends it.
struct Screen: ~Copyable {
  private(set) var model: Model
  /// What is open: a file or a scenario of the program, by its name; nil for the built-in one.
  private(set) var file: String?
  private var terminal: Terminal
  private var keeper: SessionKeeper
  private var note: FaultNote
  /// Keys of a text that are taken before a frame is drawn, at most.
  private static let keysAtOnce = 256

  /// A screen on the terminal.
  ///
  /// - Parameters:
  ///   - file: what is open.
  ///   - make: makes the model for a size.
  init(
    _ file: String?, _ preferences: Preferences, _ make: (Int, Int) -> Model
  ) throws {
    do {
      terminal = try Terminal(
        Terminal.Options(
          theme: preferences.theme.value, colour: preferences.colour.value,
          asciiOnly: preferences.ascii.value, mouse: preferences.mouse.value))
    } catch {
      throw Failure.environment(
        "\(error); without a screen there are `pagewalk view --plain`, `run`, `dump` and `render`")
    }
    model = make(terminal.size.width, terminal.size.height)
    self.file = file
    keeper = SessionKeeper(file, theme: preferences.theme.value)
    let type = ConfigurationFile.environment("TERM") ?? ""
    note = FaultNote(
      scenario: file ?? Pagewalk.builtIn,
      terminal: "\(type) \(terminal.size.width)x\(terminal.size.height)")
    if let (file, folder) = ConfigurationFile.stateFile("fault") {
      terminal.keepFaultNotes(in: file, below: folder)
    }
  }

  /// Records what is done from now on.
  mutating func record(_ path: String) throws {
    do throws(RecordingFile.Failure) {
      try keeper.record(path, &model)
    } catch {
      throw Failure.environment("\(path): \(error.reason)")
    }
  }

  /// Shows the model until it is finished.
  ///
  /// - Parameters:
  ///   - interval: how often `look` is called while no input comes; nil for never.
  ///   - look: may change the model, as when a file is read again.
  mutating func run(
    every interval: Duration? = nil, look: (inout Model, String?) -> Void = { _, _ in }
  ) throws {
    terminal.setFaultNote(note.lines(model))
    terminal.present(model.frame())
    while !model.isFinished {
      terminal.setInterrupts(!model.isTyping)
      let waits = [model.isBusy ? .zero : model.tickInterval, interval, keeper.timeout]
      take(terminal.nextInput(timeout: waits.compactMap { $0 }.min()))
      // Text that is pasted at the prompt comes as keys: what has arrived of it needs one frame.
      var left = Self.keysAtOnce
      while model.isTyping, left > 0 {
        let input = terminal.nextInput(timeout: .zero)
        if input == .tick { break }
        take(input)
        left -= 1
      }
      look(&model, file)
      terminal.present(model.frame())
    }
    keeper.end(&model)
    if keeper.hasFailed { throw Failure.input("the recording could not be written to its end") }
  }

  /// Lets the model do what an input asks for, and does what that leaves to the program.
  private mutating func take(_ input: Input) {
    note.add(input)
    terminal.setFaultNote(note.lines(model))
    keeper.note(input, model)
    for effect in model.update(input) {
      switch effect {
      case .redraw: terminal.redraw()
      case .suspend: terminal.suspend()
      case .mouse(let on): terminal.setMouse(on)
      case .file(let wish): keeper.carryOut(wish, &model)
      case .discard(let path): unlink(path)
      case .open(let name, let moment): open(name, at: moment)
      }
    }
    keeper.follow(&model)
  }

  private mutating func open(_ name: String, at moment: String?) {
    do {
      // The file may be another than it was when the moment was kept.
      let kept = moment.flatMap { try? Opened(name, at: $0) }
      let opened = try kept ?? Opened(name)
      keeper.end(&model)
      model = model.opening(opened.session, saved: opened.saved)
      if let notice = opened.notice { model.refuse(notice) }
      if let moment, kept == nil {
        model.refuse("There is no event \(SafeText(moment)) in it any more.")
      }
      file = name
      keeper.open(name)
      note.opened(name)
    } catch {
      model.refuse(SafeText(Failure(error).message))
    }
  }
}
