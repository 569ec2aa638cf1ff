import Canvas
import Engine
import Language
import TestSupport
import Testing

@testable import Viewer

/// What a person has chosen is read once, and each value says where it comes from.
@Suite struct PreferencesTests {
  private func read(_ text: String) throws -> Preferences {
    try Preferences(parsing: [UInt8](text.utf8), file: "config")
  }

  private func mistake(_ text: String) -> String {
    do {
      _ = try read(text)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func `all values can be chosen`() throws {
    let preferences = try read(
      """
      # what I like
      theme = light
      \tcolor =  never
      ascii = on

      mouse = on
      detail = bits
      """)
    #expect(
      preferences.theme.value == .light && preferences.theme.origin == .file("config", line: 2))
    #expect(preferences.colour.value == .never)
    #expect(preferences.ascii.value && preferences.mouse.value)
    #expect(
      preferences.detail.value == .bits && preferences.detail.origin == .file("config", line: 7))
    #expect(preferences.settings.usesMouse && preferences.settings.detailLevel == .bits)
  }

  @Test func `an empty file chooses nothing`() throws {
    for text in ["", "\n\n", "# only a comment"] {
      #expect(try read(text).text == Preferences().text)
    }
    #expect(Preferences().keyMap == KeyMap())
  }

  @Test func `keys are given, and taken away`() throws {
    let map = try read("key next-event = n ctrl-n\nkey quit =\n").keyMap
    #expect(map.keys(for: .nextEvent).map(\.description).sorted() == ["ctrl-n", "n"])
    #expect(map.command(for: Key(.character("."))) == nil)
    #expect(map.command(for: Key(.character("q"))) == nil)
    #expect(map.command(for: Key(.character(","))) == Command(.previousEvent))
  }

  @Test func `a key of another action goes to the one that asks for it`() throws {
    let preferences = try read("key quit = ,\n")
    #expect(preferences.keyMap.command(for: Key(.character(","))) == Command(.quit))
    #expect(preferences.keyMap.keys(for: .previousEvent).map(\.description) == ["shift-left"])
    let line = preferences.text.split(separator: "\n").first { $0.contains("key previous-event") }
    #expect(line?.hasSuffix("config:1") ?? false)
  }

  @Test func `a key of the screen does what the file says`() throws {
    var session = Session(
      try Scenario(
        parsing: [UInt8]("pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nhost fork\n".utf8), file: "x"))
    try session.finish()
    session.seek(to: Moment(events: 0))
    let settings = try read("key next-event = F5\n").settings
    var model = Model(session, width: 80, height: 24, settings: settings)
    _ = model.update(.key(Key(.character("."))))
    #expect(model.timeline.moment.events == 0)
    _ = model.update(.key(Key(.function(5))))
    #expect(model.timeline.moment.events == 1)
  }

  @Test(arguments: [
    ("theme = x", "config:1:9: expected dark, light, high-contrast, colour-blind"),
    ("\n\n  theme = ", "config:3:11: expected dark"),
    ("theme light", "config:1:7: expected '=' after 'theme'"),
    ("theme", "config:1:6: expected '=' after 'theme'"),
    ("theme = dark light", "config:1:14: expected the end of the line"),
    ("theme = dark\ntheme = dark", "config:2:1: expected each name once: line 1 has it already"),
    ("mouse = yes", "config:1:9: expected on, off"),
    ("colour = auto", "config:1:1: expected theme, color, ascii, mouse, detail, remember or key"),
    ("key = q", "config:1:5: expected the name of an action"),
    ("key", "config:1:4: expected the name of an action"),
    ("key fly = q", "config:1:5: expected the name of an action"),
    ("key quit = q ctrl", "config:1:14: expected a key"),
    ("key pane = a", "config:1:12: expected digits"),
    (
      "key top = x\nkey bottom = y x",
      "config:2:16: expected a key of one action: x is for top in line 1, and here for bottom"
    ),
    ("key top = x x", "config:1:13: expected a key of one action: x is for top in line 1"),
  ])
  func `a mistake has its place`(text: String, message: String) {
    #expect(mistake(text).hasPrefix(message), "\(mistake(text))")
  }

  @Test func `bytes that are no text have their place, too`() {
    #expect(throws: ScenarioError.self) {
      try Preferences(parsing: [0x74, 0x20, 0xff, 0x0a], file: "config")
    }
    for length in 0..<64 {
      var random = Generator(seed: UInt64(length))
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? Preferences(parsing: bytes, file: "config")
    }
  }

  @Test func `the environment goes before the file`() throws {
    var preferences = try read("theme = light\ncolor = always\n")
    let variables = ["PAGEWALK_THEME": "colour-blind", "NO_COLOR": "1"]
    try preferences.read { variables[$0] }
    #expect(preferences.theme.value == .colourBlind)
    #expect(preferences.theme.origin.description == "environment PAGEWALK_THEME")
    #expect(preferences.colour.value == .never)
    preferences.colour.choose(.always, .option("--color"))
    #expect(preferences.text.contains("color = always"))
    #expect(preferences.text.contains("option --color"))
    #expect(throws: PreferenceError.self) {
      try preferences.read { $0 == "PAGEWALK_THEME" ? "pink" : nil }
    }
  }

  @Test func `a person's file goes before the system's`() throws {
    var preferences = try read("theme = light\nmouse = on\nkey top = t T\nkey bottom = b\n")
    try preferences.read([UInt8]("theme = dark\nkey quit = T\nkey bottom = B\n".utf8), file: "mine")
    #expect(preferences.theme.origin == .file("mine", line: 1) && preferences.theme.value == .dark)
    #expect(preferences.mouse.origin == .file("config", line: 2) && preferences.mouse.value)
    #expect(preferences.keyMap.keys(for: .quit).map(\.description) == ["T"])
    #expect(preferences.keyMap.keys(for: .top).map(\.description) == ["t"])
    #expect(preferences.keyMap.keys(for: .bottom).map(\.description) == ["B"])
  }

  @Test(arguments: [
    (["CLICOLOR_FORCE": "1"], ColourChoice.always), (["CLICOLOR_FORCE": "0"], .never),
    (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], .never),
    (["CLICOLOR_FORCE": "1", "TERM": "dumb"], .never),
  ])
  func `colour can be forced by the environment`(
    variables: [String: String], choice: ColourChoice
  ) throws {
    var preferences = try read("color = never\n")
    let variables = ["TERM": "xterm"].merging(variables) { $1 }
    try preferences.read { variables[$0] }
    #expect(preferences.colour.value == choice)
  }

  @Test func `an empty variable is none`() throws {
    var preferences = try read("color = always\n")
    try preferences.read { _ in "" }
    #expect(preferences.colour.value == .always)
  }

  @Test func `what is shown can be read again`() throws {
    let shown = try read("theme = light\nkey top = t\nmouse = on\n")
    let values = shown.text.split(separator: "\n").map { line -> String in
      line.firstRange(of: "  default").map { String(line[..<$0.lowerBound]) }
        ?? line.firstRange(of: "  config:").map { String(line[..<$0.lowerBound]) } ?? String(line)
    }
    let again = try read(values.joined(separator: "\n"))
    #expect(again.keyMap == shown.keyMap && again.settings == shown.settings)
  }
}
