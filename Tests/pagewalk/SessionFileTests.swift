import Foundation
import Glibc
import Language
import Pseudoterminal
import Recording
import TestSupport
import Testing

/// Sessions in files: what is written is there the next time, and whatever happens to the program or the file,
/// nothing of what was written is lost or taken for something else.
@Suite struct SessionFileTests {
  /// Runs the screen with a script of keys, and returns what it printed.
  @discardableResult
  private static func drive(
    _ script: String, _ arguments: [String], in folder: URL, code: Int32 = 0
  ) throws -> String {
    let file = folder.appending(path: "script.keys")
    try Data(script.utf8).write(to: file)
    let result = try Program.run(
      ["view", "--keys", file.path, "--size", "100x30"] + arguments,
      environment: ["XDG_STATE_HOME": folder.path])
    #expect(result.code == code, "\(result.errors)")
    return result.text
  }

  @Test func `a session goes on where it was left`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "kept.pw").path
      let left = try Self.drive(
        """
        press . . . m a
        type :note "first"
        press enter
        type :l2 read 0x2000
        press enter w
        type :write \(file)
        press enter
        expect The session is in
        wait
        press .
        frame
        press q
        """, ["built-in"], in: folder)
      let found = try Self.drive(
        """
        wait
        press .
        frame
        press escape
        type :branch main
        press enter "
        expect note       first
        """, [file], in: folder)
      #expect(found == left && !left.isEmpty)
      // It is a scenario for all other commands, and is proved.
      #expect(try Program.run(["run", file]).code == 0)
      let verified = try Program.run(["verify", file])
      #expect(verified.code == 0 && verified.text.hasPrefix("whole: "), "\(verified.text)")
    }
  }

  @Test func `a script says where a frame is not as expected`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "script.keys")
      try Data("press .\nexpect nothing of the kind\n".utf8).write(to: file)
      let result = try Program.run(["view", "built-in", "--keys", file.path])
      #expect(result.code == 1)
      #expect(
        result.errors.contains("script.keys:2:1: the frame has no text 'nothing of the kind'"))
      try Data("press .\njump\n".utf8).write(to: file)
      let wrong = try Program.run(["view", "built-in", "--keys", file.path])
      #expect(
        wrong.code == 3 && wrong.errors.contains("script.keys:2:1: expected one of: press KEY"))
      // Lines of blanks say nothing; a word that is right and what follows it are told apart.
      for (script, mistake) in [
        ("press .\n   \nwait\n", nil), ("press . Foo\n", "1:7: expected keys"),
        ("size 0x0\n", "1:6: expected columns and rows"), ("type\n", "1:6: expected a text"),
        ("  wait now\n", "1:8: expected nothing after"),
      ] {
        try Data(script.utf8).write(to: file)
        let result = try Program.run(["view", "built-in", "--keys", file.path])
        #expect(result.code == (mistake == nil ? 0 : 3), "\(script)")
        #expect(
          result.errors.contains("script.keys:\(mistake ?? "")") || mistake == nil,
          "\(result.errors)")
      }
    }
  }

  @Test func `what another program wrote to the open file is not replaced unasked`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "s.pw")
      let text = "pagewalk 1\nvm ipa=40\nmemslot 0 0x80000000 4M backing=4K\nl1 read 0x80000000\n"
      try Data(text.utf8).write(to: file)
      let job = try Program.start(
        [], file: file.path, environment: ["XDG_STATE_HOME": folder.path])
      try job.press("$", expecting: "event 2/2")
      try job.press(":l1 read 0x80001000\r", expecting: "event 3/3")
      try job.press(":write\r", expecting: "The session is in")
      let mine = try Data(contentsOf: file)
      try (mine + Data("# edited elsewhere\n".utf8)).write(to: file)
      try job.press(":l1 read 0x80002000\r", expecting: "event 4/4")
      job.send(":write\r")
      try job.output(containing: "has changed since it was read")
      job.send("n")
      try job.output(containing: "Nothing was written")
      #expect(try Data(contentsOf: file) == mine + Data("# edited elsewhere\n".utf8))
      let mark = job.output.count
      job.send(":write\ry")
      try job.output(containing: "The session is in", after: mark)
      #expect(try String(decoding: Data(contentsOf: file), as: UTF8.self).contains("0x80002000"))
      job.send("Q")
      #expect(try job.status() == .exited(0))
    }
  }

  @Test func `q with something in no file asks, and saves where one says`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "mine.pw").path
      try Data(Program.contents("assets/scenarios/bugs/relax.pw").utf8).write(
        to: URL(filePath: file))
      try Self.drive(
        """
        press $
        type :l1 read 0x80000000
        press enter q
        expect The typed event is in no file.
        press s
        """, [file], in: folder)
      let verified = try Program.run(["verify", file])
      #expect(verified.code == 0, "\(verified.text)\(verified.errors)")
      #expect(
        try String(contentsOfFile: file, encoding: .utf8).contains("\nl1 read 0x80000000 #@0 "))
      // Nothing is left of what was kept for the case of a fault.
      let state = folder.appending(path: "pagewalk").path
      #expect((try? FileManager.default.contentsOfDirectory(atPath: state)) ?? [] == [])
    }
  }

  @Test func `recordings of the assets are whole, play and are exported`() throws {
    let folder = Program.path("assets/recordings")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(names.count == 3)
    for name in names {
      let file = folder + "/" + name
      let verified = try Program.run(["verify", file])
      #expect(verified.code == 0, "\(name): \(verified.text)\(verified.errors)")
      let told = try Program.run(["play", "--plain", file])
      #expect(told.code == 0 && told.text.count > 1_000, "\(name)")
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
      for word in ["/home", "/tmp", "/root", "HOME"] {
        #expect(bytes.firstRange(of: Array(word.utf8)) == nil, "\(name) has \(word)")
      }
    }
  }

  @Test func `what is damaged is named with its line, and repaired beside`() throws {
    try Program.withFolder { folder in
      let source = try Program.contents("assets/recordings/two-unmappers.pw")
      let file = folder.appending(path: "r.pw").path
      func verify(_ text: String) throws -> Program.Result {
        try Data(text.utf8).write(to: URL(filePath: file))
        return try Program.run(["verify", file])
      }
      let edited = source.replacing(
        "host discard 0x80000000 4K", with: "host discard 0x80001000 4K")
      let line = try #require(
        source.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
          $0.hasPrefix("host discard 0x80000000 4K")
        })
      let found = try verify(edited)
      #expect(found.code == 1)
      #expect(
        found.text.contains("edited: ") && found.text.contains("\(line + 1)"), "\(found.text)")
      let output = folder.appending(path: "good.pw").path
      #expect(try Program.run(["repair", file, "-o", output]).code == 0)
      let repaired = try Program.run(["verify", output])
      #expect(repaired.code == 1 && repaired.text.contains("cut: the end is missing"))
      #expect(!repaired.text.contains("edited"))
      #expect(
        try verify(String(source.dropLast(3))).text.contains("torn: the last line is not whole"))
      let newer = try verify(source.replacing("#@rec 1.", with: "#@rec 2."))
      #expect(newer.code == 3 && newer.errors.contains("this program reads 1.x"))
      // It opens all the same.
      #expect(try Program.run(["run", file]).code == 3)
      try Data(edited.utf8).write(to: URL(filePath: file))
      let script = folder.appending(path: "k").path
      try Data("expect was edited at\n".utf8).write(to: URL(filePath: script))
      #expect(try Program.run(["view", file, "--keys", script]).code == 0)
    }
  }

  @Test func `a recording whose file was removed or changed is told once`() throws {
    try Program.withFolder { folder in
      for (name, reason) in [
        ("gone.pw", "it was removed"), ("other.pw", "another program has changed it"),
      ] {
        let file = folder.appending(path: name).path
        let job = try Program.start(
          ["--record", file], file: Program.path("assets/scenarios/bugs/relax.pw"))
        try job.press(".", expecting: "event 1/")
        if name == "gone.pw" { unlink(file) } else { truncate(file, 0) }
        job.send(".")
        try job.output(containing: "Recording ended: \(reason)")
        job.send("Q")
        #expect(try job.status() == .exited(4))
      }
    }
  }

  @Test func `a conversation is recorded`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "r.pw").path
      let result = try Program.run(
        ["view", "built-in", "--plain", "--record", file],
        input: Array("next-event\nl1 read 0x80001000\n".utf8))
      #expect(result.code == 0, "\(result.errors)")
      #expect(try Program.run(["verify", file]).text.hasPrefix("whole: "))
      #expect(try String(contentsOfFile: file, encoding: .utf8).contains("l1 read 0x80001000"))
      let again = try Program.run(
        ["view", "built-in", "--plain", "--record", file], input: Array("next-event\n".utf8))
      #expect(again.code == 4 && again.errors.contains("it exists already"))
    }
  }

  @Test func `what cannot be written is told with the reason`() throws {
    for arguments in [
      ["dump", "built-in", "--image", "/nonexistent/x"],
      ["run", "built-in", "--dump-dir", "/proc/x"],
    ] {
      let result = try Program.run(arguments)
      #expect(
        result.code == 4 && result.errors.contains("cannot be written: No such file or directory"),
        "\(result.errors)")
    }
  }

  @Test func `a device is not replaced by a file`() throws {
    try Program.withFolder { folder in
      let pipe = folder.appending(path: "pipe").path
      try #require(mkfifo(pipe, 0o600) == 0)
      try Self.drive(
        "press .\ntype :write \(pipe)\npress enter y\nexpect it is no file with contents\n",
        ["built-in"], in: folder)
      var status = stat()
      #expect(stat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }
  }

  @Test func `two programs do not record into one file`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "r.pw").path
      let job = try Program.start(
        ["--record", file], file: Program.path("assets/scenarios/bugs/relax.pw"))
      try job.press(".", expecting: "event 1/")
      let script = folder.appending(path: "k").path
      try Data("press .\n".utf8).write(to: URL(filePath: script))
      let other = try Program.run(["view", "built-in", "--record", file, "--keys", script])
      #expect(other.code == 4 && other.errors.contains("another program is recording to it"))
      job.send("Q")
      #expect(try job.status() == .exited(0))
      let again = try Program.run(["view", "built-in", "--record", file, "--keys", script])
      #expect(again.code == 4 && again.errors.contains("it exists already"))
      #expect(try Program.run(["verify", file]).code == 0)
    }
  }

  /// `PAGEWALK_KILLS` in the environment says how many recordings are broken off.
  @Test func `a recording that is broken off is cut, never anything else`() throws {
    let kills =
      ProcessInfo.processInfo.environment["PAGEWALK_KILLS"].flatMap { Int($0) } ?? 10
    var random = Generator(seed: 3)
    try Program.withFolder { folder in
      for number in 0..<kills {
        let delay = random.below(60)
        let file = folder.appending(path: "r\(number).pw").path
        let job = try Program.start(
          ["--record", file], file: Program.path("assets/scenarios/bugs/relax.pw"))
        try job.press(".", expecting: "event 1/")
        job.send("....:l1 read 0x80000000\r,,:note x\rma")
        usleep(UInt32(delay) * 1_000)
        job.signal(SIGKILL)
        _ = try job.status()
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
        let found = try Verification(Recording(bytes, file: file), bytes, file: file)
        #expect(
          found.condition.edits.isEmpty && found.divergences.isEmpty && found.refusals.isEmpty,
          "killed after \(delay) ms")
        #expect(!found.condition.hasEnd)
      }
    }
  }

  @Test func `what was not saved survives, and is offered`() throws {
    try Program.withFolder { folder in
      let job = try Program.start(
        [], file: Program.path("assets/scenarios/bugs/relax.pw"),
        environment: ["XDG_STATE_HOME": folder.path])
      try job.press("$", expecting: "event 10/10")
      job.send(":l1 read 0x80000000\r")
      try job.press("", expecting: "event 11/11")
      job.signal(SIGKILL)
      _ = try job.status()
      let state = folder.appending(path: "pagewalk").path
      let names = try FileManager.default.contentsOfDirectory(atPath: state)
      let name = try #require(names.first { $0.hasPrefix("unsaved-") })
      // Whoever opens a file is told.
      let next = try Program.start(
        [], file: Program.path("assets/scenarios/bugs/relax.pw"),
        environment: ["XDG_STATE_HOME": folder.path])
      try next.press("", expecting: "Work was not saved when pagewalk ended by force.")
      next.send("Q")
      _ = try next.status()
      let script = "wait\npress $\nexpect l1 read 0x80000000\npress q\nexpect in no file\npress d\n"
      try Self.drive(script, [state + "/" + name], in: folder)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: state).allSatisfy {
          !$0.hasPrefix("unsaved-")
        })
    }
  }

  @Test func `what was recovered stays in a file until it is saved or dropped`() throws {
    try Program.withFolder { folder in
      let state = folder.appending(path: "pagewalk").path
      func unsaved() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: state)
          .filter { $0.hasPrefix("unsaved-") }
      }
      let environment = ["XDG_STATE_HOME": folder.path]
      let first = try Program.start(
        [], file: Program.path("assets/scenarios/bugs/relax.pw"), environment: environment)
      try first.press("$", expecting: "event 10/10")
      first.send(":l1 read 0x80000000\r")
      try first.press("", expecting: "event 11/11")
      first.signal(SIGKILL)
      _ = try first.status()
      #expect(try unsaved().count == 1)
      // Killed again after it was opened, and once more offered.
      for _ in 0..<2 {
        let next = try Program.start([], file: nil, environment: environment)
        try next.press("", expecting: "Recover")
        try next.press("\r", expecting: "/11")
        next.signal(SIGKILL)
        _ = try next.status()
        #expect(try unsaved().count == 1)
      }
      let last = try Program.start([], file: nil, environment: environment)
      try last.press("", expecting: "Recover")
      try last.press("\r", expecting: "/11")
      try last.press("q", expecting: "in no file")
      last.send("qd")
      #expect(try last.status() == .exited(0))
      #expect(try unsaved().isEmpty)
    }
  }

  @Test func `what is recorded needs no other file, and a session does not replace a recording`()
    throws
  {
    try Program.withFolder { folder in
      let record = folder.appending(path: "rec.pw").path
      let job = try Program.start(
        ["--record", record], file: Program.path("assets/scenarios/bugs/relax.pw"))
      try job.press("$", expecting: "event 10/10")
      job.send(":l1 read 0x80000000\r")
      try job.press("", expecting: "event 11/11")
      job.send("q")
      #expect(try job.status() == .exited(0))
      let before = try String(contentsOfFile: record, encoding: .utf8)
      try Self.drive(
        "wait\ntype :write\npress enter\nexpect lost.\npress n\nexpect Nothing was written\n",
        [record], in: folder)
      #expect(try String(contentsOfFile: record, encoding: .utf8) == before)
      try Self.drive(
        "wait\ntype :write\npress enter\npress y\nexpect The session is\n", [record], in: folder)
      #expect(!(try String(contentsOfFile: record, encoding: .utf8)).contains("#@ui"))
    }
  }

  @Test func `a word names a moment, under its policy, of the same events only`() throws {
    try Program.withFolder { folder in
      let text = try Self.drive(
        "press . . . . s\ntype :here\npress enter\nframe\n",
        ["bugs/relax", "--policy", "revmap=v2"], in: folder)
      let word = try #require(
        text.split(separator: " ").first { $0.contains("@4.1") && $0.hasSuffix(":") }
      ).dropLast()
      let frame = try Program.run(["render", "bugs/relax", "--at", String(word), "--size", "80x24"])
      #expect(frame.code == 0 && frame.text.contains("step 1/"), "\(frame.errors)")
      let same = try Program.run(
        ["render", "bugs/relax", "--policy", "revmap=v2", "--at", "4.1", "--size", "80x24"])
      #expect(frame.text == same.text)
      let other = try Program.run(["render", "built-in", "--at", String(word)])
      #expect(other.code == 3 && other.errors.contains("are not those that the token was made for"))
    }
  }

  @Test func `on a terminal two histories stand side by side, and the exit code is the same`()
    throws
  {
    let other = try Program.start(
      ["diff", "bugs/two-unmappers", "--second-policy", "revmap=repaired"], file: nil)
    try other.press("]", expecting: "only in revmap=v2")
    other.send("q")
    #expect(try other.status() == .exited(1))
    let same = try Program.start(["diff", "bugs/relax", "bugs/relax"], file: nil)
    try same.press("]", expecting: "There is no later difference.")
    same.send("q")
    #expect(try same.status() == .exited(0))
    let plain = try Program.start(["diff", "bugs/relax", "bugs/relax", "--plain"], file: nil)
    #expect(try plain.status() == .exited(0))
  }

  @Test func `two histories are compared from the first event that differs`() throws {
    let same = try Program.run(["diff", "bugs/relax", "bugs/relax"])
    #expect(same.code == 0 && same.text == "no difference in 10 events\n")
    let policies = try Program.run(
      ["diff", "bugs/two-unmappers", "--second-policy", "revmap=repaired"])
    #expect(policies.code == 1)
    #expect(policies.text.contains("configuration: revmap=v2, revmap=repaired"))
    #expect(policies.text.contains("first other state: after event "))
    try Program.withFolder { folder in
      let file = folder.appending(path: "other.pw").path
      let text = try Program.contents("assets/scenarios/bugs/relax.pw")
      try Data((text + "l1 read 0x80000000\n").utf8).write(to: URL(filePath: file))
      let longer = try Program.run(["diff", "bugs/relax", file])
      #expect(longer.code == 1 && longer.text.hasSuffix("\n\n+ 11  l1 read 0x80000000\n"))
    }
  }
}
