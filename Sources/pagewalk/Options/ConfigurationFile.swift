import Canvas
import Glibc
import Inquiry
import Language
import Viewer

/// The files and variables with the user's settings, and their precedence.
enum ConfigurationFile {
  /// The user's file, whether it exists or not: `PAGEWALK_CONFIG`, else `pagewalk/config`
  /// in `XDG_CONFIG_HOME` or `~/.config`. Nil if none of these is set.
  static var userFile: String? {
    if let path = environment("PAGEWALK_CONFIG") { return path }
    let folders = [environment("XDG_CONFIG_HOME"), environment("HOME").map { $0 + "/.config" }]
    return folders.lazy.compactMap { $0 }.first(where: isWhole).map(file)
  }

  /// The system's file: the first that exists in the folders of `XDG_CONFIG_DIRS`, or in `/etc/xdg`.
  static var systemFile: String? {
    (environment("XDG_CONFIG_DIRS") ?? "/etc/xdg").split(separator: ":").map(String.init)
      .filter(isWhole).map(file).first { access($0, F_OK) == 0 }
  }

  /// The path of persistent state: `pagewalk/NAME` in `XDG_STATE_HOME` or `~/.local/state`, and the
  /// folder that must exist for it. Nil if none of these is set.
  static func stateFile(_ name: String) -> (path: String, folder: String)? {
    stateFolder.map { ("\($0.path)/\(name)", $0.parent) }
  }

  /// The folder of persistent state, and the one that must exist for it.
  static var stateFolder: (path: String, parent: String)? {
    if let state = environment("XDG_STATE_HOME"), isWhole(state),
      let end = state.lastIndex(of: "/")
    {
      return ("\(state)/pagewalk", String(state[..<end]))
    }
    guard let home = environment("HOME"), isWhole(home) else { return nil }
    return ("\(home)/.local/state/pagewalk", home)
  }

  private static func file(in folder: String) -> String { folder + "/pagewalk/config" }

  /// As the XDG specification requires, a relative path does not count.
  private static func isWhole(_ folder: String) -> Bool { folder.hasPrefix("/") }

  /// The value of a variable; nil if unset or empty.
  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The settings from the files, the environment and the options.
  static func read(_ look: LookOptions? = nil, _ screen: ScreenOptions? = nil) throws -> Preferences
  {
    var preferences = Preferences()
    if let file = systemFile { try read(file, into: &preferences) }
    // A named file must exist.
    if let file = userFile, environment("PAGEWALK_CONFIG") != nil || access(file, F_OK) == 0 {
      try read(file, into: &preferences)
    }
    do {
      try preferences.read(environment: environment)
    } catch {
      throw Failure.usage(error.message.string)
    }
    preferences.theme.choose(look?.theme, .option("--theme"))
    preferences.colour.choose(look?.color, .option("--color"))
    preferences.ascii.choose(look?.ascii, .option(look?.ascii == false ? "--no-ascii" : "--ascii"))
    preferences.mouse.choose(
      screen?.mouse, .option(screen?.mouse == false ? "--no-mouse" : "--mouse"))
    preferences.detail.choose(screen?.detail, .option("--detail"))
    preferences.remember.choose(
      screen?.remember, .option(screen?.remember == false ? "--no-remember" : "--remember"))
    preferences.read(LastTimeFile.read())
    return preferences
  }

  private static func read(_ file: String, into preferences: inout Preferences) throws {
    do {
      try preferences.read(FileDescriptor.contents(of: file), file: file)
    } catch let error as ScenarioError {
      throw Failure.input(error.description)
    }
  }
}
