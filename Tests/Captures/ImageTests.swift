import Engine
import Foundation
import TestSupport
import Testing

/// The pages of tables, walked from outside: what hardware would find in them is what the kernel said of
/// its own tables.
@Suite struct ImageTests {
  /// The rows of the kernel's text.
  private static func rows(_ text: String) -> [TableWalker.Row] {
    text.split(separator: "\n").compactMap { line -> TableWalker.Row? in
      let words = line.split(separator: " ").map(String.init)
      let ends = words[0].split(separator: "-").compactMap { UInt64($0.dropFirst(2), radix: 16) }
      guard line.hasPrefix("0x"), ends.count == 2, let level = Int(words[2]) else { return nil }
      let attributes = words[3...].joined(separator: " ")
        // "PXNux" has no blank.
        .replacing("PXNux", with: "PXN ux").replacing("PXNUXN", with: "PXN UXN")
      return TableWalker.Row(ends[0]..<ends[1], level: level, attributes: attributes)
    }
  }

  /// The walker, on pages as they lie in the file that `dump --image` writes.
  private static func walk(_ image: TableImage) throws -> TableWalker {
    let end = image.pages.map { $0.address + UInt64($0.words.count) * 8 }.max() ?? image.base
    var memory = [UInt8](repeating: 0, count: Int(end - image.base))
    for page in image.pages {
      let bytes = page.words.map(\.littleEndian).withUnsafeBytes { Array($0) }
      let offset = Int(page.address - image.base)
      memory.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    return try TableWalker(
      memory: memory, at: image.base, vttbr: image.registers[0].value,
      vtcr: image.registers[1].value)
  }

  /// The table that one of the kernel's files is of.
  private static func table(_ file: String, of machine: Machine) -> Table? {
    if file == "stage2_page_tables" { return machine.table(.canonical) }
    return Int(file.dropFirst("nested/nested_mmu".count)).flatMap { machine.table(.shadow($0)) }
  }

  @Test(arguments: Capture.all(["nested", "nested2", "plain", "patched"]))
  func `a walker of its own finds in the pages what the kernel says of them`(capture: Capture)
    throws
  {
    let scenario = try capture.scenario()
    var machine = Machine(scenario.configuration)
    for statement in scenario.statements {
      switch statement.kind {
      case .event(let event): try machine.apply(event)
      case .expect: break
      case .chapter(let label, _):
        for (file, text) in capture.dumps(ofStep: label) where text.contains("Guest IPA") {
          guard let table = Self.table(file, of: machine) else { continue }
          let image = machine.image(of: table)
          #expect(image.base >= 0x4000_0000)
          let found = try Self.walk(image).rows
          #expect(found == Self.rows(text), "\(capture.name) step \(label) \(file)")
        }
      }
    }
    try checkGuestTables(of: machine, capture.name)
  }

  /// What the shadows hold, L1's own pages and the canonical ones must give together: a shadow leaf leads
  /// where the walk in L1's table, and then in canonical memory, leads, and permits no more than either.
  private func checkGuestTables(of machine: Machine, _ place: String) throws {
    guard let table = machine.table(.canonical), !machine.guestTables.isEmpty else { return }
    let canonical = try Self.walk(machine.image(of: table))
    for guest in machine.guestTables {
      let walked = try Self.walk(machine.image(of: guest))
      for number in 0..<machine.configuration.shadows {
        let context = machine.shadowContext(number)
        guard context.isValid, context.stage2Enabled, context.vttbr == guest.vttbr.bits,
          context.vtcr == guest.vtcr.bits, let table = machine.table(.shadow(number))
        else { continue }
        for leaf in try Self.walk(machine.image(of: table)).leaves {
          guard let entry = walked.leaf(at: leaf.address) else {
            Issue.record("\(place): L1 has nothing for shadow \(number)'s \(leaf.address)")
            continue
          }
          #expect(leaf.size <= entry.size, "\(place)")
          #expect(leaf.permissions & ~entry.permissions == 0, "\(place)")
          // Accesses of L2 fill no canonical table, so there may be nothing.
          let ipa = entry.output + (leaf.address - entry.address)
          if let page = canonical.leaf(at: ipa) {
            #expect(leaf.output == page.output + (ipa - page.address), "\(place)")
          }
        }
      }
    }
  }
}
