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

  @Test func `what is opened names the lines of the trace`() throws {
    let head = " CPU 0/KVM-2101    [003] d..1.   812.00451"
    func map(_ digit: Int, _ address: String) -> String {
      "\(head)\(digit): s2_map: (kvm_pgtable_stage2_map+0x0/0x138) pgt=0xffff000002164b40 "
        + "addr=0x\(address) size=0x1000 phys=0x409eb000 prot=0xf\n"
    }
    try Program.withFolder { place in
      let file = place.appending(path: "trace.txt").path
      try "# tracer: nop\n\n\(map(1, "40103000"))\n\(map(2, "ffff40104000"))\(map(3, "40105000"))"
        .write(toFile: file, atomically: true, encoding: .utf8)
      let run = try Program.run(["run", file])
      #expect(run.text.hasPrefix("2 events"))
      #expect(run.errors.contains("1 statement is left out"))
      #expect(run.errors.contains("the first, of \(file):5: kernel map canonical 0xffff40104000"))
      #expect(try Program.run(["ask", file, "explain"]).text.contains("from \(file):6\n"))
      #expect(
        try Program.run(["ask", file, "why", "0x40103000"]).text.contains("From \(file):3."))
      #expect(try Program.run(["ask", file, "unknowns"]).text.contains("of \(file):5,"))
      let frame = try Program.run(["render", file, "--at", "end", "--size", "160x40"])
      #expect(frame.text.contains("\(file):6"))
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

  /// A file that Linux 6.18 and trace-cmd 3.1.6 made of probes on a program whose calls are known.
  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/trace-cmd"),
      "trace-cmd is not installed"))
  func `a trace dat is read by way of trace-cmd`() throws {
    let found = try Program.run(["import", Program.path("Tests/pagewalk/trace.dat")])
    #expect(found.code == 0 && found.errors.contains("a trace.dat, read by /usr/bin/trace-cmd"))
    let calls = found.text.split(separator: "\n").filter { $0.hasPrefix("kernel ") }
    #expect(
      calls.map { $0.prefix { $0 != "#" } } == [
        "kernel map canonical 0x40000000 4K 0x409e1000 rw x  ",
        "kernel map canonical 0x40001000 4K 0x409e4000 rw x  ",
        "kernel map canonical 0x40002000 4K 0x409e7000 rw x  ",
        "kernel map canonical 0xc0000000 2M 0x42a00000 rw x  ",
        "kernel unmap canonical 0x40001000 4K  ",
      ])
  }

  @Test func `without trace-cmd the command to type is named`() throws {
    let path = Program.path("Tests/pagewalk/trace.dat")
    let found = try Program.run(["import", path], environment: ["PATH": "/nowhere"])
    #expect(found.code == 4)
    #expect(found.errors.contains("`trace-cmd report -t \(path) > trace.txt`"), "\(found.errors)")
  }

  /// Of a host that sets no probe on the notifier, which is told by the VMM's addresses then.
  @Test func `a notifier's addresses are canonical where the slots are known`() throws {
    try Program.withFolder { folder in
      let maps = [0, 1, 2, 3].map { page in
        "  vmm-1 [000] .... 1.00000\(page): s2_map: (kvm_pgtable_stage2_map+0x0/0x138) pgt=0xffff0000021a1140 "
          + "addr=0x8000\(page)000 size=0x1000 phys=0x4000\(page)000 prot=0xf\n"
      }
      let notifiers =
        "  vmm-1 [000] .... 2.000000: kvm_unmap_hva_range: mmu notifier unmap range: 0x00ffff80a01800 -- "
        + "0x00ffff80a02801\n"
        + "  vmm-1 [000] .... 3.000000: kvm_age_hva: mmu notifier age hva: 0x00ffff80a00000 -- 0x00ffff80a01000\n"
        + "  vmm-1 [000] .... 4.000000: kvm_unmap_hva_range: mmu notifier unmap range: 0x00ffff90000000 -- "
        + "0x00ffff90001000\n"
      let moment = folder.appending(path: "00")
      try FileManager.default.createDirectory(at: moment, withIntermediateDirectories: true)
      try Data((maps.joined() + notifiers).utf8).write(to: moment.appending(path: "trace.txt"))
      func statements(_ arguments: [String]) throws -> [String] {
        let found = try Program.run(["import", folder.path] + arguments)
        #expect(found.code == 0, "\(found.errors)")
        return found.text.split(separator: "\n").filter { $0.hasPrefix("kernel ") }
          .dropFirst(4).map { String($0.prefix { $0 != "#" }) }
      }
      #expect(try statements([]) == [])
      // Both pages of which the range has a part.
      let expected = ["kernel unmap canonical 0x80001000 8K  ", "kernel age 0x80000000 4K  "]
      #expect(try statements(["--slot", "0x80000000=0xffff80a00000:8M"]) == expected)
      #expect(
        try statements(["--slot", "0x80000000=0xffff80a00000:0x800000", "--predict"])
          == ["kernel take 0x80001000 8K notifier  ", "kernel age 0x80000000 4K  "])
      let events =
        "{\"op\":\"create_vm\"}\n{\"op\":\"memslot\",\"slot\":1,\"gpa\":\"0x80000000\","
        + "\"size\":\"0x800000\",\"hva\":\"0xffff80a00000\"}\nnothing\n"
      try Data(events.utf8).write(to: moment.appending(path: "events.jsonl"))
      #expect(try statements([]) == expected)
    }
    for wrong in ["0x80000000", "0x80000000=0x1000", "0x80000001=0x1000:4K", "0=0:0", "0=0:512T"] {
      #expect(try Program.run(["import", "--slot", wrong, "x"]).code == 2, "\(wrong)")
    }
  }

  @Test func `a call that makes no sense is left out, and all others stay`() throws {
    try Program.withFolder { folder in
      let calls = ["0x40000000", "0x20000000000", "0x40001000"].map {
        "  vmm-1 [000] .... 1.000000: s2_map: (kvm_pgtable_stage2_map+0x0/0x138) pgt=0xffff0000021a1140 "
          + "addr=\($0) size=0x1000 phys=0x409e1000 prot=0xf\n"
      }
      let file = folder.appending(path: "probes.txt")
      try Data(calls.joined().utf8).write(to: file)
      let found = try Program.run(["import", file.path])
      #expect(found.code == 0)
      #expect(found.text.split(separator: "\n").count { $0.hasPrefix("kernel map ") } == 2)
      #expect(found.text.contains("\n# refused, expected an address below 2^40"), "\(found.text)")
      #expect(
        found.errors.contains(
          "1 statements are refused by the model, the first of them:\n  kernel map canonical "
            + "0x20000000000 4K 0x409e1000 rw x, of \(file.path):2: expected an address below 2^40"),
        "\(found.errors)")
      #expect(try Program.run(["import", "--strict", file.path]).code == 3)
      #expect(try Program.run(["run", file.path]).code == 0)
    }
  }

  @Test func `a log of casemate ends where a rule is broken`() throws {
    let log = Program.path("Tests/Fuzz/corpus/casemate/unclean.log")
    let found = try Program.run(["import", log])
    #expect(found.code == 0)
    #expect(found.errors.contains("\(log): a log of casemate\n"), "\(found.errors)")
    #expect(
      found.errors.contains(
        "\(log):15: record 14 (table.c:35): break before make: the entry at 0x40101000, level 0, "
          + "input address 0x0: 0x40103003 makes the entry valid, but record 8 made it invalid, and since "
          + "then no TLBI has reached 0x40000000 to 0x80000000 under VMID 3"), "\(found.errors)")
    #expect(found.errors.contains("casemate says 'BBM invalid unclean->valid'"))
    let opened = try Program.run(["dump", log, "--table", "guest3"])
    #expect(opened.errors.contains("record 14 (table.c:35): break before make"))
    #expect(opened.code == 0 && opened.text.contains("0x0000000000000000-0x"), "\(opened.errors)")
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

  @Test func `a prediction that fails is told as check tells it, to people and programs`() throws {
    let folder = capture("patched/nested-alias")
    try Program.withFolder { place in
      let file = place.appending(path: "run.pw").path
      let imported = try Program.run(["import", folder, "--predict", "-o", file])
      let checked = try Program.run(["check", file, "--against", folder])
      #expect(imported.code == 1 && checked.code == 1)
      #expect(checked.text.contains("\npredicted:\n  level 0"), "\(checked.text)")
      #expect(checked.text.contains("\n  of 03/probes.txt:"), "the line of the trace is told")
      // The same in terms of the trace, which nobody has made a file of.
      func places(_ text: String) -> String {
        text.replacing(#/\n  in \S+: /#, with: "\n  in FILE: ")
          .replacing(#/\n  of \S+/#, with: "")
      }
      #expect(places(imported.errors).contains(places(checked.text)), "\(imported.errors)")
      #expect(imported.errors.contains(#/\n  in 03\/probes.txt:\d+: kernel /#))
      func difference(_ arguments: [String]) throws -> NSDictionary {
        let result = try Program.run(arguments + ["--json"])
        #expect(result.code == 1)
        let object =
          try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any]
        var difference = try #require(object?["difference"] as? [String: Any])
        var cause = try #require(difference["cause"] as? [String: Any])
        #expect(cause["recorded"] as? String != nil)
        cause["position"] = nil
        difference["cause"] = cause
        return difference as NSDictionary
      }
      #expect(
        try difference(["import", folder, "--predict", "-o", file])
          == difference(["check", file, "--against", folder]))
    }
  }

  @Test func `reverse maps that a run writes are held against the model, and open as seen`() throws
  {
    try Program.withFolder { place in
      let dumps = place.appending(path: "dumps").path
      let scenario = "bugs/worked-example"
      let run = try Program.run([
        "run", scenario, "--policy", "revmap=repaired", "--dump-dir", dumps,
      ])
      #expect(run.code == 0, "\(run.errors)")
      func check(_ version: String) throws -> (code: Int32, text: String) {
        let found = try Program.run([
          "check", scenario, "--policy", "revmap=\(version)", "--against", dumps,
        ])
        return (found.code, found.text)
      }
      #expect(try check("repaired").code == 0)
      let none = try check("none")
      #expect(none.code == 1, "\(none.text)")
      // Of the same tables only the map is another one.
      let ideal = try check("ideal")
      #expect(ideal.code == 1, "\(ideal.text)")
      #expect(
        ideal.text.contains(
          "the reverse map of shadow 0 differs: observed 0x80000000-0x80200000 unknown ("),
        "\(ideal.text)")
      #expect(
        ideal.text.contains("/revmap0:1), predicted 0x80000000-0x80200000 known 0x40000000 under"))
      let opened = try Program.run(
        ["view", dumps, "--keys", "-", "--size", "120x40"],
        input: Array("press }\nframe\n".utf8))
      #expect(opened.code == 0, "\(opened.errors)")
      #expect(opened.text.contains("Reverse map  shadow 0  IPA → nIPA  seen"), "\(opened.text)")
      // The second of the two moments, though its name comes first.
      #expect(opened.text.contains("0x80300000+4K    → 0x5000"), "\(opened.text)")
      let alone = try Program.run(["import", "\(dumps)/before/revmap0"])
      #expect(alone.code == 0 && alone.errors.contains("a dump of a reverse map"))
      #expect(alone.text.contains("revmap0: 3 entries\n  0x80080000-0x80081000 known 0x1000\n"))
    }
  }

  @Test func `moments that a run has written come in its order, whatever their labels are`() throws
  {
    try Program.withFolder { place in
      let dumps = place.appending(path: "dumps")
      let run = try Program.run(
        ["run", "-", "--dump-dir", dumps.path],
        input: Array(
          """
          pagewalk 1
          vm ipa=40 vcpus=1 nested=off
          memslot 0 0x40000000 4M backing=4K
          l1 write 0x40000000
          chapter zebra
          l1 write 0x40001000
          chapter 10
          l1 write 0x40002000
          chapter 9

          """.utf8))
      #expect(run.code == 0, "\(run.errors)")
      func changes() throws -> [String] {
        try Program.run(["import", dumps.path]).text.split(separator: "\n").map(String.init)
          .filter { $0.hasPrefix("changed") }
      }
      #expect(try changes() == ["changed between zebra and 10", "changed between 10 and 9"])
      // Folders without numbers have the order of their names, after the others.
      try FileManager.default.removeItem(at: dumps.appending(path: "10/moment.txt"))
      #expect(try changes() == ["changed between zebra and 9", "changed between 9 and 10"])
    }
  }

  @Test func `the tables of a VM in one text are one moment, up to one that is there again`() throws
  {
    try Program.withFolder { place in
      let folder = capture("nested/nested-vmids")
      func text(_ moment: String, _ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(moment)/\(name)", encoding: .utf8)
      }
      let tables = ["stage2_page_tables", "nested/nested_mmu0", "nested/nested_mmu1"]
      let moments = ["07", "09"]
      let mail = try moments.map { moment in
        try tables.map { "> " + (try text(moment, $0)).replacing("\n", with: "\n> ") + "\n" }
          .joined()
      }.joined(separator: "And later:\n\n")
      let file = place.appending(path: "mail.txt").path
      try Data(mail.utf8).write(to: URL(filePath: file))
      let imported = try Program.run(["import", file])
      #expect(imported.code == 0)
      #expect(imported.text.contains("\nchanged between mail.txt and mail.txt.2\n"))
      for (label, moment) in zip(["mail.txt", "mail.txt.2"], moments) {
        for (name, table) in zip(tables, ["canonical", "shadow0", "shadow1"]) {
          let dump = try Program.run(["dump", file, "--table", table, "--at", "chapter:\(label)"])
          #expect(dump.text == (try text(moment, name)), "\(label) \(table)")
        }
      }
    }
  }

  @Test func `a packed archive opens by its unpacker, and of several VMs one can be taken`() throws
  {
    try Program.withFolder { place in
      let dump = try Data(
        contentsOf: URL(filePath: capture("nested/nested-basic/09/stage2_page_tables")))
      for vm in ["2101-12", "2205-9"] {
        let folder = place.appending(path: "kvm/\(vm)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try dump.write(to: folder.appending(path: "stage2_page_tables"))
      }
      func shell(_ command: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "cd \(place.path) && \(command)"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(command)")
      }
      try shell("tar -cf vms.tar kvm && gzip -k vms.tar")
      for name in ["kvm", "vms.tar", "vms.tar.gz"] {
        let path = place.appending(path: name).path
        let both = try Program.run(["import", path])
        #expect(both.code == 0)
        #expect(both.errors.contains("2101-12, 2205-9 look like several VMs"), "\(both.errors)")
        let one = try Program.run(["import", "--vm", "2205-9", path])
        #expect(one.code == 0 && one.text.hasPrefix("moment 2205-9\n"), "\(one.text)")
        #expect(!one.text.contains("2101-12") && !one.errors.contains("several"))
        let none = try Program.run(["import", "--vm", "1-1", path])
        #expect(none.code == 2 && none.errors.contains("expected 2101-12, 2205-9, not '1-1'"))
      }
      let packed = place.appending(path: "vms.tar.gz").path
      let alone = try Program.run(["import", packed], environment: ["PATH": "/nowhere"])
      #expect(
        alone.code == 4 && alone.errors.contains("`gzip -dc -- \(packed)`"), "\(alone.errors)")
      // What broke off, and what tar has made of debugfs, whose files have no size.
      try shell(
        "head -c 3700 vms.tar >cut.tar && : >kvm/2101-12/stage2_page_tables && tar -cf empty.tar kvm"
      )
      for (name, words) in [
        ("cut.tar", "the archive ends in the middle of kvm/"),
        ("empty.tar", "stage2_page_tables: empty, as tar"),
      ] {
        let path = place.appending(path: name).path
        let imported = try Program.run(["import", path])
        #expect(
          imported.errors.contains("not read: ") && imported.errors.contains(words),
          "\(imported.errors)")
        #expect(try Program.run(["import", "--strict", path]).code == 3)
      }
      // Packed without compressing, so that a cut leaves most of it.
      try shell(
        "gzip -1 <cut.tar >whole.gz && head -c $(($(wc -c <whole.gz) - 9)) whole.gz >cut.tgz")
      let unpacked = try Program.run(["import", place.appending(path: "cut.tgz").path])
      #expect(unpacked.code == 0 && unpacked.text.contains("canonical: "), "\(unpacked.errors)")
      #expect(
        unpacked.errors.contains("not read: ")
          && unpacked.errors.contains("only what stands before is read"), "\(unpacked.errors)")
      try shell("head -c 100 vms.tar.gz >cut.gz")
      let cut = try Program.run(["import", place.appending(path: "cut.gz").path])
      #expect(cut.code == 3 && cut.errors.contains("cut.gz` fails"), "\(cut.errors)")
    }
  }

  @Test func `check shows both walks, and what the model did in which function`() throws {
    let result = try Program.run([
      "check", capture("nested/nested-alias/scenario.pw"), "--policy", "revmap=repaired",
      "--against", capture("nested/nested-alias"),
    ])
    #expect(result.code == 1)
    #expect(result.text.contains("shadow 0 differs at 0x"), "\(result.text)")
    #expect(
      result.text.contains("observed, 03/nested/nested_mmu0:3:\n  level 0 [0] ")
        && result.text.contains("predicted:\n  level 0"))
    #expect(result.text.contains("arch/arm64/kvm/"), "\(result.text)")
  }

  @Test func `check tells programs both walks and the cause, or how many tables are equal`() throws
  {
    let folder = capture("nested/nested-alias")
    func object(_ arguments: [String], code: Int) throws -> [String: Any] {
      let result = try Program.run(
        ["check", folder + "/scenario.pw", "--against", folder, "--json"] + arguments)
      #expect(result.code == code)
      return try #require(
        JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    }
    let equal = try object([], code: 0)
    #expect(equal["difference"] == nil && equal["equal"] as? Int ?? 0 > 10)
    let found = try #require(
      try object(["--policy", "revmap=repaired"], code: 1)["difference"] as? [String: Any])
    let address = try #require(
      (found["address"] as? String).flatMap { UInt64($0.dropFirst(2), radix: 16) })
    let row = try #require(found["row"] as? [String: Any])
    let place = try #require(row["place"] as? String).split(separator: ":")
    let label = try #require(found["moment"] as? String)
    let file = try String(
      contentsOfFile: "\(folder)/\(place[0])", encoding: .utf8)
    #expect(place[0].hasPrefix(label + "/nested/nested_mmu"))
    // The line that is named is the row of the dump that has the address.
    let line = file.split(separator: "\n", omittingEmptySubsequences: false)[
      try #require(Int(place[1])) - 1]
    let bounds = line.prefix(37).split(separator: "-").map { UInt64($0.dropFirst(2), radix: 16) }
    #expect((bounds[0] ?? .max) <= address && address < (bounds[1] ?? 0), "\(line)")
    for walk in ["observed", "predicted"] {
      let stages = try #require(found[walk] as? [[String: Any]])
      #expect(stages.compactMap { $0["level"] as? Int } == Array(0..<stages.count), "\(walk)")
    }
    let cause = try #require(found["cause"] as? [String: Any])
    #expect((cause["function"] as? String)?.hasPrefix("arch/arm64/kvm/") == true)
    // The statement stands where the position says.
    let position = try #require(cause["position"] as? String).split(separator: ":")
    let scenario = try String(contentsOfFile: String(position[0]), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      scenario[try #require(Int(position[1])) - 1].hasPrefix(
        try #require(cause["statement"] as? String)))
  }

  @Test func `tables without events are listed, with ? for what is not known`() throws {
    let folder = capture("nested/nested-basic/09")
    let dump = try Program.run(["import", folder + "/stage2_page_tables", "--ipa", "40"])
    #expect(dump.code == 0)
    #expect(dump.text.contains("not known: output addresses"))
    #expect(dump.text.contains("0x0000000040000000-0x0000000040004000 level 3 rwx -> ?"))
    let opened = try Program.run(["view", "--plain", folder + "/stage2_page_tables"])
    #expect(opened.code == 0 && opened.errors.contains("taken for a dump of the form"))
    let again = try Program.run(["dump", folder + "/stage2_page_tables"])
    #expect(
      again.text
        == (try String(contentsOfFile: folder + "/stage2_page_tables", encoding: .utf8)))
    let two = try Program.run([
      "import", folder + "/nested/nested_mmu0",
      capture("nested/nested-basic/10/nested/nested_mmu0"),
    ])
    #expect(two.text.contains("changed between nested_mmu0 and nested_mmu0.2"), "\(two.text)")
    #expect(two.text.contains("nothing (level 2), then "), "\(two.text)")
    // The same as a scenario, and opened at once, at the first moment.
    let paths = [
      folder + "/nested/nested_mmu0", capture("nested/nested-basic/10/nested/nested_mmu0"),
    ]
    try Program.withFolder { place in
      let file = place.appending(path: "seen.pw").path
      #expect(try Program.run(["import"] + paths + ["-o", file]).code == 0)
      let end = try Program.run(["dump", file, "--table", "shadow0", "--at", "end"])
      #expect(end.text == (try String(contentsOfFile: paths[1], encoding: .utf8)), "\(end.errors)")
    }
    let keys = try Program.run(
      ["view"] + paths + ["--keys", "-", "--size", "100x30"],
      input: Array("expect nested_mmu0\nframe\n".utf8))
    #expect(keys.code == 0 && keys.text.contains("? "), "\(keys.errors)")
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

  @Test func `a source is not replaced by what is made of it`() throws {
    try Program.withFolder { folder in
      let dump = folder.appending(path: "dump.txt")
      let text = """
        0x0000000000000000-0x0000000080000000           2G 1
        0x0000000080000000-0x0000000080001000           4K 3   R W px ux  AF
        0x0000000080001000-0x0000000080200000        2044K 3
        0x0000000080200000-0x00000000c0000000        1022M 2
        0x00000000c0000000-0x0000010000000000        1021G 1

        """
      try Data(text.utf8).write(to: dump)
      let link = folder.appending(path: "link.pw").path
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: dump.path)
      for output in [dump.path, link] {
        let result = try Program.run(["import", dump.path, "-o", output])
        #expect(result.code == 2 && result.errors.contains("which it would replace"))
        #expect(try String(contentsOf: dump, encoding: .utf8) == text)
      }
    }
  }

  @Test func `a fault that each moment's kernel log has happened once`() throws {
    try Program.withFolder { folder in
      let dump = """
        0x0000000000000000-0x0000000080000000           2G 1
        0x0000000080000000-0x0000000080001000           4K 3   R W px ux  AF
        0x0000000080001000-0x0000000080200000        2044K 3
        0x0000000080200000-0x00000000c0000000        1022M 2
        0x00000000c0000000-0x0000010000000000        1021G 1

        """
      func event(_ time: String) -> String {
        let record = [
          "0x0000000800000010", "0x0000028000000000", "0x0000000040000000", "0x0000000040000000",
        ]
        return (["event 0x10 received:"] + record.map { "\t" + $0 })
          .map { "[\(time)] arm-smmu-v3 9050000.smmu: \($0)\n" }.joined()
      }
      var log = ""
      for (name, time) in [("0000", "   12.345678"), ("0001", "   13.000000"), ("0002", "")] {
        let moment = folder.appending(path: name)
        try FileManager.default.createDirectory(at: moment, withIntermediateDirectories: true)
        if !time.isEmpty { log += event(time) }
        for (file, text) in [
          ("stage2_page_tables", dump), ("ipa_range", "40\n"), ("dmesg.txt", log),
          ("trace.txt", "# tracer: nop\n"),
        ] {
          try Data(text.utf8).write(to: moment.appending(path: file))
        }
      }
      let out = folder.appending(path: "out.pw").path
      let result = try Program.run(["import", folder.path, "-o", out])
      #expect(result.code == 0, "\(result.errors)")
      let lines = try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n")
      #expect(lines.count { $0.hasPrefix("dev ") } == 2)
    }
  }
}
