import Foundation
import Pseudoterminal
import Testing

@testable import pagewalk

/// Long work says how far it is, to whoever looks at a terminal, and ends when it is told to.
@Suite struct ProgressTests {
  /// A file whose events as JSON no machine writes in a second.
  private static func longScenario(in folder: URL) throws -> String {
    let accesses = (1..<40_000).map {
      "l1 write 0x\(String(0x4000_0000 + $0 * 4096, radix: 16))"
    }
    return try scenario(
      ["vm ipa=40 vcpus=1 nested=on", "memslot 0 0x40000000 2G backing=4K"] + accesses, in: folder)
  }

  /// A file with fewer events, which no machine carries out in a second.
  private static func heavyScenario(in folder: URL) throws -> String {
    let pair = ["host write 0 1G", "host discard 0 1G"]
    return try scenario(
      ["vm ipa=40 vcpus=1 nested=off", "memslot 0 0 1G backing=4K"]
        + Array(repeating: pair, count: 4).joined(), in: folder)
  }

  private static func scenario(_ lines: [String], in folder: URL) throws -> String {
    let file = folder.appending(path: "long.pw")
    try Data((["pagewalk 1"] + lines).joined(separator: "\n").appending("\n").utf8).write(to: file)
    return file.path
  }

  /// Starts a command of the shell on a terminal; `PROGRAM` in it is the program.
  private func start(_ command: String, type: String = "xterm-256color") throws -> Job {
    try Job(
      program: "/bin/sh",
      ["-c", command.replacing("PROGRAM", with: Job.product("pagewalk"))], type: type,
      environment: Program.environment)
  }

  @Test func `on a terminal a line says how far the work is, and is gone at the end`() throws {
    try Program.withFolder { folder in
      let start = ContinuousClock.now
      let job = try self.start("exec PROGRAM run \(Self.heavyScenario(in: folder))")
      try job.output(containing: " of 9 events, ")
      #expect(ContinuousClock.now - start > .seconds(1))
      #expect(try job.status() == .exited(0))
      #expect(job.text.hasPrefix("\rrun: "))
      #expect(
        job.text.hasSuffix(
          "\r\u{1B}[K9 events, 0 chapters, 0 expectations, 0 failed\r\n"), "\(job.text)")
    }
  }

  @Test(arguments: [
    ("exec PROGRAM run FILE", "dumb"), ("exec PROGRAM run FILE 2> /dev/null", "xterm"),
  ])
  func `elsewhere nothing is said before the end`(command: String, type: String) throws {
    try Program.withFolder { folder in
      let file = try Self.heavyScenario(in: folder)
      let job = try start(command.replacing("FILE", with: file), type: type)
      #expect(try job.status() == .exited(0))
      #expect(job.text == "9 events, 0 chapters, 0 expectations, 0 failed\r\n")
    }
  }

  @Test func `Ctrl-C ends the work after a whole line, by its signal, and says how far it came`()
    throws
  {
    try Program.withFolder { folder in
      let output = folder.appending(path: "out")
      let file = try Self.longScenario(in: folder)
      let job = try start("exec PROGRAM run --json \(file) > \(output.path)")
      try job.output(containing: " of 40,000 events, ")
      job.send("\u{3}")
      #expect(try job.status() == .killed(SIGINT))
      let said = try #require(job.text.split(separator: "\u{1B}[K").last)
      let text = try String(contentsOf: output, encoding: .utf8)
      #expect(text.hasSuffix("}\n"))
      // The event whose line is written last may not have been counted.
      let lines = text.split(separator: "\n").count
      #expect(
        (lines - 1...lines).contains {
          said.replacing(",", with: "") == "interrupted after \($0) of 40000 events\r\n"
        }, "\(lines) lines, \(said)")
    }
  }

  @Test func `Ctrl-C ends the work in the middle of an event`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "one.pw")
      try Data(
        "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\nmemslot 0 0 64G backing=4K\nhost write 0 64G\n"
          .utf8
      ).write(to: file)
      let job = try start("exec PROGRAM dump \(file.path)")
      try job.output(containing: "dump: 1 of 2 events, 50%")
      job.send("\u{3}")
      #expect(try job.status() == .killed(SIGINT))
      #expect(job.text.hasSuffix("\r\u{1B}[Kinterrupted after 1 of 2 events\r\n"))
    }
  }

  @Test func `a signal that the parent ignores does not end the work`() throws {
    try Program.withFolder { folder in
      let file = try Self.heavyScenario(in: folder)
      let job = try start("trap '' INT; exec PROGRAM run \(file)")
      try job.output(containing: " of 9 events, ")
      job.send("\u{3}")
      #expect(try job.status() == .exited(0))
    }
  }

  @Test func `who reads no further ends the work without a word`() throws {
    try Program.withFolder { folder in
      let file = try Self.longScenario(in: folder)
      let job = try start("(PROGRAM run --json \(file); echo $? >&2) | head -n 1 | wc -l")
      #expect(try job.status() == .exited(0))
      // 128 and SIGPIPE.
      #expect(job.text.contains("141\r\n") && job.text.contains("1\r\n"))
      #expect(!job.text.contains("interrupted") && !job.text.contains("cannot"))
    }
  }

  @Test func `of a line that is too long the last parts are left out`() {
    let progress = Progress("compare", events: 6_000_000, runs: 6)
    for _ in 0..<30_000 { progress.advance() }
    progress.finishRun(leaving: 970_000)
    let whole =
      "compare: 1,000,000 of 6,000,000 events, 16%, 10 s left, 1 of 6 policies, 500,000/s"
    #expect(progress.line(rate: 500_000, columns: 200) == whole)
    #expect(progress.line(rate: 500_000, columns: 79) + ", 500,000/s" == whole)
    #expect(
      progress.line(rate: 0, columns: 40)
        == "compare: 1,000,000 of 6,000,000 events")
    #expect(progress.line(rate: 0, columns: 12) == "compare: 1,0")
    #expect(
      progress.whereInterrupted
        == "interrupted after 1,000,000 of 6,000,000 events; 1 of 6 policies are done")
    #expect(Progress("run", events: 0).line(rate: 0, columns: 79) == "run: 0 of 0 events")
  }

  @Test(arguments: ["assets/scenarios/nested/three-tables.pw", "assets/scenarios/bugs/relax.pw"])
  func `a comparison does not depend on how many policies are carried out at a time`(file: String)
    throws
  {
    for json in [[], ["--json"]] {
      let one = try Program.run(["compare", file, "--jobs", "1"] + json)
      #expect(one.code == 0 && one.text.contains("ideal"))
      for jobs in [[], ["--jobs", "3"], ["--jobs", "100"]] {
        #expect(try Program.run(["compare", file] + jobs + json).text == one.text, "\(jobs)")
      }
    }
  }
}
