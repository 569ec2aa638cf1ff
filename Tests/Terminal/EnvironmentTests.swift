import Pseudoterminal
import Testing

/// What the environment has to say about the screen.
@Suite struct EnvironmentTests {
  /// What the probe puts on the screen first.
  static func firstFrame(
    _ environment: [String: String], _ arguments: [String] = [], type: String = "xterm-256color"
  ) throws -> String {
    let job = try Job(arguments, type: type, environment: environment)
    _ = try job.report()
    return job.text
  }

  static func isASCII(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 < 0x80 }
  }

  @Test(arguments: [
    ["LC_ALL": "C.UTF-8"], ["LC_ALL": "unset", "LANG": "C.UTF-8"],
    ["LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C"],
    // A locale that is not installed is taken at its word.
    ["LC_ALL": "unset", "LANG": "xx_XX.UTF-8"], ["LC_ALL": "xx_XX.utf8"],
  ])
  func `lines are drawn where the locale is UTF-8`(environment: [String: String]) throws {
    let text = try Self.firstFrame(environment)
    #expect(text.contains("┌") && text.contains("→") && text.contains("└"))
  }

  @Test(arguments: [
    ["LC_ALL": "unset"], ["LC_ALL": "C"], ["LC_ALL": "POSIX", "LANG": "C.UTF-8"],
    ["LC_ALL": "xx_XX.ISO-8859-1"],
  ])
  func `ASCII is drawn where it is not`(environment: [String: String]) throws {
    let text = try Self.firstFrame(environment, ["--half"])
    #expect(Self.isASCII(text))
    #expect(text.contains("1 Canonical  IPA > PA"))
    #expect(text.contains("???? beside"))
  }

  @Test func `ASCII is drawn on request`() throws {
    #expect(Self.isASCII(try Self.firstFrame([:], ["--ascii"])))
  }

  @Test(arguments: [
    ("xterm-256color", "\u{1B}[38;5;75m"), ("tmux-256color", "\u{1B}[38;5;75m"),
    ("linux", "\u{1B}[36m"),
  ])
  func `colours are those of the terminal`(type: String, sequence: String) throws {
    #expect(try Self.firstFrame([:], type: type).contains(sequence))
  }

  @Test func `no colour is drawn without colour`() throws {
    let coloured = #/\u{1B}\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])[;m]/#
    #expect(try Self.firstFrame([:]).contains(coloured))
    #expect(try !Self.firstFrame(["NO_COLOR": "1"]).contains(coloured))
    #expect(try !Self.firstFrame([:], type: "vt100").contains(coloured))
  }

  @Test(arguments: [
    ("dumb", "no screen can be drawn on a terminal of type 'dumb'"),
    ("unset", "the terminal type (TERM) is not set"), ("", "the terminal type (TERM) is not set"),
    ("no-such-terminal", "no screen can be drawn on a terminal of type 'no-such-terminal'"),
    ("a\u{1B}[2Jb", "no screen can be drawn on a terminal of type 'a\\x1b[2Jb'"),
  ])
  func `there is no screen without a usable terminal`(type: String, message: String) throws {
    let job = try Job(type: type)
    #expect(try job.status() == .exited(1))
    #expect(job.text == "probe: \(message)\r\n")
    #expect(job.modesAreRestored)
  }

  @Test func `there is no screen where output is no terminal`() throws {
    let job = try Job(["/bin/sh", "-c", "\(Job.probe) 2>&1 | cat"])
    #expect(try job.status() == .exited(0))
    #expect(job.text == "probe: standard output is not a terminal\r\n")
  }

  @Test func `keys come from the terminal where input is a pipe`() throws {
    let job = try Job(["/bin/sh", "-c", "echo data | \(Job.probe)"])
    #expect(try job.report().hasPrefix("open"))
    job.send("j")
    #expect(try job.report() == "key j")
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers() == [], "pipe")
  }

  @Test func `the size is that of the terminal whatever the environment says`() throws {
    let job = try Job(environment: ["LINES": "10", "COLUMNS": "20"])
    #expect(try job.report().hasPrefix("open 80x24"))
    job.resize(width: 90, height: 30)
    #expect(try job.report() == "resize 90x30")
  }
}
