import Canvas
import FoundationEssentials

extension FileDescriptor {
  /// Writes a value as a line of JSON. Characters on which a terminal would act are JSON-escaped, which
  /// JSON readers read as the same.
  func write(json value: some Encodable) throws {
    write(try Self.json(value) + [UInt8(ascii: "\n")])
  }

  /// A value as a line of JSON, without its end.
  static func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes = try [UInt8](encoder.encode(value))
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    return isPlain ? bytes : spelledOut(bytes)
  }

  private static func spelledOut(_ json: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(json.count)
    for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
      if (0x20..<0x7F).contains(scalar.value) {
        text.append(UInt8(scalar.value))
        continue
      }
      let character = String(scalar)
      if SafeText(character).string == character {
        text += character.utf8
      } else {
        for unit in character.utf16 {
          let digits = String(unit, radix: 16)
          text += ("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8
        }
      }
    }
    return text
  }
}
