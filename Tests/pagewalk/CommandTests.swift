import Foundation
import TestSupport
import Testing

/// The commands that need no terminal: what they print where, and how they end.
@Suite struct CommandTests {
  private static let alias = "assets/captures/nested/nested-alias"
  private static let scenario = alias + "/scenario.pw"

  /// A scenario with one expectation that fails, and a leaf that is writable though its page is shared.
  private static let wrong = """
    pagewalk 1
    vm ipa=40 vcpus=1 nested=on
    memslot 0 0x40000000 4M backing=4K
    l1 read 0x40000000
    expect value 1

    """

  @Test func `run says what it did, and nothing on the standard error`() throws {
    let result = try Program.run(["run", Self.scenario, "--check"])
    #expect(result.code == 0)
    #expect(result.errors.isEmpty)
    #expect(
      result.text == "79 events, 11 chapters, 0 expectations, 0 failed, 0 violations\n")
  }

  @Test func `run ends with 1 if an expectation fails, and says which, and what is instead`() throws
  {
    let result = try Program.run(["run", "-"], input: [UInt8](Self.wrong.utf8))
    #expect(result.code == 1)
    #expect(result.text == "2 events, 0 chapters, 1 expectation, 1 failed\n")
    #expect(result.errors == "stdin:5:1: not as expected: the value is 0x0\n")
  }

  @Test func `the mistakes of a file are said together, whichever command reads it`() throws {
    let text = """
      pagewalk 1
      vm ipa=40 vcpus=1 nested=on
      memslot 0 0x40000000 4M backing=5K
      l1 reed 0x40000000
      host fork

      """
    let refused = """
      pagewalk 1
      vm ipa=40 vcpus=1 nested=on
      resume
      host fork
      host discard 0x90000000 4K

      """
    for (text, lines) in [(text, [3, 4]), (refused, [3, 5])] {
      for command in ["run", "render", "dump"] {
        let result = try Program.run([command, "-"], input: [UInt8](text.utf8))
        #expect(result.code == 3)
        let found = result.errors.split(separator: "\n").map { $0.split(separator: ":")[1] }
        #expect(found.compactMap { Int($0) } == lines, "\(result.errors)")
      }
    }
  }

  @Test func `run --check ends with 1 if a rule is broken, and says which and where`() throws {
    let result = try Program.run(["run", "--check", "assets/scenarios/bugs/relax.pw"])
    #expect(result.code == 1)
    #expect(result.errors.contains("breaks writable-leaf at nested IPA 0x1000 of shadow 0\n"))
    #expect(result.text.hasSuffix(" failed, 1 violation\n"))
    let without = try Program.run(["run", "assets/scenarios/bugs/relax.pw"])
    #expect(without.code == 0)
  }

  @Test func `run --dump-dir writes the kernel's files`() throws {
    try Program.withFolder { folder in
      let result = try Program.run(["run", Self.scenario, "--dump-dir", folder.path])
      #expect(result.code == 0)
      let steps = try FileManager.default.contentsOfDirectory(atPath: Program.path(Self.alias))
        .filter { $0 != "scenario.pw" }
      #expect(steps.count == 11)
      for step in steps {
        for file in [
          "stage2_page_tables", "ipa_range", "stage2_levels", "nested/nested_mmu0",
          "nested/nested_mmu1",
        ] {
          let theirs = try Data(
            contentsOf: URL(filePath: Program.path("\(Self.alias)/\(step)/\(file)")))
          let ours = try Data(contentsOf: folder.appending(path: "\(step)/\(file)"))
          #expect(ours == theirs, "\(step)/\(file)")
        }
      }
    }
  }

  private struct Event: Decodable {
    struct Step: Decodable {
      struct Change: Decodable {
        let address, old, new: String
      }
      let label, what, why, source, address: String
      let changes: [Change]
    }
    let event, line: Int
    let statement: String
    let steps: [Step]
  }

  @Test func `run --json prints an object for each event, whose changes follow from each other`()
    throws
  {
    let result = try Program.run(["run", Self.scenario, "--json"])
    #expect(result.code == 0)
    let lines = result.text.split(separator: "\n")
    #expect(lines.count == 79)
    let source = try Program.contents(Self.scenario)
      .split(separator: "\n", omittingEmptySubsequences: false)
    var memory: [String: String] = [:]
    for (index, line) in lines.enumerated() {
      let event = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
      #expect(event.event == index + 1)
      #expect(source[event.line - 1].hasPrefix(event.statement))
      #expect(!event.steps.isEmpty)
      for change in event.steps.flatMap(\.changes) {
        // Every word is found as the last change left it.
        if let last = memory[change.address] { #expect(last == change.old, "\(line)") }
        memory[change.address] = change.new
      }
    }
  }

  @Test(arguments: ["canonical", "shadow0", "guest1"])
  func `dump --image writes what a walker of its own needs`(table: String) throws {
    try Program.withFolder { folder in
      let image = folder.appending(path: "image").path
      let result = try Program.run([
        "dump", Self.scenario, "--at", "step:02", "--table", table, "--image", image,
      ])
      #expect(result.code == 0)
      let lines = result.text.split(separator: "\n", maxSplits: 3).map(String.init)
      let numbers = try zip(["base: ", "VTTBR: ", "VTCR: "], lines).map { name, line in
        #expect(line.hasPrefix(name))
        return try #require(UInt64(line.dropFirst(name.count + 2), radix: 16))
      }
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: image)))
      let walker = try TableWalker(
        memory: bytes, at: numbers[0], vttbr: numbers[1], vtcr: numbers[2])
      // The text below says the same, row by row.
      let rows = lines[3].split(separator: "\n").filter { $0.hasPrefix("0x") }
      #expect(rows.count == walker.rows.count && walker.leaves.count > 2)
      for (text, row) in zip(rows, walker.rows) {
        let ends = text.split(separator: " ")[0].split(separator: "-")
          .compactMap { UInt64($0.dropFirst(2), radix: 16) }
        #expect(ends == [row.range.lowerBound, row.range.upperBound], "\(text)")
      }
      let plain = try Program.run(["dump", Self.scenario, "--at", "step:02", "--table", table])
      #expect(lines[3] + "\n" == plain.text || lines[3] == plain.text)
    }
  }

  @Test func `the standard input is a file like any other`() throws {
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: Program.path(Self.scenario))))
    for command in [["run"], ["dump"], ["render"], ["windows"]] {
      let piped = try Program.run(command + ["-"], input: bytes)
      let named = try Program.run(command + [Self.scenario])
      #expect(piped.code == named.code && piped.text == named.text, "\(command)")
    }
  }

  @Test(arguments: [
    ([], 4), (["run"], 2), (["run", "--bogus", "x"], 2), (["run", "no-such-file"], 3),
    (["run", "Sources"], 3), (["dump", scenario, "--table", "shadow2"], 2),
    (["dump", scenario, "--table", "guest9"], 2), (["dump", scenario, "--table", "x"], 2),
    (["dump", scenario, "--at", "80"], 2), (["dump", scenario, "--image", "/no/such/folder/x"], 4),
    (["dump", "README.md"], 3), (["run", scenario, "--dump-dir", "/proc/x"], 4),
    (["run", scenario, "--policy", "revmap=v9"], 2), (["run", scenario, "--policy", "x"], 2),
    (["render", "--size", "0x0"], 2), (["render", "--size", "12"], 2),
    (["render", "--at", "x"], 2),
    (["compare"], 2), (["compare", scenario, "--jobs", "0"], 2),
    (["compare", scenario, "--policies", "v9"], 2), (["compare", "nothing"], 3),
    (["windows", scenario], 1), (["windows", scenario, "--at", "start"], 2),
    (["help"], 0), (["--help"], 0), (["help", "run"], 0), (["config", "show"], 0),
    (["--version"], 0), (["run", "--version"], 0),
  ])
  func `how a command ends`(arguments: [String], code: Int) throws {
    let result = try Program.run(arguments)
    #expect(result.code == Int32(code))
    // What is wrong is said, once, where errors are said; a result is printed where results are.
    #expect(result.errors.isEmpty == (code == 0))
    #expect(result.output.isEmpty == (code != 0))
    if code == 3 { #expect(result.errors.contains(": ")) }
    #expect(!result.errors.utf8.contains(0x1b))
  }

  @Test(arguments: [["run", scenario], ["--help"]])
  func `output for which there is no room is no success`(arguments: [String]) throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let result = try Program.run(arguments, outputPath: "/dev/full")
    #expect(result.code == 4)
    #expect(result.errors.hasPrefix("the output cannot be written: "))
  }

  @Test func `an export replaces what a link leads to, and writes into a pipe`() throws {
    try Program.withFolder { folder in
      let (file, link, pipe) = (
        folder.appending(path: "file"), folder.appending(path: "link"),
        folder.appending(path: "pipe")
      )
      try Data("old".utf8).write(to: file)
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
      #expect(mkfifo(pipe.path, 0o600) == 0)
      let reader = open(pipe.path, O_RDONLY | O_NONBLOCK)
      defer { close(reader) }
      var expected = ""
      for target in [link, pipe] {
        let result = try Program.run(
          ["export", "bugs/relax", "--to", "vcd", "-o", target.path])
        #expect(result.code == 0, "\(result.errors)")
        if target == link { expected = try String(contentsOf: file, encoding: .utf8) }
      }
      #expect(expected.hasPrefix("$"))
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(reader, &bytes, bytes.count)
      #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == expected)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == file.path)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
    }
  }

  @Test(arguments: ["html", "text", "vcd"])
  func `an export that ends before it begins is refused`(format: String) throws {
    let result = try Program.run(
      ["export", "bugs/relax", "--to", format, "--from", "5", "--until", "3"])
    #expect(result.code == 2 && result.output.isEmpty)
    #expect(result.errors.contains("--from: expected a moment before --until"))
  }
}
