import Engine
import Observation

/// A table with all its words, as the recorder's drgn script writes it; no kernel dump has that.
///
///     pagewalk-table 1
///     table shadow0 ipa=48 granule=4K start=0 roots=1 vmid=0x5 root=0x43608000 vttbr=0x40100000 vtcr=0x80023559 s2=1
///     page 0x43608000 1
///     +000 0000000043609003 0000000000000000
///     end 0x43608000 5e1f0a77
///
/// A line with `+` has words from an index on, in hexadecimal; words in no line are zero. The number after
/// `end` is the CRC-32C of the page's lines, from `page` to the last before `end`, line feeds included.
package struct RawTable: Equatable, Sendable {
  /// The table's name, such as `canonical` or `shadow0`.
  package let name: String
  /// Its shape, with 4K pages.
  package let geometry: Geometry
  /// Hardware VMID.
  package let vmid: UInt64
  /// Physical address of the root.
  package let root: UInt64
  /// L1's registers, if the text has them.
  package let context: ObservedTable.Context?
  /// The words of its pages by their addresses, 512 each; the root's concatenated pages are separate.
  package private(set) var pages: [UInt64: [UInt64]] = [:]

  /// Maximum number of pages read: 1 GiB.
  package static let pagesAtMost = 1 << 18

  /// Words from an address on; nil if one of their pages is missing.
  package func words(at address: UInt64, count: Int) -> [UInt64]? {
    var found: [UInt64] = []
    found.reserveCapacity(count)
    var place = address
    while found.count < count {
      guard let page = pages[place & ~4095] else { return nil }
      let first = Int(place >> 3 & 511)
      let part = page[first..<min(512, first + count - found.count)]
      found += part
      place += UInt64(part.count) * 8
    }
    return found
  }

  /// Reads the tables of a text.
  ///
  /// - Throws: at the first malformed line.
  package static func read(_ bytes: [UInt8]) throws(TextError) -> [RawTable] {
    let result = bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(TextError) in
        var parser = Parser()
        var lines = Lines(buffer)
        while let line = lines.next() { try parser.add(line, lines.number) }
        return try parser.finish(at: lines.number + 1)
      }
    }
    return try result.get()
  }

  private struct Parser {
    private var tables: [RawTable] = []
    private var hasBegun = false
    private var page: (address: UInt64, words: [UInt64], next: Int, sum: CRC32C)?
    private var pageCount = 0

    mutating func add(_ line: Words, _ number: Int) throws(TextError) {
      var rest = line
      rest.trimEnd()
      if !hasBegun {
        guard rest == "pagewalk-table 1" else {
          throw TextError(line: number, "expected 'pagewalk-table 1', the only version there is")
        }
        hasBegun = true
        return
      }
      if rest.isEmpty || rest.first == UInt8(ascii: "#") { return }
      if rest.take("table ") {
        try requireNoPage(number)
        tables.append(try Self.table(rest, number))
      } else if rest.take("page ") {
        try begin(rest, line, number)
      } else if rest.take("+") {
        try addWords(&rest, line, number)
      } else if rest.take("end ") {
        try end(&rest, number)
      } else {
        throw TextError(line: number, "expected table, page, + or end")
      }
    }

    private func requireNoPage(_ number: Int) throws(TextError) {
      if let page {
        throw TextError(line: number, "expected 'end \(Phrase.address(page.address))' before")
      }
    }

    mutating func finish(at number: Int) throws(TextError) -> [RawTable] {
      try requireNoPage(number)
      if tables.isEmpty { throw TextError(line: number, "expected a table") }
      return tables
    }

    /// `NAME ipa=BITS granule=4K start=LEVEL roots=N vmid=V root=PA [vttbr=V vtcr=V s2=0|1]`
    private static func table(_ text: Words, _ number: Int) throws(TextError) -> RawTable {
      var rest = text
      let name = rest.takeWord()
      var values: [String: UInt64] = [:]
      var hasGranule = false
      while true {
        var word = rest.takeWord()
        if word.isEmpty { break }
        let key = word.take(while: Words.isName)
        let column = word.start - text.start + 7
        guard word.take("=") else {
          throw TextError(line: number, column: column, "expected key=value")
        }
        if key == "taken" { continue }
        if key == "granule" {
          guard word == "4K" else {
            throw TextError(
              line: number, column: column, "expected granule=4K, the only one so far")
          }
          hasGranule = true
        } else if let value = word.number {
          values[key.string] = value
        } else {
          throw TextError(line: number, column: column, "expected a number")
        }
      }
      guard !name.isEmpty, hasGranule, let bits = values["ipa"], let start = values["start"],
        let roots = values["roots"], let root = values["root"], (25...48).contains(bits), start < 4
      else {
        throw TextError(line: number, "expected a name, ipa=, granule=, start=, roots=, root=")
      }
      let geometry = Geometry(
        granuleShift: 12, inputBits: Int(bits), startLevel: Int(start))
      guard geometry.rootPages == Int(clamping: roots), geometry.rootEntries <= 16 << 9,
        root & (geometry.rootBytes - 1) == 0
      else {
        throw TextError(
          line: number,
          "ipa=, start=, roots= and root= do not fit: expected \(geometry.rootPages) root pages, aligned"
        )
      }
      var context: ObservedTable.Context?
      if let vttbr = values["vttbr"], let vtcr = values["vtcr"] {
        context = ObservedTable.Context(
          vtcr: vtcr, vttbr: vttbr, stage2Enabled: values["s2"] != 0)
      }
      return RawTable(
        name: name.string, geometry: geometry, vmid: values["vmid"] ?? 0, root: root,
        context: context)
    }

    private mutating func begin(_ text: Words, _ line: Words, _ number: Int) throws(TextError) {
      try requireNoPage(number)
      var rest = text
      guard let last = tables.indices.last else {
        throw TextError(line: number, "expected a table before its pages")
      }
      guard rest.take("0x"), let address = rest.takeHex(), address & 4095 == 0,
        address >> 52 == 0, rest.take(" "), let level = rest.takeDecimal(), level < 4, rest.isEmpty
      else { throw TextError(line: number, "expected 'page 0xADDRESS LEVEL'") }
      if tables[last].pages[address] != nil {
        throw TextError(line: number, "the page at \(Phrase.address(address)) is there twice")
      }
      pageCount += 1
      if pageCount > RawTable.pagesAtMost {
        throw TextError(line: number, "more than \(RawTable.pagesAtMost) pages")
      }
      var sum = CRC32C()
      sum.add(line: line)
      page = (address, [UInt64](repeating: 0, count: 512), 0, sum)
    }

    private mutating func addWords(
      _ rest: inout Words, _ line: Words, _ number: Int
    ) throws(TextError) {
      guard var open = page else {
        throw TextError(line: number, "expected a page before its words")
      }
      guard let index = rest.takeHex(), index >= UInt64(open.next), index < 512 else {
        throw TextError(line: number, column: 2, "expected an index from \(open.next) to 511")
      }
      var place = Int(index)
      while true {
        var word = rest.takeWord()
        if word.isEmpty { break }
        let column = word.start - line.start + 1
        guard place < 512, word.count == 16, let value = word.takeHex(), word.isEmpty else {
          throw TextError(
            line: number, column: column, "expected words of 16 hex digits, 512 a page")
        }
        open.words[place] = value
        place += 1
      }
      open.next = place
      open.sum.add(line: line)
      page = open
    }

    private mutating func end(_ rest: inout Words, _ number: Int) throws(TextError) {
      guard let open = page, let last = tables.indices.last, rest.take("0x"),
        rest.takeHex() == open.address, rest.take(" "), let sum = rest.takeHex(), rest.isEmpty
      else { throw TextError(line: number, "expected the end of the page that was begun") }
      guard sum == UInt64(open.sum.value) else {
        throw TextError(
          line: number,
          "the lines of the page have CRC-32C \(hex(UInt64(open.sum.value), 8)): some of them changed"
        )
      }
      tables[last].pages[open.address] = open.words
      page = nil
    }
  }
}

/// CRC-32C (Castagnoli), as of RFC 3720.
package struct CRC32C: Equatable, Sendable {
  private var state: UInt32 = ~0

  package init() {}

  /// The checksum of all added bytes.
  package var value: UInt32 { ~state }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78
    }
  }

  package mutating func add(_ byte: UInt8) {
    state = state >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
  }

  /// Adds a line, and the line feed after it.
  fileprivate mutating func add(line: Words) {
    for index in line.start..<line.end { add(line.bytes[index]) }
    add(0x0a)
  }
}
