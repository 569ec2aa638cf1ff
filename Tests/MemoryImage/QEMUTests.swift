import Engine
import Foundation
import MemoryImage
import Testing

/// A real machine's memory: QEMU runs a program at EL2 that points stage 2 to a table, writes its memory as an
/// ELF core and as raw bytes, and says by its own walker where addresses lead.
@Suite struct QEMUTests {
  private static let program = "/usr/bin/qemu-system-aarch64"
  /// Where the table is: memory begins at 0x40000000 with a device tree.
  private static let base: UInt64 = 0x4200_0000

  /// Instructions that switch stage 2 on and go to EL1, where they stay.
  private func code(at address: UInt64, vttbr: UInt64, vtcr: UInt64) -> [UInt8] {
    var words: [UInt32] = []
    func set(_ register: UInt32, to value: UInt64) {
      for part in 0..<4 {
        let bits = UInt32(truncatingIfNeeded: value >> UInt64(16 * part) & 0xffff)
        words.append((part == 0 ? 0xd280_0000 : 0xf280_0000) | UInt32(part) << 21 | bits << 5)
      }
      words.append(register)  // msr REGISTER, x0
    }
    set(0xd51c_2100, to: vttbr)
    set(0xd51c_2140, to: vtcr)
    set(0xd518_1000, to: 0)  // sctlr_el1: stage 1 is off
    set(0xd51c_4000, to: 0x3c5)  // spsr_el2: EL1h
    set(0xd51c_4020, to: address + 4 * 33)  // elr_el2: the last instruction
    set(0xd51c_1100, to: 1 << 31 | 1)  // hcr_el2: RW, VM
    words += [0xd503_3fdf, 0xd69f_03e0, 0xd503_201f, 0x1400_0000]  // isb, eret, nop, b .
    precondition(words.count == 34)
    return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a core and saved memory open to the table that QEMU's walker sees`() throws {
    guard FileManager.default.isExecutableFile(atPath: Self.program) else {
      print("skipped: \(Self.program) is not there")
      return
    }
    var model = MemoryImageTests.Model(
      seed: 3, granule: 0, inputBits: 40, startLevel: 1, at: Self.base)
    // Where the program runs, 1G is mapped to itself.
    model.store(0x4000_07fd, at: model.base + 8)
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "pagewalk-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appending(path: name).path }
    try Data(model.bytes).write(to: URL(filePath: path("table")))
    let entry: UInt64 = 0x4100_0000
    try Data(code(at: entry, vttbr: model.vttbr, vtcr: model.vtcr)).write(
      to: URL(filePath: path("code")))

    let walker = try withImage(MemoryImage(raw: path("table"), base: model.base), model)
    let addresses = walker.table.runs.flatMap { [$0.start, $0.end - 4096] }
    let answers = try ask(addresses, path, entry)
    try #require(answers.count == addresses.count)
    let core = try withImage(MemoryImage(core: path("core")), model)
    let raw = try withImage(MemoryImage(raw: path("raw"), base: model.base), model)
    #expect(core.table == walker.table && raw.table == walker.table)
    for (address, answer) in zip(addresses, answers) {
      let run = try #require(core.table.run(at: address))
      let output = run.isMapped ? run.descriptor.address + (address - run.start) : nil
      #expect(answer == output, "0x\(hex(address))")
    }
    #expect(answers.contains { $0 != nil } && answers.contains { $0 == nil })
  }

  private func withImage(
    _ image: consuming MemoryImage, _ model: MemoryImageTests.Model
  ) throws -> ImageWalk {
    var image = image
    return try ImageWalk(&image, vttbr: model.vttbr, vtcr: model.vtcr)
  }

  /// Runs the program, writes the memory, and asks where addresses lead; nil for one that leads nowhere.
  private func ask(
    _ addresses: [UInt64], _ path: (String) -> String, _ entry: UInt64
  ) throws -> [UInt64?] {
    let process = Process()
    process.executableURL = URL(filePath: Self.program)
    process.arguments = [
      "-machine", "virt,virtualization=on", "-cpu", "max", "-m", "64", "-display", "none",
      "-serial", "none", "-monitor", "stdio", "-nodefaults", "-accel", "tcg",
      "-device", "loader,file=\(path("table")),addr=0x\(hex(Self.base)),force-raw=on",
      "-device", "loader,file=\(path("code")),addr=0x\(hex(entry)),force-raw=on",
      "-device", "loader,addr=0x\(hex(entry)),cpu-num=0",
    ]
    let input = Pipe()
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    // The program has a few instructions.
    Thread.sleep(forTimeInterval: 1)
    var commands = addresses.map { "gva2gpa 0x\(hex($0))" }
    commands += [
      "dump-guest-memory \(path("core"))",
      "pmemsave 0x\(hex(Self.base)) 0x400000 \"\(path("raw"))\"",
      "quit",
    ]
    // If it has ended by now, the answers are missing.
    signal(SIGPIPE, SIG_IGN)
    try? input.fileHandleForWriting.write(
      contentsOf: Data((commands.joined(separator: "\n") + "\n").utf8))
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(whereSeparator: \.isNewline).compactMap { line -> UInt64?? in
      if line.contains("Unmapped") { return .some(nil) }
      guard let place = line.range(of: "gpa: 0x") else { return nil }
      return UInt64(line[place.upperBound...].prefix { $0.isHexDigit }, radix: 16)
    }
  }
}
