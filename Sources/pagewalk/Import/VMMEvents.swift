import FoundationEssentials
import Import
import Language

/// A VMM's own records, a JSON object per line (`events.jsonl` of a recording): the places of its slots.
enum VMMEvents {
  /// Maximum length of a line in bytes; numbers are hexadecimal text.
  private static let lineAtMost = 4096

  private struct Line: Decodable {
    let op: String
    let gpa, hva, size: String?
  }

  /// The added slots. Skips other lines.
  static func slots(in bytes: [UInt8]) -> [HostSlot] {
    let decoder = JSONDecoder()
    return bytes.split(separator: 0x0a).compactMap { line in
      guard line.count <= lineAtMost, let event = try? decoder.decode(Line.self, from: Data(line)),
        event.op == "memslot", let canonical = event.gpa.flatMap(Number.value(of:)),
        let host = event.hva.flatMap(Number.value(of:)),
        let size = event.size.flatMap(Number.value(of:))
      else { return nil }
      return HostSlot(canonical: canonical, host: host, size: size)
    }
  }
}
