/// How a file is packed, by its first bytes: a program that unpacks it is on every machine.
package enum Compression: String, CaseIterable, Sendable {
  case gzip, xz, zstd, bzip2

  /// The program that unpacks it to its standard output, with `-dc` and the file's name.
  package var program: String { rawValue }

  private var magic: [UInt8] {
    switch self {
    case .gzip: [0x1f, 0x8b]
    case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
    case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
    case .bzip2: Array("BZh".utf8)
    }
  }

  /// The compression of a file that begins with some bytes; nil if it is none of these.
  package init?(_ bytes: [UInt8]) {
    guard let found = Self.allCases.first(where: { bytes.starts(with: $0.magic) }) else {
      return nil
    }
    self = found
  }
}
