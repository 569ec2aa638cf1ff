import Foundation
import Testing

/// `pagewalk live` on a folder that a test changes under its hands.
@Suite struct LiveTests {
  private static let unmapped = """
    ---[ Guest IPA ]---
    0x0000000000000000-0x0000010000000000           1T 1

    """
  private static let mapped = """
    ---[ Guest IPA ]---
    0x0000000000000000-0x0000000080000000           2G 1
    0x0000000080000000-0x0000000080001000           4K 3   R W px ux  AF
    0x0000000080001000-0x0000000080200000        2044K 3
    0x0000000080200000-0x00000000c0000000        1022M 2
    0x00000000c0000000-0x0000010000000000        1021G 1

    """

  private func write(_ text: String, _ name: String, in folder: URL) throws {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  @Test func `changes, vanished files and the end of the VM are lines, and a recording opens`()
    throws
  {
    try Program.withFolder { place in
      let folder = place.appending(path: "2101-12")
      try write("40\n", "ipa_range", in: folder)
      try write("1\n", "exits", in: folder)
      try write(Self.unmapped, "stage2_page_tables", in: folder)
      try write("", "nested/nested_mmu0", in: folder)
      let record = place.appending(path: "record").path
      let live = try Watched(["live", folder.path, "--every", "50ms", "-o", record], in: place)
      try live.waitFor(" canonical: 0 leaves\n")
      try live.waitFor(" shadow0: not in use\n")
      try write(Self.mapped, "stage2_page_tables", in: folder)
      try write("2\n", "exits", in: folder)
      try live.waitFor(
        " canonical 0x80000000-0x80001000: nothing (level 1), then level 3 rwx\n")
      try FileManager.default.removeItem(at: folder.appending(path: "nested/nested_mmu0"))
      try live.waitFor(" shadow0: vanished\n")
      // What is there and cannot be read, also by root.
      let file = folder.appending(path: "stage2_page_tables")
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
      try write("3\n", "exits", in: folder)
      try live.waitFor(" canonical: Is a directory\n")
      try FileManager.default.removeItem(at: folder)
      try live.waitFor(" the VM has ended: ")
      #expect(live.exitCode() == 0)
      let imported = try Program.run(["import", record])
      #expect(imported.code == 0)
      #expect(imported.text.contains("changed between 0000 and 0001"), "\(imported.text)")
      #expect(imported.text.contains("canonical 0x0000000080000000-0x0000000080001000"))
    }
  }

  /// A table of 100,000 rows, each of another kind than the one before.
  private static let large = (UInt64(0)..<100_000).reduce(into: "---[ Guest IPA ]---\n") {
    $0 += String(
      format: "0x%016lx-0x%016lx   %9luK 3   R %@ px ux  AF    \n", $1 << 12, ($1 + 1) << 12, 4,
      $1 & 1 == 0 ? "W" : " ")
  }

  @Test func `a change of a table that was read just before is seen later`() throws {
    try Program.withFolder { place in
      let folder = place.appending(path: "2101-12")
      try write("40\n", "ipa_range", in: folder)
      try write("1\n", "exits", in: folder)
      try write(Self.large, "stage2_page_tables", in: folder)
      let live = try Watched(["live", folder.path, "--every", "10ms"], in: place)
      try live.waitFor(" canonical: 100000 leaves\n")
      // The counter moves once, while the table is not read again so as to spare the VM.
      try write(
        Self.large.replacing(
          "0x0000000000001000-0x0000000000002000           4K 3   R   px",
          with:
            "0x0000000000001000-0x0000000000002000           4K 3   R W px"),
        "stage2_page_tables", in: folder)
      try write("2\n", "exits", in: folder)
      try live.waitFor(" canonical 0x1000-0x2000: level 3 r-x, then level 3 rwx\n")
      try FileManager.default.removeItem(at: folder)
      #expect(live.exitCode() == 0)
    }
  }

  @Test func `files of an older kernel are shadows with the registers in their names`() throws {
    try Program.withFolder { folder in
      try write("40\n", "ipa_range", in: folder)
      try write(Self.unmapped, "stage2_page_tables", in: folder)
      let names = ["0x0001000040100000", "0x0002000040200000"]
      for name in names {
        try write(Self.mapped, "nested/\(name)-0x0000000080023559-s2-enabled", in: folder)
      }
      let result = try Program.run(["live", folder.path, "--once"])
      #expect(result.code == 0)
      for (number, name) in names.enumerated() {
        #expect(
          result.text.contains(
            "\nshadow\(number): 1 leaves, VTTBR \(name) VTCR 0x0000000080023559, stage 2 on"),
          "\(result.text)")
      }
    }
  }

