import Foundation
import Glibc
import Pseudoterminal
import Testing

/// Nothing that comes from outside can tell a terminal what to do, wherever it comes from: what it would
/// act on is spelled out.
@Suite struct HostileTextTests {
  /// Every control character, and what is worse than one: sequences that write the clipboard, the title,
  /// a link, or back to the keyboard; what turns, joins or hides text; what is no text at all.
  private static let text: String = {
    let controls = (0x01...0x1F).filter { $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
    let all = controls + Array(0x7F...0x9F)
    let scalars = String(String.UnicodeScalarView(all.compactMap(Unicode.Scalar.init)))
    return scalars + "\u{1B}]52;c;ZXZpbA==\u{07}\u{1B}]0;evil\u{07}\u{1B}]8;;http://evil\u{1B}\\"
      + "\u{1B}[13;37Hevil\u{1B}[6n\u{1B}P+q544e\u{1B}\\\u{9B}31m\u{202E}\u{2066}\u{200B}\u{FEFF}\u{0301}"
      + "\u{E000}\u{2028}"
  }()

  /// The text in a file, with bytes that are not UTF-8: a control of eight bits, half a character, half a
  /// surrogate pair.
  private static let bytes =
    [UInt8](text.utf8) + [0x9B, 0x33, 0x31, 0x6D, 0xC3, 0x28, 0xED, 0xA0, 0x80, 0xFF]

  /// A scenario that says it everywhere where it can say something.
  private static func scenario(_ text: [UInt8]) -> [UInt8] {
    [UInt8]("pagewalk 1\ntitle \"".utf8) + text
      + [UInt8]("\"\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 0x80000000 1M backing=4K # ".utf8)
      + text
      + [UInt8]("\nl1 write 0x80000000\nstep \"a".utf8) + text + [UInt8]("\" \"".utf8) + text
      + [UInt8]("\"\nexpect value 7 # ".utf8) + text + [UInt8]("\n".utf8)
  }

  /// What a terminal would act on, hide or reorder in an output in lines.
  private static func acts(_ output: [UInt8]) -> [String] {
    String(decoding: output, as: UTF8.self).unicodeScalars.filter { scalar in
      if scalar == "\n" || scalar == "\r" { return false }
      switch scalar.properties.generalCategory {
      case .control, .format, .privateUse, .lineSeparator, .nonspacingMark: return true
      default: return false
      }
    }.map { "U+" + String($0.value, radix: 16) }
  }

  private static func expectHarmless(
    _ result: Program.Result, _ comment: Comment, _ code: Int32? = nil
  ) {
    #expect(acts(result.output + [UInt8](result.errors.utf8)) == [], comment)
    if let code { #expect(result.code == code, comment) }
  }

  /// What of a screen's output is not of the kinds that ncurses sends.
  private static func foreign(_ output: [UInt8]) -> [String] {
    var text = String(decoding: output, as: UTF8.self)
    // Sequences with digits; character sets; keypad modes; shifts between character sets.
    text.replace(#/\u{1B}\[[?>]?[0-9;]*[A-Za-z]/#, with: "")
    text.replace(#/\u{1B}[()][0B]|\u{1B}[=>]|\u{0F}|\u{0E}|\u{08}/#, with: "")
    return acts([UInt8](text.utf8))
  }

  private static func expectHarmless(_ job: Job, _ comment: Comment) {
    #expect(foreign(job.output) == [], comment)
    for sequence in ["]52;", "]0;evil", "]8;;", "[13;37H", "[6n", "P+q", "\u{9B}"] {
      #expect(!job.text.contains("\u{1B}" + sequence), comment)
    }
  }

  @Test func `a file's texts on the screen`() throws {
    for text in [[UInt8](Self.text.utf8), [UInt8]("\u{1B}]52;c;x\u{7}\u{202E}".utf8)] {
      try Program.withFolder { folder in
        let file = folder.appending(path: "hostile.pw")
        try Data(Self.scenario(text)).write(to: file)
        for size in [(120, 40), (200, 60), (40, 12)] {
          let job = try Program.start(file: file.path, width: size.0, height: size.1)
          try job.output(containing: "0/2")
          try job.press("..", expecting: "2/2")
          try job.press("\"", expecting: "2/2")
          try job.press("}{w", expecting: "/2")
          try job.press("?", expecting: "next")
          try job.press("q$:step a\u{9}\u{9}", expecting: "step")
          job.send("\u{15}quit-now\r")
          #expect(try job.status() == .exited(0))
          #expect(job.leftovers() == [])
          Self.expectHarmless(job, "\(size)")
        }
      }
    }
  }

  @Test(arguments: ["xterm-256color", "linux"])
  func `what is typed or pasted on the screen`(type: String) throws {
    let job = try Program.start(type: type)
    try job.output(containing: "0/21")
    let typed = "\u{9B}31m\u{202E}\u{200B}\u{0301}\u{85}\u{2028}"
    for opened in [":", "/", "f", ":glossary ", "?/"] {
      job.send(opened + typed)
      try job.press("\r", expecting: "0/21")
      // Ctrl-G leaves the prompt where it is still open.
      job.send("\u{7}")
      try job.press("", expecting: "Canonical")
    }
    job.send("\u{3}")
    #expect(try job.status() == .killed(SIGINT))
    Self.expectHarmless(job, "\(type)")
  }

  @Test func `a file's texts in the output of every command`() throws {
    try Program.withFolder { folder in
      let names = ["plain.pw", "evil\u{1B}]0;x\u{07}\u{9B}2J\u{202E}.pw"]
      for name in names {
        let file = folder.appending(path: name)
        try Data(Self.scenario([UInt8](Self.text.utf8))).write(to: file)
        let path = file.path(percentEncoded: false)
        for arguments in [
          ["run"], ["run", "--json"], ["run", "--check"], ["dump"], ["render"], ["compare"],
          ["compare", "--json"], ["windows"], ["view", "--plain"], [],
        ] {
          let lines = [UInt8]("\nmarks\nlook\nhelp\nend\nnonsense \u{1B}[2J\n".utf8)
          let result = try Program.run(arguments + [path], input: lines)
          Self.expectHarmless(result, "\(arguments)")
        }
        // A picture is a document, whose texts XML keeps apart; what it forbids must not be in it.
        let picture = try Program.run(["render", "--svg", path])
        #expect(Self.acts(picture.output) == [] && picture.code == 0)
      }
    }
  }

  @Test func `bytes that are no text`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "bytes.pw")
      try Data(Self.scenario(Self.bytes)).write(to: file)
      for arguments in [["run"], ["dump"], ["render"], ["view", "--plain"]] {
        Self.expectHarmless(try Program.run(arguments + [file.path]), "\(arguments)", 3)
      }
      try Data(Self.bytes + [0x0A] + Self.bytes).write(to: file)
      Self.expectHarmless(try Program.run(["run", file.path]), "alone", 3)
    }
  }

  @Test func `arguments and names`() throws {
    let text = Self.text
    let uses: [([String], Int32)] = [
      ([text], 3), (["run", text], 3), (["--" + text], 2), (["run", "--policy", text, "-"], 2),
      (["dump", "--at", text, "assets/scenarios/nested/three-tables.pw"], 2),
      (["dump", "--table", text, "assets/scenarios/nested/three-tables.pw"], 2),
      (["dump", "--image", "/nonexistent/" + text, "assets/scenarios/nested/three-tables.pw"], 4),
      (["run", "--dump-dir", "/dev/null/" + text, "assets/scenarios/nested/three-tables.pw"], 4),
      (["render", "--size", text], 2), (["render", "--theme", text], 2),
      (["compare", "--policies", text, "assets/scenarios/nested/three-tables.pw"], 2),
      (["windows", "--at", text, "assets/scenarios/nested/three-tables.pw"], 2),
    ]
    for (arguments, code) in uses {
      let input = [UInt8]("pagewalk 1\nvm ipa=40 vcpus=1 nested=on\n".utf8)
      let result = try Program.run(arguments, input: input)
      Self.expectHarmless(result, "\(arguments)", code)
      #expect(result.output.isEmpty && !result.errors.isEmpty, "\(arguments)")
    }
    Self.expectHarmless(try Program.run(["help", text]), "help")
  }

  /// Arguments can be any bytes; only a shell can hand those over that are no text.
  @Test func `arguments that are no text`() throws {
    let binary = Job.product("pagewalk")
    let job = try Job(
      program: "/bin/sh", ["-c", "exec \(binary) run \"$(printf 'a\\377\\033[2J\\233x')\""],
      environment: Program.environment)
    #expect(try job.status() == .exited(3))
    #expect(Self.foreign(job.output) == [])
    #expect(job.text.contains("\\x1b[2J"))
  }

  @Test func `the configuration and the environment`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "config\u{1B}[2J\u{9B}1m")
      for line in ["theme = ", "key ", "key quit = ", "", "detail = ", "theme "] {
        try Data([UInt8](line.utf8) + Self.bytes + [0x0A]).write(to: file)
        let path = file.path(percentEncoded: false)
        let result = try Program.run(["config", "show"], environment: ["PAGEWALK_CONFIG": path])
        Self.expectHarmless(result, "\(line)", 3)
        try Data((line + Self.text + "\n").utf8).write(to: file)
        let text = try Program.run(["config", "show"], environment: ["PAGEWALK_CONFIG": path])
        Self.expectHarmless(text, "\(line)", 3)
      }
      try Data("theme = light\n".utf8).write(to: file)
      let result = try Program.run(
        ["config", "show"], environment: ["PAGEWALK_CONFIG": file.path(percentEncoded: false)])
      Self.expectHarmless(result, "a name", 0)
      #expect(result.text.contains("\\x1b[2J"))
    }
    for name in ["PAGEWALK_CONFIG", "PAGEWALK_THEME", "TERM", "XDG_CONFIG_HOME"] {
      let result = try Program.run([], environment: [name: Self.text])
      Self.expectHarmless(result, "\(name)")
    }
  }
}
