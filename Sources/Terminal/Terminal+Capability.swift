import CTerminal
import Canvas
import Glibc

extension Terminal {
  /// The colour depth of standard output, without opening the screen: for output in lines.
  public static func depth(_ choice: ColourChoice) -> ColourDepth {
    let type = environment("TERM")
    return choice.depth(
      environment: environment,
      isTerminal: isatty(STDOUT_FILENO) == 1,
      capability: ColourDepth(colours: Int(type.map { ct_colours_of($0) } ?? 0)))
  }

  /// The characters that the user's locale can show.
  public static func characters(asciiOnly: Bool = false) -> Charset {
    Charset(codeset: String(cString: ct_codeset()), asciiOnly: asciiOnly)
  }

  /// The terminal in one line, for a report: its type, its colours as terminfo counts them, its size if a
  /// standard descriptor is a terminal, the codeset of the locale, and the library that draws.
  public static var summary: SafeText {
    let type = environment("TERM") ?? ""
    var size = winsize()
    let isKnown = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO].contains {
      ioctl($0, UInt(TIOCGWINSZ), &size) == 0
    }
    let parts: [String?] = [
      type.isEmpty ? "TERM is not set" : type, "\(ct_colours_of(type)) colours",
      isKnown ? "\(size.ws_col)x\(size.ws_row)" : nil, String(cString: ct_codeset()),
      String(cString: ct_library()),
    ]
    return SafeText(parts.compactMap { $0 }.joined(separator: ", "))
  }

  /// The value of an environment variable, nil if it is unset.
  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
