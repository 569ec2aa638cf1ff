import ArgumentParser
import Canvas
import Inquiry
import Viewer

/// Options about colours and characters.
struct LookOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Colours: auto, always or never.", valueName: "when"))
  var color: ColourChoice?

  @Flag(inversion: .prefixedNo, help: "Whether only ASCII is drawn; else the locale decides.")
  var ascii: Bool?

  @Option(help: "Colours: \(Theme.names).")
  var theme: Theme?
}

/// Options about the screen.
struct ScreenOptions: ParsableArguments {
  @Flag(inversion: .prefixedNo, help: "Whether the mouse is used from the start.")
  var mouse: Bool?

  @Flag(
    inversion: .prefixedNo, help: "Whether the file and the moment are kept for the next time.")
  var remember: Bool?

  @Option(help: "How much is said: \(DetailLevel.names).")
  var detail: DetailLevel?
}

extension ColourChoice: ExpressibleByArgument {}
extension Theme: ExpressibleByArgument {}
extension DetailLevel: ExpressibleByArgument {}
