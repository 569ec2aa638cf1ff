import Engine
import Foundation
import MemoryImage
import Observation
import TestSupport
import Testing

/// Tables in memory images, against a walker of the architecture that reads nothing but bytes.
@Suite struct MemoryImageTests {
  /// Memory with a table of random leaves, of a shape.
  struct Model {
    let base: UInt64
    var bytes: [UInt8]
    let vttbr: UInt64
    let vtcr: UInt64
    let geometry: Geometry

    init(
      seed: UInt64, granule: UInt64, inputBits: Int, startLevel: Int, at base: UInt64 = 0x4000_0000
    ) {
      self.base = base
      let shift = [0: 12, 2: 14, 1: 16][granule] ?? 12
      geometry = Geometry(
        granuleShift: shift, inputBits: inputBits, startLevel: startLevel, outputBits: 48)
      let sl0 = UInt64((shift == 12 ? 2 : 3) - startLevel)
      vtcr = UInt64(64 - inputBits) | sl0 << 6 | granule << 14 | 5 << 16 | 1 << 31
      vttbr = 7 << 48 | base
      bytes = [UInt8](repeating: 0, count: 1 << 22)
      var random = Generator(seed: seed)
      var next = base + max(geometry.rootBytes, 1 << UInt64(shift))
      fill(
        base, geometry.rootEntries, startLevel, children: 3, &next, &random)
    }

    private mutating func fill(
      _ page: UInt64, _ count: Int, _ level: Int, children: Int, _ next: inout UInt64,
      _ random: inout Generator
    ) {
      let size = geometry.size(level)
      var tables = 0
      for index in 0..<count where random.below(count > 64 ? 16 : 2) == 0 || index == count - 1 {
        let place = page + UInt64(index) * 8
        let output = UInt64(random.below(1 << 16)) << 30 & ~(size - 1)
        let attributes: UInt64 = 0x7c0 | UInt64(random.below(4)) << 53
        switch random.below(4) {
        case 0 where level < 3 && tables < children:
          tables += 1
          let child = next
          next += 1 << UInt64(geometry.granuleShift)
          guard next < base + UInt64(bytes.count) else { continue }
          store(child | 3, at: place)
          fill(child, geometry.tableEntries, level + 1, children: 2, &next, &random)
        case 1: store(0x3000_0000_0000_0000 | (level == 3 ? 1 : 0), at: place)
        default:
          let isLegal = level == 3 || geometry.allowsLeaf(level)
          if isLegal { store(output | attributes | (level == 3 ? 3 : 1), at: place) }
        }
      }
    }

