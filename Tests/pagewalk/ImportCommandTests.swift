import Foundation
import Testing

/// `pagewalk import`, `check` and `recorder`, as they are typed.
@Suite struct ImportCommandTests {
  private static let captures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "assets/captures")

  private func capture(_ name: String) -> String { Self.captures.appending(path: name).path }

  @Test func `a captured run becomes a scenario that runs, and opens as it is`() throws {
    let folder = capture("nested/nested-vmids")
    let imported = try Program.run(["import", folder])
    #expect(imported.code == 0)
    #expect(imported.text.contains("\nkernel map canonical 0x40000000 4K 0x409ec000 rw x  # "))
    #expect(imported.errors.contains("all ") && imported.errors.contains("those of the model"))
    try Program.withFolder { place in
      let file = place.appending(path: "run.pw").path
      #expect(try Program.run(["import", folder, "-o", file]).code == 0)
      #expect(try Program.run(["run", file, "--check"]).code == 0)
      let opened = try Program.run(["dump", folder, "--at", "chapter:05"])
      let saved = try Program.run(["dump", file, "--at", "chapter:05"])
      #expect(opened.text == saved.text)
      let dump = try String(contentsOfFile: folder + "/05/stage2_page_tables", encoding: .utf8)
      #expect(saved.text == dump)
      #expect(try Program.run(["check", file, "--against", folder]).code == 0)
    }
  }

  /// A pipe gives what was written to it in pieces of any size.
  @Test func `what comes through a pipe in pieces is what the file is`() throws {
    let name = capture("nested/nested-notifier/00/probes.txt")
    let whole = try Program.run(["import", name])
    /// Its statements, without the places that they are from.
    func statements(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter { $0.hasPrefix("kernel ") }.map {
        $0[..<($0.firstIndex(of: "#") ?? $0.endIndex)]
      }
    }
    #expect(whole.code == 0 && statements(whole.text).count > 10)
    for piece in [1, 7, 1000] {
      let process = Process()
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = [
        "-c",
        "{ for i in 1 2 3; do dd bs=\(piece) count=5 2>/dev/null; sleep 0.01; done; cat; } <\"$1\" "
          + "| \"$0\" import - 2>/dev/null", Program.binary.path, name,
      ]
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
      process.waitUntilExit()
      #expect(statements(text) == statements(whole.text))
    }
  }

  @Test func `the wrong model of a kernel is told by the first table`() throws {
    let right = try Program.run([
      "import", capture("patched/nested-alias"), "--predict", "--revmap", "repaired",
    ])
    #expect(right.code == 0, "\(right.errors)")
    let wrong = try Program.run(["import", capture("patched/nested-alias"), "--predict"])
    #expect(wrong.code == 1)
    #expect(wrong.errors.contains("03: shadow 0 differs at 0x"), "\(wrong.errors)")
  }

  @Test func `check shows both walks, and what the model did in which function`() throws {
    let result = try Program.run([
      "check", capture("nested/nested-alias/scenario.pw"), "--policy", "revmap=repaired",
      "--against", capture("nested/nested-alias"),
    ])
    #expect(result.code == 1)
    #expect(result.text.contains("shadow 0 differs at 0x"), "\(result.text)")
    #expect(result.text.contains("observed, in ") && result.text.contains("predicted:\n  level 0"))
    #expect(result.text.contains("arch/arm64/kvm/"), "\(result.text)")
  }

  @Test func `tables without events are listed, with ? for what is not known`() throws {
    let folder = capture("nested/nested-basic/09")
    let dump = try Program.run(["import", folder + "/stage2_page_tables", "--ipa", "40"])
    #expect(dump.code == 0)
    #expect(dump.text.contains("not known: output addresses"))
    #expect(dump.text.contains("0x0000000040000000-0x0000000040004000 level 3 rwx -> ?"))
    let opened = try Program.run(["view", "--plain", folder + "/stage2_page_tables"])
    #expect(opened.code == 3 && opened.errors.contains("pagewalk import"))
    let two = try Program.run([
      "import", folder + "/nested/nested_mmu0",
      capture("nested/nested-basic/10/nested/nested_mmu0"),
    ])
    #expect(two.text.contains("changed between nested_mmu0 and nested_mmu0.2"), "\(two.text)")
    #expect(two.text.contains("nothing (level 2), then "), "\(two.text)")
    let json = try Program.run(["import", "--json", folder])
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(json.output)) as? [String: Any])
    let moments = try #require(object["moments"] as? [[String: Any]])
    let tables = try #require(moments.first?["tables"] as? [[String: Any]])
    #expect(tables.map { $0["table"] as? String } == ["canonical", "shadow0"])
  }

  @Test func `what cannot be read is named, and with --strict refused`() throws {
    try Program.withFolder { place in
      let file = place.appending(path: "trace.txt").path
      try """
      # tracer: nop
      one line of no event
                  init-1       [000] d..1.     2.440867: s2_map: (kvm_pgtable_stage2_map+0x0/0x138) \
      pgt=0xffff000002164b40 addr=0x40000000 size=0x1000 phys=0x40a0b000 prot=0xf

      """.write(toFile: file, atomically: true, encoding: .utf8)
      let lenient = try Program.run(["import", file])
      #expect(lenient.code == 0)
      #expect(lenient.errors.contains("trace.txt: a trace"))
      #expect(lenient.errors.contains("trace.txt:2:1: expected a time and an event"))
      #expect(try Program.run(["import", "--strict", file]).code == 3)
      let nothing = place.appending(path: "nothing").path
      try "hello\n".write(toFile: nothing, atomically: true, encoding: .utf8)
      let refused = try Program.run(["import", nothing])
      #expect(refused.code == 3 && refused.errors.contains("nothing that is known"))
      // Whoever has no trace-cmd is told what to type.
      let data = place.appending(path: "trace.dat").path
      try Data([0x17, 0x08, 0x44] + Array("tracing6\0".utf8)).write(to: URL(filePath: data))
      let binary = try Program.run(["import", data], environment: ["PATH": place.path])
      #expect(binary.code == 4 && binary.errors.contains("trace-cmd report -t \(data)"))
    }
  }

  @Test func `a log of the SMMU is DMA, with the fault that is expected of it`() throws {
    try Program.withFolder { place in
      let file = place.appending(path: "dmesg").path
      let lines = [
        "event 0x10 received:", "\t0x0000000800000010", "\t0x0000028000000000",
        "\t0x0000000040001008", "\t0x0000000040001000",
      ]
      try lines.map { "[  812.004511] arm-smmu-v3 arm-smmu-v3.0.auto: \($0)\n" }.joined()
        .write(toFile: file, atomically: true, encoding: .utf8)
      let result = try Program.run(["import", file])
      #expect(result.code == 0)
      #expect(result.text.contains("\ndev write 0x40001008  # "))
      #expect(result.text.contains("\nexpect dma fault=translation\n"))
      #expect(!result.errors.contains("not as expected"), "\(result.errors)")
    }
  }

  @Test func `the recorder's scripts are right for their readers`() throws {
    for (arguments, program, check) in [
      (["recorder"], "/usr/bin/shellcheck", ["-"]), (["recorder"], "/bin/dash", ["-n"]),
      (
        ["recorder", "--drgn"], "/usr/bin/python3",
        ["-c", "import ast, sys; ast.parse(sys.stdin.read())"]
      ),
    ] {
      let script = try Program.run(arguments)
      #expect(script.code == 0 && script.output.count > 2000)
      guard FileManager.default.isExecutableFile(atPath: program) else { continue }
      let process = Process()
      process.executableURL = URL(filePath: program)
      process.arguments = check
      let pipe = Pipe()
      process.standardInput = pipe
      try process.run()
      pipe.fileHandleForWriting.write(Data(script.output))
      try pipe.fileHandleForWriting.close()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(program)")
    }
  }
}
