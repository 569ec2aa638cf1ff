import CTerminal
import Canvas
import Glibc

extension Terminal {
  /// How many colours standard output gets, without opening the screen: for output in lines.
  public static func depth(_ choice: ColourChoice) -> ColourDepth {
    let type = environment("TERM")
    return choice.depth(
      environment: environment,
      isTerminal: isatty(STDOUT_FILENO) == 1,
      capability: ColourDepth(colours: Int(type.map { ct_colours_of($0) } ?? 0)))
  }

  /// Which characters the user's locale can show.
  public static func characters(asciiOnly: Bool = false) -> Charset {
    Charset(codeset: String(cString: ct_codeset()), asciiOnly: asciiOnly)
  }

  /// The value of an environment variable, nil if it is unset.
  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
