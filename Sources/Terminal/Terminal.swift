import CTerminal
import Canvas
import Glibc

/// The one owner of the screen.
///
/// A value of this type is an open screen: creating one takes over the terminal, the end of its life
/// restores it. It is also restored when the process ends by a thrown error, a trap or a signal; the
/// parent then sees the same cause as without a screen. Beware of `exit`, which ends no value's life.
///
/// Everything happens on the thread that opened the screen. There is one screen per process.
public struct Terminal: ~Copyable {
  /// What the user can choose about the screen.
  public struct Options: Sendable {
    /// The colours of the roles.
    public var theme: Theme
    /// Whether there are colours at all.
    public var colour: ColourChoice
    /// Whether only ASCII is drawn, whatever the locale.
    public var asciiOnly: Bool
    /// Whether the mouse is reported from the start.
    public var mouse: Bool

    /// Creates options.
    public init(
      theme: Theme = .dark, colour: ColourChoice = .auto, asciiOnly: Bool = false,
      mouse: Bool = false
    ) {
      self.theme = theme
      self.colour = colour
      self.asciiOnly = asciiOnly
      self.mouse = mouse
    }
  }

  /// The characters that the screen shows.
  public let characters: Charset

  /// The number of colours that the screen shows.
  public var depth: ColourDepth { painter.depth }

  /// The colours of the roles. The next frame has them.
  public var theme: Theme {
    get { painter.theme }
    set {
      painter = Painter(theme: newValue, depth: depth)
      shown = nil
    }
  }

  /// The painter of rows.
  var painter: Painter

  /// The frame on the screen, in ``characters``; nil if it must be drawn completely.
  var shown: Surface?

  /// Whether Ctrl-C ends the process.
  private var interrupts = true

  /// Distinguishes double clicks from clicks.
  var clicks = ClickCounter()

  /// The part received so far of a text being pasted.
  var pasted: String.UnicodeScalarView?

  /// Takes over the terminal on standard output, with the keys of the one on standard input or, if
  /// that is a file or a pipe, of the one that controls the process.
  ///
  /// A process in the background is stopped until it comes to the foreground.
  public init(_ options: Options = Options()) throws(TerminalError) {
    let keys = isatty(STDIN_FILENO) == 1 ? dup(STDIN_FILENO) : open("/dev/tty", O_RDONLY)
    defer { close(keys) }
    try self.init(
      options, type: Self.environment("TERM"), input: keys, output: STDOUT_FILENO)
  }

  /// Takes over a terminal of some type on two open files, which remain the caller's.
  init(
    _ options: Options, type: String?, input: Int32, output: Int32
  ) throws(TerminalError) {
    guard let type, !ColourChoice.isDumb(type) else {
      throw .unsupported(type: SafeText(type ?? ""))
    }
    guard isatty(output) == 1 else { throw .notATerminal }
    switch ct_open(type, input, output) {
    case CT_OK: break
    case CT_NOT_A_TERMINAL: throw .noKeyboard
    case CT_IN_BACKGROUND: throw .inBackground
    case CT_IN_USE: throw .inUse
    default: throw .unsupported(type: SafeText(type))
    }
    characters = Self.characters(asciiOnly: options.asciiOnly)
    let capability = ColourDepth(colours: Int(ct_colours()))
    let depth = options.colour.depth(
      environment: Self.environment, isTerminal: true, capability: capability)
    // On a screen, colours cannot be forced: ncurses sends what the terminal knows.
    painter = Painter(theme: options.theme, depth: capability == .mono ? .mono : depth)
    if options.mouse { setMouse(true) }
  }

  deinit {
    ct_close()
  }

  /// The size of the screen, in cells, as of the last ``Input/resize(width:height:)``.
  public var size: (width: Int, height: Int) {
    var width: Int32 = 0
    var height: Int32 = 0
    ct_size(&width, &height)
    return (Int(width), Int(height))
  }

  /// Redraws the whole screen with the next frame, even if another program has written to it.
  public mutating func redraw() {
    shown = nil
    ct_repaint()
  }

  /// Lets Ctrl-C end the process, as usual and by default, or be a key like others.
  ///
  /// A signal that another process sends ends this one either way.
  public mutating func setInterrupts(_ on: Bool) {
    if on != interrupts { ct_interrupt_key(on) }
    interrupts = on
  }

  /// Switches mouse reports on or off. While on, selecting text needs Shift.
  ///
  /// - Returns: Whether the terminal can report it.
  @discardableResult
  public mutating func setMouse(_ on: Bool) -> Bool {
    ct_mouse(on)
  }

  /// Requests what Ctrl-Z does: when it next waits for input, the program restores the terminal
  /// and stops, with all processes of its job.
  ///
  /// After it has been continued, the screen is taken again, and the size is reported as after a
  /// resize. A program started without job control continues at once.
  public func suspend() {
    kill(0, SIGTSTP)
  }
}
