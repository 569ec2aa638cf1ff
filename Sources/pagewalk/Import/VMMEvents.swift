import FoundationEssentials
import Import

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
        event.op == "memslot", let canonical = number(event.gpa), let host = number(event.hva),
        let size = number(event.size)
      else { return nil }
      return HostSlot(canonical: canonical, host: host, size: size)
    }
  }

  private static func number(_ text: String?) -> UInt64? {
    guard let text else { return nil }
    return text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }
}
