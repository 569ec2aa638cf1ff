import FoundationEssentials
import Import

/// What a VMM wrote of itself, a JSON object a line (`events.jsonl` of a recording): where its slots are.
enum VMMEvents {
  /// The longest line that is read; numbers are text in hexadecimal.
  private static let lineAtMost = 4096

  private struct Line: Decodable {
    let op: String
    let gpa, hva, size: String?
  }

  /// The slots that are added. Lines that are none are passed over.
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
