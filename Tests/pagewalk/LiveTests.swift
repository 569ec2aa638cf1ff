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
      let process = Process()
      process.executableURL = Program.binary
      process.arguments = ["live", folder.path, "--every", "50ms", "-o", record]
      let pipe = Pipe()
      process.standardOutput = pipe
      try process.run()
      let steps: [() throws -> Void] = [
        {
          try write(Self.mapped, "stage2_page_tables", in: folder)
          try write("2\n", "exits", in: folder)
        },
        { try FileManager.default.removeItem(at: folder.appending(path: "nested/nested_mmu0")) },
        {
          // What is there and cannot be read, also by root.
          let file = folder.appending(path: "stage2_page_tables")
          try FileManager.default.removeItem(at: file)
          try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
          try write("3\n", "exits", in: folder)
        },
        { try FileManager.default.removeItem(at: folder) },
      ]
      for step in steps {
        Thread.sleep(forTimeInterval: 0.4)
        try step()
      }
      process.waitUntilExit()
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      #expect(process.terminationStatus == 0)
      for words in [
        " canonical: 0 leaves\n", " shadow0: not in use\n",
        " canonical 0x80000000-0x80001000: nothing (level 1), then level 3 rwx\n",
        " shadow0: vanished\n", " canonical: Is a directory\n", " the VM has gone: ",
      ] {
        #expect(text.contains(words), "\(words): \(text)")
      }
      let imported = try Program.run(["import", record])
      #expect(imported.code == 0)
      #expect(imported.text.contains("changed between 0000 and 0001"), "\(imported.text)")
      #expect(imported.text.contains("canonical 0x0000000080000000-0x0000000080001000"))
    }
  }

  @Test func `a table that is slow to read is left alone`() throws {
    try Program.withFolder { folder in
      try write("40\n", "ipa_range", in: folder)
      var rows = "---[ Guest IPA ]---\n"
      // 100,000 rows.
      for page in UInt64(0)..<100_000 {
        rows += String(
          format: "0x%016lx-0x%016lx   %9luK 3   R %@ px ux  AF    \n", page << 12,
          (page + 1) << 12, 4, page & 1 == 0 ? "W" : " ")
      }
      try write(rows, "stage2_page_tables", in: folder)
      let result = try Program.run(["live", folder.path, "--once", "--max-hold", "1ms"])
      #expect(result.code == 0)
      #expect(result.text.contains("canonical: 100000 leaves; not known: output addresses"))
      #expect(result.text.contains("last run; seen 0.0 s ago") || result.text.contains(" s ago"))
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
      try waitFor("the VM has gone")
      try tmux.send("q")
      let opened = try Program.run(["dump", record, "--at", "chapter:0001"])
      // The kernel's rows end with blanks.
      #expect(opened.text.replacing("AF    \n", with: "AF\n") == Self.mapped)
      let busy = try Program.run(["live", place.path, "--once", "--record", record])
      #expect(busy.code == 2 && busy.errors.contains("expected a new folder"))
    }
  }
}
