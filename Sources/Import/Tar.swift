/// Reads files from a tar archive: POSIX ustar, and the long names of GNU and pax.
package enum Tar {
  /// An error in an archive, and its byte offset.
  package struct Damage: Error, Equatable {
    package let offset: Int
    package let message: String
  }

  /// Maximum number of files, and of bytes of one file.
  package static let filesAtMost = 100_000, bytesAtMost = 1 << 30

  private static let block = 512

  /// Whether bytes begin with an archive's header.
  package static func accepts(_ bytes: [UInt8]) -> Bool {
    bytes.count >= block && Array(bytes[257..<262]) == Array("ustar".utf8)
  }

  /// The regular files of an archive, in order, by name without a leading `./`; of one that was cut off, those
  /// before.
  ///
  /// - Parameter cut: Where it was cut off, if it was, and files are left.
  package static func files(
    in bytes: [UInt8], cut: inout Damage?
  ) throws(Damage) -> [(path: String, bytes: [UInt8])] {
    var found: [(path: String, bytes: [UInt8])] = []
    var offset = 0
    var longName: String?
    while offset + block <= bytes.count {
      let header = bytes[offset..<offset + block]
      if header.allSatisfy({ $0 == 0 }) { return found }
      guard let sum = octal(header, 148, 8), sum == checksum(header) else {
        throw Damage(offset: offset, message: "the checksum of a header is wrong")
      }
      guard let size = octal(header, 124, 12), size <= bytesAtMost else {
        throw Damage(offset: offset, message: "the size of a file is no number, or too large")
      }
      let start = offset + block
      guard start + size <= bytes.count else {
        let damage = Damage(
          offset: offset, message: "the archive ends in the middle of \(longName ?? name(header))")
        if found.isEmpty { throw damage }
        cut = damage
        return found
      }
      let content = Array(bytes[start..<start + size])
      switch header[header.startIndex + 156] {
      case UInt8(ascii: "L"): longName = text(content[...])
      case UInt8(ascii: "x"): longName = paxName(content) ?? longName
      case 0, UInt8(ascii: "0"):
        guard found.count < filesAtMost else {
          throw Damage(offset: offset, message: "more than \(filesAtMost) files")
        }
        let name = longName ?? self.name(header)
        found.append((name.hasPrefix("./") ? String(name.dropFirst(2)) : name, content))
        longName = nil
      default: longName = nil
      }
      offset = start + (size + block - 1) / block * block
    }
    cut = Damage(offset: offset, message: "the archive has no end")
    return found
  }

  private static func name(_ header: ArraySlice<UInt8>) -> String {
    let start = header.startIndex
    let prefix = text(header[start + 345..<start + 500])
    let name = text(header[start..<start + 100])
    return prefix.isEmpty ? name : prefix + "/" + name
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// A number in octal digits, padded with blanks or zeros.
  private static func octal(_ header: ArraySlice<UInt8>, _ place: Int, _ count: Int) -> Int? {
    let digits = header[header.startIndex + place..<header.startIndex + place + count]
      .drop { $0 == 0x20 }.prefix { $0 & 0xf8 == 0x30 }
    return digits.isEmpty ? nil : Int(text(digits), radix: 8)
  }

  private static func checksum(_ header: ArraySlice<UInt8>) -> Int {
    header.enumerated().reduce(0) { $0 + (148..<156 ~= $1.offset ? 0x20 : Int($1.element)) }
  }

  /// `path` of a pax header: records `LENGTH KEY=VALUE`.
  private static func paxName(_ bytes: [UInt8]) -> String? {
    text(bytes[...]).split(separator: "\n").lazy.compactMap { record in
      record.split(separator: " ", maxSplits: 1).last.flatMap {
        $0.hasPrefix("path=") ? String($0.dropFirst(5)) : nil
      }
    }.first
  }
}
