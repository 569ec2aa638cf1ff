import Foundation
import Pseudoterminal
import Testing

/// Where a choice is found, and which one counts.
@Suite struct ConfigurationTests {
  /// Folders with the files of a person and of the system.
  private func with(
    user: String?, system: String?, _ test: (_ environment: [String: String]) throws -> Void
  ) throws {
    try Program.withFolder { folder in
      for (name, text) in [("user", user), ("system", system)] {
        let place = folder.appending(path: name + "/pagewalk")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        if let text { try Data(text.utf8).write(to: place.appending(path: "config")) }
      }
      try test([
        "XDG_CONFIG_HOME": folder.appending(path: "user").path,
        "XDG_CONFIG_DIRS": "relative:/nonexistent:" + folder.appending(path: "system").path,
        "HOME": folder.path,
      ])
    }
  }

  private func shown(_ name: String, _ arguments: [String], _ environment: [String: String]) throws
    -> String
  {
    let result = try Program.run(["config", "show"] + arguments, environment: environment)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
    return result.text.split(separator: "\n").first { $0.hasPrefix(name + " = ") }.map {
      $0.split(separator: " ").joined(separator: " ")
    } ?? ""
  }

  @Test func `option, environment, person, system, nobody`() throws {
    let system = "theme = light\nmouse = on\ndetail = bits\n"
    try with(user: "# mine\ntheme = high-contrast\ndetail = plain\n", system: system) {
      files throws in
      let home = files["XDG_CONFIG_HOME"] ?? ""
      let place = files["HOME"] ?? ""
      var environment = files
      #expect(try shown("ascii", [], environment) == "ascii = off default")
      #expect(
        try shown("mouse", [], environment) == "mouse = on \(place)/system/pagewalk/config:2")
      #expect(
        try shown("theme", [], environment) == "theme = high-contrast \(home)/pagewalk/config:2")
      environment["PAGEWALK_THEME"] = "dark"
      #expect(
        try shown("theme", [], environment) == "theme = dark environment PAGEWALK_THEME")
      #expect(
        try shown("theme", ["--theme", "colour-blind"], environment)
          == "theme = colour-blind option --theme")
      #expect(try shown("mouse", ["--no-mouse"], environment) == "mouse = off option --no-mouse")
      #expect(
        try shown("detail", [], environment) == "detail = plain \(home)/pagewalk/config:3")
    }
  }

  @Test func `the person's file is where it is said to be, or in its place`() throws {
    try with(user: "theme = light\n", system: nil) { files throws in
      var environment = files
      environment["XDG_CONFIG_HOME"] = "relative"
      #expect(try shown("theme", [], environment) == "theme = dark default")
      environment["XDG_CONFIG_HOME"] = files["XDG_CONFIG_HOME"]
      let other = (files["HOME"] ?? "") + "/other"
      try Data("theme = colour-blind\n".utf8).write(to: URL(filePath: other))
      environment["PAGEWALK_CONFIG"] = other
      #expect(try shown("theme", [], environment) == "theme = colour-blind \(other):1")
      environment["PAGEWALK_CONFIG"] = "/no/such/file"
      let result = try Program.run(["config", "show"], environment: environment)
      #expect(result.code == 3 && result.errors.contains("/no/such/file: cannot be read"))
    }
  }

  @Test func `a mistake has its place, before any screen`() throws {
    let text = "theme = dark\nkey top = x\n  key bottom = b x\n"
    try with(user: text, system: nil) { files throws in
      let expected =
        "\(files["XDG_CONFIG_HOME"] ?? "")/pagewalk/config:3:18: expected a key of one action: "
        + "x is for top in line 2, and here for bottom"
      for arguments in [["config", "show"], ["render"]] {
        let result = try Program.run(arguments, environment: files)
        #expect(result.code == 3 && result.errors == expected + "\n" && result.output.isEmpty)
      }
      let job = try Program.start(environment: files)
      #expect(try job.status() == .exited(3))
      #expect(!job.text.contains("\u{1B}") && job.modesAreRestored)
    }
    let result = try Program.run(["config", "show"], environment: ["PAGEWALK_THEME": "pink"])
    #expect(result.code == 2 && result.errors.contains("PAGEWALK_THEME: expected dark, light"))
  }

  @Test func `keys, theme, mouse and detail of the file are those of the screen`() throws {
    let text = "key next-event = n\nkey quit = x\nmouse = on\ndetail = bits\ntheme = light\n"
    try with(user: text, system: nil) { files throws in
      let job = try Program.start(environment: files)
      try job.output(containing: "\u{1B}[?1000;1006h")
      try job.press("n", expecting: "1/21")
      #expect(job.text.contains("\u{1B}[38;5;26m") && !job.text.contains("\u{1B}[38;5;75m"))
      job.send("x")
      #expect(try job.status() == .exited(0))
    }
  }
}
