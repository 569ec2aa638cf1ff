import ArgumentParser
import Canvas

/// Options about colours and characters.
struct Look: ParsableArguments {
  @Option(help: ArgumentHelp("Colours: auto, always or never.", valueName: "when"))
  var color = ColourChoice.auto

  @Flag(help: "Draw in ASCII, whatever the locale.")
  var ascii = false

  @Option(help: "Colours for a dark or light background, for high contrast or colour blindness.")
  var theme = Theme.dark
}

extension ColourChoice: ExpressibleByArgument {}
extension Theme: ExpressibleByArgument {}
