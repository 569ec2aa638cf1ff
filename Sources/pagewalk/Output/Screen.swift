import Canvas
import Language
import Recording
import Terminal
import Viewer

/// A model on a terminal until the user quits.
struct Screen: ~Copyable {
  private(set) var open: OpenModel
  private var terminal: Terminal
  private var note: FaultNote
  /// Maximum number of a text's keys handled before a frame is drawn.
  private static let keysAtOnce = 256

  /// A screen on the terminal.
  ///
  /// - Parameters:
  ///   - file: what is open.
  ///   - keepsAnswers: whether what is answered in a lesson is kept.
  ///   - recordsMoments: the running VM that is looked at; nil if none is.
  ///   - make: makes the model for a size.
  init(
    _ file: String?, _ preferences: Preferences, keepsAnswers: Bool = true,
    recordsMoments: LiveSession? = nil, _ make: (Int, Int) -> Model
  ) throws {
    do {
      terminal = try Terminal(Terminal.Options(preferences))
    } catch {
      throw Failure.environment(
        "\(error); without a screen there are `pagewalk view --plain`, `run`, `dump` and `render`")
    }
    open = OpenModel(
      file, make(terminal.size.width, terminal.size.height), theme: preferences.theme.value,
      keepsAnswers: keepsAnswers, recordsMoments: recordsMoments)
    let type = ConfigurationFile.environment("TERM") ?? ""
    note = FaultNote(
      scenario: file ?? Pagewalk.builtIn,
      terminal: "\(type) \(terminal.size.width)x\(terminal.size.height)")
    if let (file, folder) = ConfigurationFile.stateFile("fault") {
      terminal.keepFaultNotes(in: file, below: folder)
    }
  }

  var model: Model { open.model }

  /// Records from now on.
  mutating func record(_ path: String) throws { try open.record(path) }

  /// Lets the model be changed before it is shown.
  mutating func change(_ change: (inout Model) -> Void) {
    open.change { model, _ in change(&model) }
  }

  /// Says what could not be done before it opened.
  mutating func refuse(_ reason: SafeText) { open.change { model, _ in model.refuse(reason) } }

  /// Shows the model until it is finished.
  ///
  /// - Parameters:
  ///   - interval: how often `look` is called while no input comes; nil for never.
  ///   - look: may change the model, as when a file is read again.
  mutating func run(
    every interval: Duration? = nil, look: (inout Model, String?) -> Void = { _, _ in }
  ) throws {
    terminal.setFaultNote(note.lines(model))
    open.keepAnswers()
    terminal.present(model.frame())
    while !model.isFinished {
      terminal.setInterrupts(!model.isTyping)
      let waits = [model.isBusy ? .zero : model.tickInterval, interval, open.timeout]
      take(terminal.nextInput(timeout: waits.compactMap { $0 }.min()))
      // Text pasted at the prompt arrives as keys: the part received needs only one frame.
      var left = Self.keysAtOnce
      while model.isTyping, left > 0 {
        let input = terminal.nextInput(timeout: .zero)
        if input == .tick { break }
        take(input)
        left -= 1
      }
      open.change(look)
      terminal.present(model.frame())
    }
    try open.end()
  }

  /// Lets the model handle an input, and carries out its effects on the terminal.
  private mutating func take(_ input: Input) {
    note.add(input)
    terminal.setFaultNote(note.lines(model))
    let name = open.name
    for effect in open.take(input) {
      switch effect {
      case .redraw: terminal.redraw()
      case .suspend: terminal.suspend()
      case .mouse(let on): terminal.setMouse(on)
      case .file, .discard, .open, .learn: break
      }
    }
    if open.name != name { note.opened(open.name) }
  }
}

extension Terminal.Options {
  /// The user's options.
  init(_ preferences: Preferences) {
    self.init(
      theme: preferences.theme.value, colour: preferences.colour.value,
      asciiOnly: preferences.ascii.value, mouse: preferences.mouse.value)
  }
}

extension ScreenView {
  /// Shows it on the terminal until the user quits.
  ///
  /// - Parameters:
  ///   - other: the alternative without a screen, for the message that there is none.
  ///   - interval: how often `look` is called while no input comes; nil for never.
  ///   - look: may change it.
  mutating func run(
    _ preferences: Preferences, instead other: String, every interval: Duration? = nil,
    look: (inout Self) throws -> Void = { _ in }
  ) throws {
    var terminal: Terminal
    do {
      terminal = try Terminal(Terminal.Options(preferences))
    } catch {
      throw Failure.environment("\(error); without a screen there is \(other)")
    }
    _ = update(.resize(width: terminal.size.width, height: terminal.size.height))
    while !isFinished {
      terminal.present(frame())
      for effect in update(terminal.nextInput(timeout: interval)) {
        switch effect {
        case .redraw: terminal.redraw()
        case .suspend: terminal.suspend()
        case .mouse, .file, .discard, .open, .learn: break
        }
      }
      try look(&self)
    }
  }
}
