import Canvas
import Glibc
import Terminal

/// A program on a screen for the tests of the terminal: a numbered list that scrolls.
///
/// After each frame it says on descriptor 3 what the frame was drawn for, so that a test knows when
/// to look. Keys make it do what a program must survive.
@main
struct Probe {
  struct Failure: Error {}

  static func main() {
    do {
      try run()
    } catch {
      say("probe: \(error)", to: STDERR_FILENO)
      exit(1)
    }
  }

  static func run() throws {
    let arguments = CommandLine.arguments
    if arguments.contains("--nohup") { signal(SIGHUP, SIG_IGN) }
    var terminal = try Terminal(
      Terminal.Options(
        asciiOnly: arguments.contains("--ascii"), mouse: arguments.contains("--mouse")))
    var list = List(half: arguments.contains("--half"), last: "none")
    terminal.present(list.frame(terminal.size))
    report("open \(terminal.size.width)x\(terminal.size.height) \(terminal.depth)")
    while true {
      let input = terminal.nextInput(timeout: list.ticking ? .milliseconds(1) : nil)
      switch input {
      case .key(let key):
        if key.description == "q" { return }
        try act(on: key, &terminal, &list)
      case .end:
        report("end")
        return
      case .mouse, .paste, .resize, .tick: break
      }
      list.last = describe(input)
      terminal.present(list.frame(terminal.size))
      report(list.last.string)
    }
  }

  static func act(on key: Key, _ terminal: inout Terminal, _ list: inout List) throws {
    switch key.description {
    case "j": list.top += 1
    case "k": list.top -= 1
    case "t": list.ticking.toggle()
    case "m": terminal.setMouse(true)
    case "M": terminal.setMouse(false)
    case "i": list.typing.toggle()
    case "ctrl-l": terminal.redraw()
    case "Z": terminal.suspend()
    case "e": throw Failure()
    case "x": list.top = [Int]()[list.top]  // traps
    case "a": abort()
    case "o": list.top = overflow(list.top)
    case "c": compute()
    case "d":
      report("draws")
      while true {
        list.top += 1
        terminal.redraw()
        terminal.present(list.frame(terminal.size))
      }
    default: break
    }
  }

  /// Recurses until the stack is full.
  static func overflow(_ depth: Int) -> Int {
    depth == Int.max ? 0 : overflow(depth + 1) + 1
  }

  /// Computes for ever.
  static func compute() {
    report("computes")
    var hash = Hasher()
    while true { hash.combine(0) }
  }

  static func describe(_ input: Input) -> SafeText {
    switch input {
    case .key(let key): "key \(SafeText(key.description))"
    case .mouse(let mouse):
      "mouse \(SafeText(String(describing: mouse.action))) \(mouse.point.x),\(mouse.point.y)"
    case .paste(let text): "paste \(SafeText(text.replacing("\n", with: "|")))"
    case .resize(let width, let height): "resize \(width)x\(height)"
    case .tick: "tick"
    case .end: "end"
    }
  }

  static func report(_ line: String) {
    say(line, to: 3)
  }

  static func say(_ line: String, to descriptor: Int32) {
    _ = (line + "\n").withCString { write(descriptor, $0, strlen($0)) }
  }
}

/// The list, and what the last input was.
struct List {
  let half: Bool
  var last: SafeText
  var top = 0
  var ticking = false
  var typing = false

  func frame(_ size: (width: Int, height: Int)) -> Surface {
    var frame = Surface(width: size.width, height: size.height)
    let parts = frame.bounds.rows(.fixed(1), .flexible, .fixed(1))
    let panes = parts[1].columns(.flexible, half ? .flexible : .fixed(0))
    frame.write(" probe", at: parts[0].origin, style: Style(.title))
    let list = frame.box(panes[0], title: "1 Canonical  IPA \(.right) PA", focused: true)
    draw(in: list, of: &frame)
    if half { frame.write("漢字 beside", at: frame.box(panes[1], title: "2 Other").origin) }
    frame.write(last, at: parts[2].origin, style: Style(.dim))
    frame.restyle(Rect(x: list.x, y: list.bottom - 1, width: min(list.width, 46), height: 1)) {
      $0 = Style(.text, .reverse)
    }
    if typing { frame.caret = Point(30, 0) }
    return frame
  }

  private func draw(in list: Rect, of frame: inout Surface) {
    for row in 0..<list.height {
      let number = top + row
      var point = Point(list.x, list.y + row)
      let parts: [(SafeText, Role)] = [
        ("   L3 ", .dim), ("\(hex: number << 12, digits: 10)", .address), (" \(.right) ", .dim),
        ("\(hex: number << 12 ^ 0x4_0000_0000, digits: 10)", .valid),
        ("  4K  R W X  ", .permission),
        number % 7 == 0 ? ("*", .changed) : (" ", .text),
        number % 5 == 0 ? ("~", .stale) : (" ", .text),
        number % 11 == 0 ? ("?", .unknown) : (" ", .text),
      ]
      for (text, role) in parts {
        point = frame.write(text, at: point, style: Style(role), clip: list)
      }
    }
  }
}
