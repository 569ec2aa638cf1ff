import Canvas
import Glibc
import Inquiry
import Language
import Viewer

/// The files and the variables in which a person has chosen a look, and the order in which they count.
enum ConfigurationFile {
  /// The person's file, whether it is there or not: what `PAGEWALK_CONFIG` says, else `pagewalk/config`
  /// in `XDG_CONFIG_HOME` or `~/.config`. Nil if none of these is set.
  static var userFile: String? {
    if let path = environment("PAGEWALK_CONFIG") { return path }
    let folders = [environment("XDG_CONFIG_HOME"), environment("HOME").map { $0 + "/.config" }]
    return folders.lazy.compactMap { $0 }.first(where: isWhole).map(file)
  }

  /// The system's file: the first that is there, of the folders in `XDG_CONFIG_DIRS` or of `/etc/xdg`.
  static var systemFile: String? {
    (environment("XDG_CONFIG_DIRS") ?? "/etc/xdg").split(separator: ":").map(String.init)
      .filter(isWhole).map(file).first { access($0, F_OK) == 0 }
  }

  /// Where something is kept from one time to the next: `pagewalk/NAME` in `XDG_STATE_HOME` or
  /// `~/.local/state`, and the folder that must be there for it. Nil if none of these is set.
  static func stateFile(_ name: String) -> (path: String, folder: String)? {
    if let state = environment("XDG_STATE_HOME"), isWhole(state),
      let end = state.lastIndex(of: "/")
    {
      return ("\(state)/pagewalk/\(name)", String(state[..<end]))
    }
    guard let home = environment("HOME"), isWhole(home) else { return nil }
    return ("\(home)/.local/state/pagewalk/\(name)", home)
  }

  private static func file(in folder: String) -> String { folder + "/pagewalk/config" }

  /// As the XDG specification asks, a folder that is not given in full does not count.
  private static func isWhole(_ folder: String) -> Bool { folder.hasPrefix("/") }

  /// A variable that is set, and not empty.
  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// What is chosen in the files, in the environment and by options.
  static func read(_ look: LookOptions? = nil, _ screen: ScreenOptions? = nil) throws -> Preferences
  {
    var preferences = Preferences()
    if let file = systemFile { try read(file, into: &preferences) }
    // A file that was named must be there.
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