    mutating func store(_ word: UInt64, at address: UInt64) {
      for byte in 0..<8 {
        bytes[Int(address - base) + byte] = UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))
      }
    }

    /// An ELF core in QEMU's form: notes before, offsets that are no multiples of a page, several segments.
    func core(pieces: Int) -> [UInt8] {
      func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
      }
      let count = UInt64(pieces + 1)
      var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
      file += bytes(4, 2) + bytes(183, 2) + bytes(1, 4) + bytes(0, 8) + bytes(64, 8) + bytes(0, 8)
      file += bytes(0, 4) + bytes(64, 2) + bytes(56, 2) + bytes(count, 2) + bytes(0, 6)
      let notes = 0x188 + 0x4c
      var offset = 64 + 56 * count
      file += bytes(4, 4) + bytes(4, 4) + bytes(offset, 8) + bytes(0, 16) + bytes(UInt64(notes), 8)
      file += bytes(UInt64(notes), 8) + bytes(0, 8)
      offset += UInt64(notes)
      let size = UInt64(self.bytes.count / pieces)
      for piece in 0..<UInt64(pieces) {
        let physical = base + piece * size
        file += bytes(1, 4) + bytes(7, 4) + bytes(offset + piece * size, 8) + bytes(physical, 8)
        file += bytes(physical, 8) + bytes(size, 8) + bytes(size, 8) + bytes(0, 8)
      }
      return file + [UInt8](repeating: 0xee, count: notes) + self.bytes
    }
  }

  static let shapes: [(granule: UInt64, bits: Int, start: Int)] = [
    (0, 40, 1), (0, 32, 2), (0, 48, 0), (0, 39, 1), (2, 40, 2), (2, 47, 1), (1, 42, 2), (1, 32, 2),
  ]

  private func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws
    -> Result
  {
    let file = FileManager.default.temporaryDirectory.appending(
      path: "pagewalk-\(UUID().uuidString)")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try body(file.path)
  }

  @Test(arguments: shapes, [1, 2] as [UInt64])
  func `a core and raw memory have the table that a walker sees`(
    shape: (granule: UInt64, bits: Int, start: Int), seed: UInt64
  ) throws {
    let model = Model(
      seed: seed, granule: shape.granule, inputBits: shape.bits, startLevel: shape.start)
    let fromCore = try withFile(model.core(pieces: 4)) { path in
      var image = try MemoryImage(core: path)
      #expect(image.segments.count == 4)
      let walk = try ImageWalk(&image, vttbr: model.vttbr, vtcr: model.vtcr)
      // Only tables were read.
      #expect(image.bytesRead == walk.pages.reduce(0) { $0 + UInt64($1.words.count) * 8 })
      return walk
    }
    let fromRaw = try withFile(model.bytes) { path in
      var image = try MemoryImage(raw: path, base: model.base)
      return try ImageWalk(&image, vttbr: model.vttbr, vtcr: model.vtcr)
    }
    #expect(fromCore.table == fromRaw.table && fromCore.faults == fromRaw.faults)
    #expect(fromCore.table.runs.first?.start == 0)
    #expect(fromCore.table.runs.last?.end == 1 << UInt64(shape.bits))
    let walker = try TableWalker(
      memory: model.bytes, at: model.base, vttbr: model.vttbr, vtcr: model.vtcr)
    var mapped = 0
    for run in fromCore.table.runs {
      for address in [run.start, run.start + (run.end - run.start) / 2 & ~0xfff, run.end - 4096] {
        let leaf = walker.leaf(at: address)
        #expect((leaf != nil) == run.isMapped, "0x\(hex(address))")
        guard let leaf else { continue }
        mapped += 1
        #expect(
          leaf.output + (address - leaf.address) == run.descriptor.address + (address - run.start))
      }
    }
    #expect(mapped > 3)
  }

  @Test func `a table that leads to itself ends, and is named`() throws {
    var model = Model(seed: 1, granule: 0, inputBits: 40, startLevel: 1)
    model.bytes = [UInt8](repeating: 0, count: 1 << 16)
    // The root's first entry is the root, its second a page that leads to itself, its third is nowhere.
    model.store(model.base | 3, at: model.base)
    model.store(model.base + 0x4000 | 3, at: model.base + 8)
    model.store(model.base + 0x4000 | 3, at: model.base + 0x4000)
    model.store(0x9000_0003, at: model.base + 16)
    let walk = try withFile(model.bytes) { path in
      var image = try MemoryImage(raw: path, base: model.base)
      return try ImageWalk(&image, vttbr: model.vttbr, vtcr: model.vtcr)
    }
    #expect(walk.faults.map(\.reason) == [.cycle, .cycle, .missing])
    #expect(walk.faults.map(\.place) == [model.base, model.base + 0x4000, 0x9000_0000])
    #expect(walk.pages.count == 2)
  }

  /// A root, and three pages each of whose entries leads to the next: 2^36 leaves in 16K.
  @Test func `a few pages that lead to each other in many ways end at a bound`() throws {
    var model = Model(seed: 1, granule: 0, inputBits: 48, startLevel: 0)
    model.bytes = [UInt8](repeating: 0, count: 4 << 12)
    for level in 0..<4 {
      for entry in 0..<512 {
        // No leaf follows its neighbour.
        let word =
          level < 3 ? model.base + UInt64(level + 1) << 12 | 3 : UInt64(entry) << 20 | 0x7ff
        model.store(word, at: model.base + UInt64(level << 12 + entry * 8))
      }
    }
    let walk = try withFile(model.bytes) { path in
      var image = try MemoryImage(raw: path, base: model.base)
      return try ImageWalk(&image, vttbr: model.vttbr, vtcr: model.vtcr, runsAtMost: 1 << 16)
    }
    #expect(walk.pages.count == 4)
    // What is left out of a table is one run.
    #expect(1 << 16 - 1024..<1 << 16 + 4 ~= walk.table.runs.count)
    #expect(walk.faults.count > 500 && walk.faults.allSatisfy { $0.reason == .tooLarge })
    #expect(walk.table.runs.last?.end == 1 << 48)
  }

  @Test(arguments: [
    (0, 0x00, "no ELF"), (4, 1, "ELF64"), (5, 2, "little-endian"), (16, 2, "a core"),
    (18, 62, "AArch64"), (54, 8, "program headers of"), (32, 0xff, "ends before program header"),
  ])
  func `a file that is no core says where and why`(place: Int, value: Int, message: String) throws {
    var bytes = Model(seed: 1, granule: 0, inputBits: 40, startLevel: 1).core(pieces: 2)
    bytes[place] = UInt8(value)
    if place == 32 { bytes[38] = 0x7f }
    try withFile(bytes) { path in
      let error = #expect(throws: ImageError.self) { _ = try MemoryImage(core: path).segments }
      #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
    }
  }

  @Test func `registers that no hardware walks by are refused`() throws {
    let model = Model(seed: 1, granule: 0, inputBits: 40, startLevel: 1)
    try withFile(model.bytes) { path in
      var image = try MemoryImage(raw: path, base: model.base)
      #expect(throws: ImageError.self) { try ImageWalk(&image, vttbr: model.vttbr, vtcr: 0) }
      #expect(throws: ImageError.self) { try ImageWalk(&image, vttbr: 0x1000, vtcr: model.vtcr) }
    }
  }

  @Test func `a core cut or changed anywhere is opened or refused`() throws {
    var random = Generator(seed: 5)
    var model = Model(seed: 3, granule: 0, inputBits: 40, startLevel: 1)
    model.bytes.removeLast(model.bytes.count - 1 << 15)
    let core = model.core(pieces: 2)
    for _ in 0..<300 {
      var bytes = core
      // The headers and the first tables are what a reader goes by.
      for _ in 0..<random.below(8) { bytes[random.below(512)] = UInt8(random.below(256)) }
      for _ in 0..<random.below(8) {
        bytes[random.below(bytes.count)] = UInt8(random.below(256))
      }
      if random.below(3) == 0 { bytes.removeLast(random.below(bytes.count)) }
      try withFile(bytes) { path in
        guard var image = try? MemoryImage(core: path) else { return }
        let vtcr = random.below(2) == 0 ? model.vtcr : random.next()
        guard let walk = try? ImageWalk(&image, vttbr: model.vttbr, vtcr: vtcr) else { return }
        for (one, two) in zip(walk.table.runs, walk.table.runs.dropFirst()) {
          #expect(one.end == two.start)
        }
      }
    }
  }
}
