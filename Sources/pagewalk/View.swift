import ArgumentParser
import Canvas
import Engine
import Scenario
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk view`, and `pagewalk` alone.
  struct View: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Open a scenario on the screen; without a file, the built-in one.")

    @Argument(help: "A scenario, or - for the standard input.")
    var file: String?

    @Option(help: ArgumentHelp("The moment: N events done, N.STEP, step:LABEL, N%, start, end."))
    var at = "start"

    @Option(help: policyHelp)
    var policy: [String] = []

    @OptionGroup var look: Look
    @OptionGroup var manners: Manners

    /// What of a history is carried out before the screen opens, so that a mistake in a scenario of a
    /// person's making is found before. What is left follows while the person looks.
    private static let before = (statements: 5_000, words: 100_000)

    func run() throws {
      let preferences = try Configuration.read(look, manners)
      let session = try start()
      var terminal: Terminal
      do {
        terminal = try Terminal(
          Terminal.Options(
            theme: preferences.theme.value, colour: preferences.colour.value,
            asciiOnly: preferences.ascii.value, mouse: preferences.mouse.value))
      } catch {
        throw Failure.environment(
          "\(error); without a screen there are `pagewalk run`, `dump` and `render`")
      }
      var model = Model(
        session, width: terminal.size.width, height: terminal.size.height,
        settings: preferences.settings)
      terminal.present(model.frame())
      while !model.isFinished {
        let input = terminal.nextInput(timeout: model.isBusy ? .zero : model.tickInterval)
        for effect in model.update(input) {
          switch effect {
          case .redraw: terminal.redraw()
          case .suspend: terminal.suspend()
          case .mouse(let on): terminal.setMouse(on)
          }
        }
        terminal.present(model.frame())
      }
      if let failure = model.failure { throw Failure.input(failure.description) }
    }

    private func start() throws -> Session {
      if at != "start" { return try Pagewalk.session(of: file, at: at, policies: policy) }
      var session = Session(try Pagewalk.scenario(file, policies: policy))
      do {
        _ = try session.advance(statements: Self.before.statements, words: Self.before.words)
      } catch {
        throw Failure.input(error.description)
      }
      session.seek(to: Moment(events: 0))
      return session
    }
  }
}
