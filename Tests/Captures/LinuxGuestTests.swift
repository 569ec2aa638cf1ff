import Foundation
import Language
import Testing

@testable import Engine

/// A capture in which L1 is Linux with a guest of its own. What L1 stored is not known, so there is no
/// scenario; but the kernel's calls are, and what they left behind.
@Suite struct LinuxGuestTests {
  private static let capture = Capture.all(["l1linux"])[0]

  private static func labels() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: capture.folder.path).sorted()
  }

  private static func text(_ label: String, _ file: String) -> String? {
    try? String(
      contentsOf: capture.folder.appending(path: label).appending(path: file), encoding: .utf8)
  }

  @Test func `the kernel's calls, made again, give its dumps, and its invalidations their sizes`()
    throws
  {
    var machine = Machine(VMConfiguration(ipaBits: 40, vcpus: 1, nested: true))
    var tables = KernelTables()
    var invalidated: [Range<UInt64>] = []
    for label in try Self.labels() {
      // What a shadow is for, it is told when L2 first runs on it.
      for shadow in 0..<2 {
        let dump = Self.text(label, "nested/nested_mmu\(shadow)") ?? ""
        try machine.chooseShadow(shadow, by: dump)
      }
      for probe in Probe.all(try #require(Self.text(label, "probes.txt"))) {
        tables.add(probe)
        switch probe.function {
        case "s2_map": machine.map(probe, in: try #require(tables.table(of: probe)))
        case "tlbi_ipa", "tlbi_range": invalidated = machine.invalidated(by: probe)
        case "s2_unmap_range":
          let start = try #require(probe.number("start"))
          let range = start..<start + (probe.number("size") ?? 0)
          #expect(invalidated.contains(range), "step \(label)")
          let table = try #require(tables.table(of: probe).flatMap { machine.table($0) })
          machine.unmap(range, in: table)
        default: break
        }
      }
      for (file, text) in Self.capture.dumps(ofStep: label) {
        let ours = Capture.dump(file, of: machine) ?? "none"
        #expect(ours == text, "step \(label) \(file)\n\(Capture.difference(text, ours))")
      }
    }
  }

  @Test func `a shadow maps no more than L1's table does`() throws {
    for label in try Self.labels() {
      guard let guest = Self.text(label, "l1/stage2_page_tables"),
        let shadow = Self.text(label, "nested/nested_mmu1")
      else { continue }
      let guestRows = Row.all(guest)
      for row in Row.all(shadow) where !row.attributes.isEmpty {
        // The rows of L1 that reach into the shadow's; in each hole the shadow may have nothing.
        let under = guestRows.filter { $0.range.overlaps(row.range) }
        #expect(
          under.allSatisfy { $0.attributes.isSuperset(of: row.attributes.subtracting(["BLK"])) },
          "step \(label): \(row)")
      }
    }
  }

  @Test func `every row of every dump is one of the grammar's, and they leave no gap`() throws {
    for label in try Self.labels() {
      for file in [
        "stage2_page_tables", "nested/nested_mmu0", "nested/nested_mmu1", "l1/stage2_page_tables",
      ] {
        guard let text = Self.text(label, file), !text.isEmpty else { continue }
        let lines = text.split(separator: "\n").drop { $0.hasPrefix("VTCR: 0x") }
        #expect(lines.first == "---[ Guest IPA ]---", "step \(label) \(file)")
        let rows = Row.all(text)
        #expect(rows.count == lines.count - 1, "step \(label) \(file)")
        var end: UInt64 = 0
        for row in rows {
          #expect(row.range.lowerBound == end, "step \(label) \(file): \(row)")
          #expect(row.size == row.range.upperBound - end, "step \(label) \(file): \(row)")
          end = row.range.upperBound
        }
        #expect(end == 1 << (file.contains("nested") ? 48 : 40), "step \(label) \(file)")
      }
    }
  }
}

/// A row of a dump of the kernel (domain: `dump_prot`, `note_page` of mm/ptdump.c).
private struct Row {
  let range: Range<UInt64>
  let size: UInt64
  let level: Int
  let attributes: Set<Substring>

  static func all(_ text: String) -> [Row] { text.split(separator: "\n").compactMap { Row($0) } }

  private init?(_ line: Substring) {
    let pattern =
      /0x([0-9a-f]{16})-0x([0-9a-f]{16}) +(\d+)([KMGTPE]) ([0-3])(?: ([ F]) ([ R]) ([ W]) (px ux |PXNux |PXNUXN|px UXN) (AF|  ) (BLK|   ))?/
    guard let match = try? pattern.wholeMatch(in: line), let start = UInt64(match.1, radix: 16),
      let end = UInt64(match.2, radix: 16), start < end, let size = UInt64(match.3),
      let unit = "KMGTPE".firstIndex(of: match.4.first ?? " ")
    else { return nil }
    range = start..<end
    self.size = size << (10 * UInt64("KMGTPE".distance(from: "KMGTPE".startIndex, to: unit)) + 10)
    level = Int(match.5) ?? 0
    let execution = (match.9 ?? "").split(separator: " ").flatMap { word -> [Substring] in
      word == "PXNux" ? ["ux"] : word == "PXNUXN" ? [] : word == "UXN" ? [] : [word]
    }
    attributes = Set([match.7, match.8, match.10, match.11].compactMap { $0 } + execution)
      .filter { $0.contains { $0 != " " } }
  }
}

extension Machine {
  /// Lets L2 run on a shadow with the registers in the first line of its dump.
  fileprivate mutating func chooseShadow(_ number: Int, by dump: String) throws {
    guard let header = dump.split(separator: "\n").first, !shadowContext(number).isValid else {
      return
    }
    let words = header.split(separator: " ")
    let registers = [words[1], words[3]].compactMap { UInt64($0.dropFirst(2), radix: 16) }
    try apply(
      .context(
        vcpu: 0, vttbr: registers[1], vtcr: registers[0], hcr: words[5] == "enabled" ? 1 : 0))
    try apply(.l2Invalidate(vcpu: 0))
  }

  /// Makes a call of `kvm_pgtable_stage2_map` again.
  fileprivate mutating func map(_ probe: Probe, in id: TableID) {
    guard let table = table(id), let address = probe.number("addr"),
      let size = probe.number("size"),
      let physical = probe.number("phys"), let protection = probe.number("prot"),
      let level = table.geometry.level(ofSize: size)
    else { return }
    let executeNever: UInt8 = [2, 3, 1, 0][Int(protection & 3)]
    map(
      .leaf(
        at: physical, level: level, memAttr: Self.normalMemory,
        permissions: Permissions(
          read: protection & 8 != 0, write: protection & 4 != 0, executeNever: executeNever),
        guestLevel: Int(protection >> 55 & 3)), at: address, level: level, in: table)
  }

  /// The nested IPAs that a guest's TLB invalidation removes.
  fileprivate mutating func invalidated(by probe: Probe) -> [Range<UInt64>] {
    let operation: GuestInvalidation
    if let operand = probe.number("val") {
      let ttl = UInt8(operand >> 44 & 15)
      operation = .address((operand & (1 << 36 - 1)) << 12, ttl: ttl)
    } else {
      operation = .range(
        probe.number("start") ?? 0, pages: (probe.number("size") ?? 0) >> 12, granuleShift: 12)
    }
    return guestInvalidationTasks(operation, vcpu(0)).compactMap { task -> Range<UInt64>? in
      guard case .invalidateShadow(let index, let range, let vmid) = task, isValid(mmu(index)),
        VTTBR(self[mmu(index), .vttbr]).vmid == vmid
      else { return nil }
      return range
    }
  }
}