  @Test func `a table that is slow to read is left alone`() throws {
    try Program.withFolder { place in
      let folder = place.appending(path: "2101-12")
      try write("40\n", "ipa_range", in: folder)
      try write(Self.large, "stage2_page_tables", in: folder)
      let live = try Watched(["live", folder.path, "--max-hold", "1ms"], in: place)
      try live.waitFor(" and is left alone from now on\n")
      try FileManager.default.removeItem(at: folder)
      #expect(live.exitCode() == 0)
      let once = try Program.run(["live", folder.path, "--once"])
      #expect(once.code == 3)
    }
  }

  @Test(.enabled(if: Tmux.isInstalled))
  func `on the screen moments come as they are seen, and what is recorded opens as moments`() throws
  {
    try Program.withFolder { place in
      let folder = place.appending(path: "2101-12")
      try write("40\n", "ipa_range", in: folder)
      try write("1\n", "exits", in: folder)
      try write(Self.unmapped, "stage2_page_tables", in: folder)
      let record = place.appending(path: "record").path
      let tmux = try Tmux(
        "\(Program.binary.path) live \(folder.path) --every 100ms", type: "xterm-256color",
        width: 100, height: 24)
      func waitFor(_ words: String) throws {
        var text = ""
        for _ in 0..<100 {
          text = try tmux.screen().map { String(String.UnicodeScalarView($0.map(\.scalar))) }
            .joined(separator: "\n")
          if text.contains(words) { return }
          Thread.sleep(forTimeInterval: 0.05)
        }
        Issue.record("no '\(words)' in\n\(text)")
      }
      try waitFor("Canonical  seen 0")
      try tmux.send(":record \(record)\r")
      try waitFor("Recording into")
      try write(Self.mapped, "stage2_page_tables", in: folder)
      try write("2\n", "exits", in: folder)
      try waitFor("L3 0x80000000 → ? RWX")
      try waitFor("Changed between 0000 and 0001")
      try FileManager.default.removeItem(at: folder.appending(path: "stage2_page_tables"))
      try write("3\n", "exits", in: folder)
      try waitFor("No such file or directory")
      try waitFor("? not told")
      // What was is still there, and the past has no age.
      try tmux.send("{")
      try waitFor("L3 0x80000000 → ? RWX")
      try tmux.send(":record off\r")
      try waitFor("The moments are in")
      try FileManager.default.removeItem(at: folder)
      try waitFor("the VM has ended")
      try tmux.send("q")
      let opened = try Program.run(["dump", record, "--at", "chapter:0001"])
      // The kernel's rows end with blanks.
      #expect(opened.text.replacing("AF    \n", with: "AF\n") == Self.mapped)
      let busy = try Program.run(["live", place.path, "--once", "--record", record])
      #expect(busy.code == 2 && busy.errors.contains("expected a new folder"))
    }
  }
}

/// The program in the background, whose output is watched.
private final class Watched {
  private let process = Process()
  private let output: URL

  init(_ arguments: [String], in folder: URL) throws {
    output = folder.appending(path: "output")
    try Data().write(to: output)
    process.executableURL = Program.binary
    process.arguments = arguments
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.run()
  }

  /// Waits until the output has words, for 20 seconds at most.
  func waitFor(_ words: String) throws {
    var text = ""
    for _ in 0..<1000 {
      text = try String(contentsOf: output, encoding: .utf8)
      if text.contains(words) { return }
      Thread.sleep(forTimeInterval: 0.02)
    }
    Issue.record("no '\(words)' in\n\(text)")
  }

  func exitCode() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  deinit { if process.isRunning { process.terminate() } }
}
