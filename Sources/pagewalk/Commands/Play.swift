import ArgumentParser
import Canvas
import Engine
import Language
import Recording
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk play`.
  struct Play: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "play",
      abstract: "Play a recording as it was done, or the events of a scenario.",
      discussion: """
        Space pauses; . and , step; [ and ] go to the previous or next mark, note or chapter; the digits \
        go to tenths; + and - change the speed; q quits. Any other key takes over: you are in the session \
        then, and :resume-play goes on with the recording.
        """)

    @OptionGroup var input: OptionalInputOptions

    @Flag(help: "Show the keys that were pressed.")
    var asDone = false

    @Flag(help: "Pause at chapters, marks and notes.")
    var pause = false

    @Flag(help: "No screen: say in lines what happens.")
    var plain = false

    @OptionGroup var look: LookOptions
    @OptionGroup var screen: ScreenOptions

    func run() throws {
      let preferences = try ConfigurationFile.read(look, screen)
      let opened = try Opened(input.file, policies: input.policy, at: "end")
      let base = try opened.beginning()
      if plain { return try tell(base, opened.recording, preferences) }
      var screen = try Screen(nil, preferences) { width, height in
        var model = base.model(width: width, height: height, settings: preferences.settings)
        model.play(opened.recording, showsKeys: asDone, stopsAtLandmarks: pause)
        return model
      }
      try screen.run()
    }

    private func tell(
      _ base: Opened, _ recording: Recording?, _ preferences: Preferences
    ) throws {
      let characters = Terminal.characters(asciiOnly: preferences.ascii.value)
      var narrator = Narrator(
        base.model(
          width: Narrator.size.width, height: Narrator.size.height,
          settings: Narrator.settings(preferences.settings)))
      narrator.play(recording) { lines in
        FileDescriptor.output.write(
          lines.map { $0.shown(in: characters).string + "\n" }.joined())
      }
    }
  }
}
