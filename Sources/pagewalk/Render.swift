import ArgumentParser
import Canvas
import Language
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk render`.
  struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the frame that the screen would show, at a moment of a scenario.")

    @Argument(
      help: "A scenario, or - for the standard input; without one, the built-in one.",
      completion: .scenario)
    var file: String?

    @Option(help: ArgumentHelp("The moment: N events done, N.STEP, step:LABEL, N%, start, end."))
    var at = "end"

    @Option(help: "Columns and rows.")
    var size = Size(width: 120, height: 40)

    @Option(help: policyHelp, completion: .policy)
    var policy: [String] = []

    @OptionGroup var look: Look
    @OptionGroup var manners: Manners

    @Flag(help: "Print a picture in SVG.")
    var svg = false

    func run() throws {
      let preferences = try Configuration.read(look, manners)
      let session = try Pagewalk.session(of: file, at: at, policies: policy)
      var model = Model(
        session, width: size.width, height: size.height, settings: preferences.settings)
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

/// Columns and rows, as in `120x40`.
struct Size: ExpressibleByArgument, CustomStringConvertible {
  let width: Int
  let height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
    guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]),
      (1...Rect.limit).contains(width), (1...Rect.limit).contains(height)
    else { return nil }
    self.init(width: width, height: height)
  }

  var description: String { "\(width)x\(height)" }
  var defaultValueDescription: String { description }
}
