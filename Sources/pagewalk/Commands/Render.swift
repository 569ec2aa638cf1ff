import ArgumentParser
import Canvas
import Language
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk render`.
  struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "render",
      abstract: "Print the frame that the screen would show, at a moment of a scenario.")

    @OptionGroup var input: OptionalInputOptions

    @Option(help: momentHelp(), completion: .moment)
    var at = "end"

    @Option(help: "Columns and rows.")
    var size = Size(width: 120, height: 40)

    @Flag(help: "The layout for a projector: two panes and one sentence.")
    var present = false

    @OptionGroup var look: LookOptions
    @OptionGroup var screen: ScreenOptions

    @Flag(help: "Print a picture in SVG.")
    var svg = false

    func run() throws {
      let preferences = try ConfigurationFile.read(look, screen)
      let session = try Pagewalk.session(input.scenario(), at: at, for: "render")
      var settings = preferences.settings
      settings.isPresenting = present
      var model = Model(session, width: size.width, height: size.height, settings: settings)
      model.finishWork()
      let characters = Terminal.characters(asciiOnly: preferences.ascii.value)
      let frame = model.frame().shown(in: characters)
      let depth = Terminal.depth(preferences.colour.value)
      FileDescriptor.output.write(
        svg
          ? frame.svg(theme: preferences.theme.value)
          : depth == .mono
            ? frame.text : frame.ansiText(theme: preferences.theme.value, depth: depth))
    }
  }
}
