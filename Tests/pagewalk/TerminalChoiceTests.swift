import Foundation
import Glibc
import Pseudoterminal
import Testing

/// Whether there is a screen, and what it looks like: options, environment, locale.
@Suite struct TerminalChoiceTests {
  @Test func `where output is no terminal there is no screen, but a word about what there is`()
    throws
  {
    for arguments in [[], ["view"], ["assets/scenarios/nested/three-tables.pw"]] {
      let result = try Program.run(arguments, environment: ["TERM": "xterm-256color"])
      #expect(result.code == 4 && result.output.isEmpty)
      for name in ["standard output is not a terminal", "--plain", "run", "dump", "render"] {
        #expect(result.errors.contains(name), "\(name)")
      }
    }
  }

  @Test(arguments: [
    ("dumb", "'dumb'"), ("unset", "(TERM) is not set"), ("", "(TERM) is not set"),
    ("no-such-terminal", "'no-such-terminal'"),
  ])
  func `a terminal that cannot show a screen is left alone`(type: String, words: String) throws {
    let job = try Program.start(type: type)
    #expect(try job.status() == .exited(4))
    #expect(job.text.contains(words) && job.text.contains("--plain"))
    #expect(!job.text.contains("\u{1B}") && job.modesAreRestored)
  }

  /// What is wrong with a file or an argument is said on the screen of the shell, not on one that goes.
  @Test(
    arguments: [
      (["--no-such"], 2), (["--at", "99", "FILE"], 2), (["--policy", "x=y", "FILE"], 2),
      (["--theme", "pink"], 2), (["/no/such/file"], 3), (["/"], 3), (["WRONG"], 3), (["EVENT"], 3),
    ] as [([String], Int32)])
  func `arguments and files are checked before the screen opens`(
    arguments: [String], code: Int32
  ) throws {
    try Program.withFolder { folder in
      let files = [
        "FILE": "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\n", "WRONG": "pagewalk 2\n",
        "EVENT": "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 7 4K backing=4K\n",
      ]
      for (name, text) in files {
        try Data(text.utf8).write(to: folder.appending(path: name))
      }
      let job = try Program.start(
        arguments.map { files[$0] == nil ? $0 : folder.appending(path: $0).path }, file: nil)
      #expect(try job.status() == .exited(code))
      #expect(!job.text.contains("\u{1B}") && !job.text.isEmpty && job.modesAreRestored)
    }
  }

  @Test func `a mistake that only comes up later gives the terminal back and is said then`() throws
  {
    try Program.withFolder { folder in
      let file = folder.appending(path: "late.pw")
      let start = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 0x80000000 1M backing=4K\n"
      let events = String(repeating: "l1 write 0x80000000\n", count: 30_000)
      try Data((start + events + "resume\n").utf8).write(to: file)
      let job = try Program.start(file: file.path)
      #expect(try job.status() == .exited(3))
      #expect(job.leftovers() == [])
      let left = try #require(job.text.ranges(of: "\u{1B}[?1049l").last)
      #expect(job.text[left.upperBound...].contains("late.pw:30004:1: expected a paused event"))
    }
  }

  @Test func `keys come from the terminal while the scenario comes from a pipe`() throws {
    let file = Program.path("assets/scenarios/nested/three-tables.pw")
    let job = try Job(
      program: "/bin/sh", ["-c", "cat \(file) | \(Job.product("pagewalk")) -"],
      environment: Program.environment, width: 120, height: 40)
    try job.output(containing: "0/21")
    try job.press(".", expecting: "1/21")
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers() == [])
  }

  private static func isColoured(_ text: String) -> Bool {
    text.contains(#/\u{1B}\[([0-9]+;)*(3[0-8]|4[0-8]|9[0-7])(;[0-9]+)*m/#)
  }

  @Test(
    arguments: [
      (["--color=never"], [:], false), (["--color=always"], ["NO_COLOR": "1"], true),
      ([], ["NO_COLOR": "1"], false), ([], ["NO_COLOR": ""], true),
      ([], ["NO_COLOR": "1", "CLICOLOR_FORCE": "1"], false), ([], [:], true),
    ] as [([String], [String: String], Bool)])
  func `colours on the screen`(
    arguments: [String], environment: [String: String], isColoured: Bool
  ) throws {
    let job = try Program.start(arguments, environment: environment)
    try job.press(".", expecting: "1/21")
    #expect(Self.isColoured(job.text) == isColoured)
  }

  @Test(
    arguments: [
      ([], [:], false), (["--color=always"], [:], true), ([], ["CLICOLOR_FORCE": "1"], true),
      ([], ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], false),
      ([], ["CLICOLOR_FORCE": "1", "TERM": "dumb"], false),
      (["--color=always"], ["TERM": "dumb", "NO_COLOR": "1"], true),
      (["--color=never"], [:], false),
      ([], ["CLICOLOR_FORCE": "0"], false),
    ] as [([String], [String: String], Bool)])
  func `colours in a file`(
    arguments: [String], environment: [String: String], isColoured: Bool
  ) throws {
    let variables = ["TERM": "xterm-256color"].merging(environment) { $1 }
    let result = try Program.run(["render"] + arguments, environment: variables)
    #expect(result.code == 0 && Self.isColoured(result.text) == isColoured)
  }

  @Test(
    arguments: [
      (["--ascii"], [:], true), ([], ["LC_ALL": "C"], true), ([], ["LC_ALL": "C.UTF-8"], false),
      (["--no-ascii"], ["LC_ALL": "C"], true),
    ] as [([String], [String: String], Bool)])
  func `characters`(arguments: [String], environment: [String: String], isASCII: Bool) throws {
    let job = try Program.start(arguments, environment: environment)
    try job.press(".", expecting: "1/21")
    #expect(job.output.allSatisfy { $0 < 0x80 } == isASCII)
    let result = try Program.run(["render"] + arguments, environment: environment)
    #expect(result.output.allSatisfy { $0 < 0x80 } == isASCII)
  }

  @Test func `the mouse is used when it is asked for, and as long as it is`() throws {
    let (on, off) = ("\u{1B}[?1000;1006h", "\u{1B}[?1006;1000l")
    let job = try Program.start()
    try job.press(".", expecting: "1/21")
    #expect(!job.text.contains(on))
    job.send("M")
    try job.output(containing: on)
    #expect(!job.text.contains(off))
    job.send("M")
    try job.output(containing: off)
    let other = try Program.start(["--mouse"])
    try other.output(containing: on)
    // A click on the timeline goes to its moment.
    try other.press("\u{1B}[<0;9;38M\u{1B}[<0;9;38m", expecting: "8/21")
    other.send("q")
    #expect(try other.status() == .exited(0))
    #expect(other.leftovers() == [])
  }
}
