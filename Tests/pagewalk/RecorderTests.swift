import Foundation
import Testing

/// The recorder's scripts on a machine without KVM: on folders that look like tracefs and debugfs, and for drgn
/// with a kernel's structures made of dictionaries. What they write is read back.
@Suite struct RecorderTests {
  private func run(
    _ program: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:],
    in folder: URL
  ) throws -> (code: Int32, output: String, errors: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C"].merging(environment) { $1 }
    let files = try ["in", "out", "err"].map { name in
      let file = folder.appending(path: "." + name)
      try Data(name == "in" ? input.utf8 : "".utf8).write(to: file)
      return try name == "in"
        ? FileHandle(forReadingFrom: file) : FileHandle(forWritingTo: file)
    }
    process.standardInput = files[0]
    process.standardOutput = files[1]
    process.standardError = files[2]
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      try String(contentsOf: folder.appending(path: "." + name), encoding: .utf8)
    }
    return (process.terminationStatus, try text("out"), try text("err"))
  }

  private func write(_ text: String, _ name: String, in folder: URL) throws {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  private static let trace = """
    # tracer: nop
                init-1       [000] d....     2.249377: s2_init: (__kvm_pgtable_stage2_init+0x0/0xc8) \
    pgt=0xffff000002164b40 mmu=0xffff00000144c9b0
                init-1       [000] d..1.     2.440867: s2_map: (kvm_pgtable_stage2_map+0x0/0x138) \
    pgt=0xffff000002164b40 addr=0x80000000 size=0x1000 phys=0x40a0b000 prot=0xf

    """
  private static let dump = """
    ---[ Guest IPA ]---
    0x0000000000000000-0x0000000080000000           2G 1
    0x0000000080000000-0x0000000080001000           4K 3   R W px ux  AF
    0x0000000080001000-0x0000000080200000        2044K 3
    0x0000000080200000-0x00000000c0000000        1022M 2
    0x00000000c0000000-0x0000010000000000        1021G 1

    """

  @Test func `a recording of a machine is moments that open to its tables`() throws {
    try Program.withFolder { folder in
      let trace = folder.appending(path: "tracing")
      try write("", "kprobe_events", in: trace)
      try write(Self.trace, "instances/pagewalk/trace", in: trace)
      try write("0\n", "instances/pagewalk/tracing_on", in: trace)
      try write("0\n", "instances/pagewalk/events/kvm/kvm_guest_fault/enable", in: trace)
      try write("local\n", "instances/pagewalk/trace_clock", in: trace)
      let remote = "remotes/hypervisor"
      try write("0\n", "\(remote)/tracing_on", in: trace)
      try write("0\n", "\(remote)/events/hypervisor/hyp_enter/enable", in: trace)
      try write("0\n", "\(remote)/events/hypervisor/hyp_exit/enable", in: trace)
      try write("", "\(remote)/trace", in: trace)
      let kvm = folder.appending(path: "kvm")
      try write(Self.dump, "2101-12/stage2_page_tables", in: kvm)
      try write("40\n", "2101-12/ipa_range", in: kvm)
      try write("3\n", "2101-12/stage2_levels", in: kvm)
      let script = folder.appending(path: "record.sh")
      try Data(Program.run(["recorder"]).output).write(to: script)
      let environment = ["PAGEWALK_TRACEFS": trace.path, "PAGEWALK_KVMFS": kvm.path]

      let dry = try run(
        "/bin/sh", [script.path, "-n"], environment: environment, in: folder)
      #expect(dry.code == 0)
      #expect(dry.output.contains("p:pagewalk/s2_map kvm_pgtable_stage2_map pgt=$arg1:x64"))
      #expect(dry.output.contains("enable \(trace.path)/instances/pagewalk/events/iommu/unmap"))
      let events = try String(contentsOf: trace.appending(path: "kprobe_events"), encoding: .utf8)
      #expect(events.isEmpty, "a dry run changes nothing")
      #expect(dry.output.contains("enable \(trace.path)/\(remote)/events/*/hyp_enter\n"))

      // The hypervisor writes while the script waits for a line.
      let hypervisor =
        "[000]\t    2.450000: hyp_enter reason=host_abort vcpu=0\n[000]\t    2.460000: hyp_enter reason=hvc vcpu=0\n"
      try write(hypervisor, "hyp.txt", in: folder)
      let result = try run(
        "/bin/sh",
        [
          "-c",
          """
          { sleep 0.5; cat "$2/hyp.txt" >"$3/trace"; cat "$3/tracing_on" "$3/events/hypervisor/"*/enable; \
          echo 'the VM has "booted"'; echo 'and a line more'; } 2>&1 | tee "$2/lines.txt" | grep -v '^[01]$' \
          | sh "$1" -v 2101-12 -o run.tar
          """, "sh", script.path, folder.path, trace.path + "/" + remote,
        ], environment: environment, in: folder)
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.contains("2 moments in run.tar"))
      let left = try String(
        contentsOf: trace.appending(path: "instances/pagewalk/events/kvm/kvm_guest_fault/enable"),
        encoding: .utf8)
      #expect(left == "0\n", "what was enabled is disabled again")
      let during = try String(contentsOf: folder.appending(path: "lines.txt"), encoding: .utf8)
      #expect(during.hasPrefix("1\n1\n0\n"), "of the hypervisor's events only those that are read")
      for name in ["tracing_on", "events/hypervisor/hyp_enter/enable"] {
        let file = trace.appending(path: "\(remote)/\(name)")
        #expect(try String(contentsOf: file, encoding: .utf8) == "0\n", "\(name)")
      }

      let imported = try Program.run(["import", "--predict", folder.path + "/run.tar"])
      #expect(imported.code == 0, "\(imported.errors)")
      #expect(imported.errors.contains("all 2 tables that were seen are those of the model"))
      #expect(imported.text.contains("kernel map canonical 0x80000000 4K 0x40a0b000 rw x  # "))
      #expect(imported.text.contains("hyp_trace.txt:1 pKVM's host faults, where is not told\n"))
      #expect(imported.text.contains("chapter 0000 \"the VM has \\\"booted\\\"\"\n"))

      let refused = try run(
        "/bin/sh", [script.path, "-v", "77-1", "-o", "no.tar"], environment: environment,
        in: folder)
      #expect(refused.code == 4 && refused.errors.contains("77-1: no such VM"))
      let wrong = try run(
        "/bin/sh", [script.path, "-c", "x"], environment: environment, in: folder)
      #expect(wrong.code == 2)
    }
  }

  @Test func `an interrupted recording is packed, and tells each line of the kernel log once`()
    throws
  {
    try Program.withFolder { folder in
      let trace = folder.appending(path: "tracing")
      try write("", "kprobe_events", in: trace)
      try write("", "instances/pagewalk/trace", in: trace)
      let kvm = folder.appending(path: "kvm")
      try write(Self.dump, "2101-12/stage2_page_tables", in: kvm)
      try write("40\n", "2101-12/ipa_range", in: kvm)
      let line = "arm-smmu-v3 9050000.smmu: event: F_TRANSLATION client: 0000:00:01.0"
      try write("[    1.000000] \(line) before\n", "log", in: folder)
      try write("#!/bin/sh\ncat '\(folder.path)/log'\n", "bin/dmesg", in: folder)
      chmod(folder.appending(path: "bin/dmesg").path, 0o755)
      let script = folder.appending(path: "record.sh")
      try Data(Program.run(["recorder"]).output).write(to: script)
      let result = try run(
        "/bin/sh",
        [
          "-c",
          """
          sh "$1" -v 2101-12 -o run.tar -e 1 & sleep 1.5
          echo '[    2.000000] \(line) after' >>log; sleep 2; kill -TERM $!; wait $!
          """, "sh", script.path,
        ],
        environment: [
          "PAGEWALK_TRACEFS": trace.path, "PAGEWALK_KVMFS": kvm.path,
          "PATH": "\(folder.path)/bin:/usr/bin:/bin",
        ], in: folder)
      #expect(result.code == 0, "\(result.errors)")
      let text = try run(
        "/bin/sh", ["-c", "mkdir x; tar -C x -xf run.tar; cat x/*/dmesg.txt; cat x/*/step.txt"],
        in: folder)
      #expect(!text.output.contains("before"))
      #expect(text.output.components(separatedBy: " after\n").count == 2, "\(text.output)")
      #expect(text.output.hasSuffix("interrupted\n"))

      let unwritable = try run(
        "/bin/sh", [script.path, "-v", "2101-12", "-o", "/nonexistent/x.tar"],
        environment: ["PAGEWALK_TRACEFS": trace.path, "PAGEWALK_KVMFS": kvm.path], in: folder)
      #expect(unwritable.code == 4 && unwritable.errors.contains("x.tar cannot be written"))
    }
  }

  /// A package `drgn` with the one function that the script wants, and a kernel with one VM: 40 bits of IPA, and a
  /// shadow in an array of pointers, the second of which is not in use.
  private static let kernel = """
    import struct, sys, types

    class Value(int):
        def __new__(cls, value=0, type_="", **fields):
            self = int.__new__(cls, value)
            self.type_ = type_
            self.__dict__.update(fields)
            return self

        def address_of_(self):
            return self

    class Array(list):
        def __int__(self):
            return 1

    def mmu(root, bits, start, vttbr, type_=""):
        pgt = Value(1, ia_bits=bits, start_level=start)
        vmid = types.SimpleNamespace(id=types.SimpleNamespace(counter=0x10005))
        return Value(1, type_, pgt=pgt, pgd_phys=root, vmid=vmid, tlb_vttbr=vttbr,
                     tlb_vtcr=0x80023559, nested_stage2_enabled=Value(1))

    memory = {}

    def store(address, word):
        page = memory.setdefault(address & ~4095, bytearray(4096))
        page[address & 4095 : (address & 4095) + 8] = struct.pack("<Q", word)

    for page in (0x43608000, 0x43609000, 0x50000000):
        memory[page] = bytearray(4096)
    store(0x43608010, 0x43700003)  # 0x80000000 by a table
    store(0x43700000, 0x43701003)
    store(0x43701000, 0x40A0B7FF)  # a page
    store(0x43609008, 0x00000008800007FD)  # 0x8040000000, a block of 1G
    store(0x43702000, 0)
    store(0x50000000, 0x50000003)  # a table that is its own child

    class Prog:
        def __getitem__(self, name):
            assert name == "vm_list"
            return Value(1)

        def read(self, address, size, physical=False):
            assert physical and size == 4096
            return bytes(memory[address])

    pointer = "struct kvm_s2_mmu *"
    nested = Array([mmu(0x50000000, 48, 0, 0x1000040100000, pointer), mmu(0, 48, 0, 1, pointer)])
    arch = types.SimpleNamespace(
        mmu=mmu(0x43608000, 40, 1, 0), nested_mmus=nested, nested_mmus_size=2)
    kvm = types.SimpleNamespace(userspace_pid=2101, arch=arch)
    module = types.ModuleType("drgn.helpers.linux.list")
    module.list_for_each_entry = lambda type_, head, member: [kvm]
    for name in ("drgn", "drgn.helpers", "drgn.helpers.linux"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["drgn.helpers.linux.list"] = module
    script, sys.argv = sys.argv[1], sys.argv[1:]
    exec(compile(open(script).read(), script, "exec"), {"__name__": "__main__", "prog": Prog()})

    """

  @Test func `what the script for drgn writes opens with output addresses`() throws {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") else { return }
    try Program.withFolder { folder in
      let script = folder.appending(path: "tables.py")
      try Data(Program.run(["recorder", "--drgn"]).output).write(to: script)
      try write(Self.kernel, "kernel.py", in: folder)
      let result = try run(
        "/usr/bin/python3", ["kernel.py", script.path, "2101"], in: folder)
      #expect(result.code == 0, "\(result.errors)")
      try write(result.output, "tables.txt", in: folder)
      let file = folder.path + "/tables.txt"
      let imported = try Program.run(["import", file])
      #expect(imported.code == 0, "\(imported.errors)")
      #expect(
        imported.text.contains("0x0000000080001000 level 3 rwx -> 0x40a0b000\n"), "\(imported.text)"
      )
      #expect(imported.text.contains("0x0000008080000000 level 1 rwx -> 0x880000000\n"))
      // The shadow's root leads to itself: nothing is mapped, and the walk ends.
      #expect(
        imported.text.contains(
          "shadow0: 0 leaves, VTTBR 0x0001000040100000 VTCR 0x0000000080023559"))
      #expect(
        imported.errors.contains(
          "table shadow0: the table at 0x50000000, for input address 0x0, leads to itself"))
      let opened = try Program.run(
        ["view", file, "--keys", "-", "--size", "120x40"],
        input: Array("frame\n".utf8))
      #expect(opened.text.contains("40a0b000 RWX"), "\(opened.text)")
      let missing = try run("/usr/bin/python3", ["kernel.py", script.path, "1"], in: folder)
      #expect(missing.code == 1 && missing.errors.contains("no such VM"))
    }
  }
}
