import ArgumentParser
import Canvas
import Inquiry
import Viewer

extension Pagewalk {
  /// `pagewalk config`.
  struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "config",
      abstract: "Say what is configured, and where.", subcommands: [Show.self])
  }
}

extension Pagewalk.Config {
  /// `pagewalk config show`.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Print each value, and where it comes from.",
      discussion: """
        Your file is $PAGEWALK_CONFIG, else $XDG_CONFIG_HOME/pagewalk/config, else \
        ~/.config/pagewalk/config; the system's is the first pagewalk/config in $XDG_CONFIG_DIRS, else \
        /etc/xdg/pagewalk/config. Their lines are what this prints, without the origins:

        \(settings)
          key ACTION = KEY KEY ...

        A line that begins with # is a comment. Options go before the environment (PAGEWALK_THEME, \
        NO_COLOR, CLICOLOR_FORCE), that before your file, and yours before the system's. A key that you \
        give to an action is taken from others.
        """)

    private static let settings = Preferences.Setting.allCases.map {
      "  \($0.rawValue) = " + $0.values.joined(separator: " | ")
    }.joined(separator: "\n")

    @OptionGroup var look: LookOptions
    @OptionGroup var screen: ScreenOptions

    func run() throws {
      let preferences = try ConfigurationFile.read(look, screen)
      FileDescriptor.output.write(preferences.text)
    }
  }
}
