import Foundation
import Glibc
import Lesson
import Pseudoterminal
import Testing

/// `pagewalk present` and `pagewalk notes`: two programs, one of which tells the other.
@Suite struct PresentTests {
  /// A listener in lines, and the file with what it has printed.
  private static func listen(
    _ environment: [String: String], in folder: URL
  ) throws -> (Process, () throws -> String) {
    let file = folder.appending(path: "notes-\(UUID()).txt")
    try Data().write(to: file)
    let process = Process()
    process.executableURL = Program.binary
    process.arguments = ["notes", "--plain"]
    process.environment = ["LC_ALL": "C.UTF-8"].merging(environment) { $1 }
    process.standardOutput = try FileHandle(forWritingTo: file)
    process.standardError = FileHandle.nullDevice
    try process.run()
    return (process, { try String(contentsOf: file, encoding: .utf8) })
  }

  /// Waits until a text is printed; false if it is not within ten seconds.
  private static func wait(for text: String, in printed: () throws -> String) throws -> Bool {
    for _ in 0..<200 {
      if try printed().contains(text) { return true }
      usleep(50_000)
    }
    return false
  }

  @Test func `the second terminal follows the first, whichever is there first`() throws {
    try Program.withFolder { folder in
      let environment = ["XDG_RUNTIME_DIR": folder.path, "XDG_STATE_HOME": folder.path]
      let (early, earlyText) = try Self.listen(environment, in: folder)
      defer { early.terminate() }
      let job = try Program.start(["present", "one-walk"], file: nil, environment: environment)
      try job.press("", expecting: "A guest and its memory")
      #expect(try Self.wait(for: "--- One walk  1/16\nDraw two axes", in: earlyText))
      // Nobody else can open it.
      var status = stat()
      #expect(stat(folder.path + "/pagewalk/notes", &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
      #expect(stat(folder.path + "/pagewalk", &status) == 0)
      #expect(status.st_mode & 0o777 == 0o700)
      try job.press("\r", expecting: "Hardware turns each")
      try job.press("\r", expecting: "Show the outcome")
      #expect(try Self.wait(for: "Answer: ", in: earlyText))
      let (late, lateText) = try Self.listen(environment, in: folder)
      defer { late.terminate() }
      #expect(try Self.wait(for: "--- One walk  2/16", in: lateText))
      job.send("2")
      #expect(try Self.wait(for: "guesses: a 0, b 1, c 0", in: earlyText))
      // Guesses alone do not print the page anew.
      #expect(try earlyText().components(separatedBy: "--- One walk  2/16").count == 2)

      let second = try Program.start(["present", "2"], file: nil, environment: environment)
      try second.press("", expecting: "another lesson is being presented")
      second.send("q")
      #expect(try second.status() == .exited(0))
      job.send("q")
      #expect(try job.status() == .exited(0))
      early.waitUntilExit()
      late.waitUntilExit()
      #expect(early.terminationStatus == 0 && late.terminationStatus == 0)
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/pagewalk/notes"))
      // Nothing of it is kept.
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/pagewalk/progress.jsonl"))
    }
  }

  @Test func `a socket that was left behind is taken over, a folder of others is not`() throws {
    try Program.withFolder { folder in
      let environment = ["XDG_RUNTIME_DIR": folder.path]
      let killed = try Program.start(["present", "1"], file: nil, environment: environment)
      try killed.press("", expecting: "A guest and its memory")
      killed.signal(SIGKILL)
      _ = try killed.status()
      #expect(FileManager.default.fileExists(atPath: folder.path + "/pagewalk/notes"))
      let job = try Program.start(["present", "1"], file: nil, environment: environment)
      let (listener, text) = try Self.listen(environment, in: folder)
      defer { listener.terminate() }
      #expect(try Self.wait(for: "--- One walk  1/16", in: text))
      job.send("q")
      #expect(try job.status() == .exited(0))

      #expect(chmod(folder.path + "/pagewalk", 0o755) == 0)
      let open = try Program.run(["notes", "--plain"], environment: environment)
      #expect(open.code == 4 && open.errors.contains("that nobody else can open"))
      #expect(try Program.run(["notes", "--plain"]).code == 4)
      let other = try Program.run(["present", "1", "--from", "nowhere"])
      #expect(other.code == 2 && other.errors.contains("expected one of a-guest-and-its-memory, "))
    }
  }

  /// A socket at which somebody else answers.
  private static func server(at path: String) throws -> Int32 {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let isBound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    try #require(isBound && Glibc.listen(number, 1) == 0)
    return number
  }

  @Test func `whatever is told, the listener prints nothing that a terminal acts on`() throws {
    try Program.withFolder { folder in
      let path = folder.path + "/pagewalk"
      #expect(mkdir(path, 0o700) == 0)
      let server = try Self.server(at: path + "/notes")
      defer { close(server) }
      let (listener, text) = try Self.listen(["XDG_RUNTIME_DIR": folder.path], in: folder)
      defer { listener.terminate() }
      let told = accept(server, nil, nil)
      func tell(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return send(told, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
      }
      #expect(tell("no page\n{\"title\":7}\n\n\u{FF}\n"))
      #expect(
        tell("{\"title\":\"t\\u001b[2J\",\"lines\":[\"l\\u009b31m\"],\"guesses\":\"g\\u0007\"}\n"))
      #expect(try Self.wait(for: "--- t", in: text))
      #expect(
        try text().unicodeScalars.allSatisfy {
          $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value)
        })
      // A line without an end is not read without an end.
      var left = 40
      while left > 0, tell(String(repeating: "x", count: 4_096)) { left -= 1 }
      listener.waitUntilExit()
      #expect(listener.terminationStatus == 0)
      close(told)
    }
  }
}
