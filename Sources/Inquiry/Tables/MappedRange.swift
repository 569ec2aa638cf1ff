import Engine

/// A leaf of a table, with the input addresses that it maps.
package struct MappedRange: Equatable, Sendable {
  package let range: Range<UInt64>
  package let level: Int
  package let descriptor: Descriptor
  /// Output address of the first input address.
  package let output: UInt64

  /// Bytes that it maps.
  package var size: UInt64 { range.size }

  /// The output address of an input address in its range, or `?` where it is not known.
  func knownOutput(of address: UInt64) -> String {
    descriptor.format.knowsOutputs ? "\(hex: output(of: address))" : Sign.unknown
  }

  /// Output address of an input address in its range.
  func output(of address: UInt64) -> UInt64 { output + (address - range.lowerBound) }
}

extension TableReader {
  /// The first leaf that ends after an input address; nil if there is none.
  func mappedRange(from address: UInt64) -> MappedRange? {
    address < geometry.inputSize ? mappedRange(from: address, in: root) : nil
  }

  /// The leaf that maps an input address, if any, and the end of the entry at which a walk to it ends.
  func leaf(at address: UInt64) -> (leaf: MappedRange?, end: UInt64) {
    guard address < geometry.inputSize, let (page, index) = path(to: address).last
    else { return (nil, .max) }
    let range = page.address(of: index)..<page.address(of: index) + page.entrySize
    guard geometry.isLeaf(page[index], at: page.level) else { return (nil, range.upperBound) }
    let leaf = MappedRange(
      range: range, level: page.level, descriptor: page[index],
      output: geometry.output(of: page[index], at: page.level))
    return (leaf, range.upperBound)
  }

  private func mappedRange(from address: UInt64, in page: TablePage) -> MappedRange? {
    if address >= page.address(of: page.count) { return nil }
    for index in page.index(of: address)..<page.count where page[index].bits != 0 {
      if geometry.isLeaf(page[index], at: page.level) {
        let start = page.address(of: index)
        return MappedRange(
          range: start..<start + page.entrySize, level: page.level, descriptor: page[index],
          output: geometry.output(of: page[index], at: page.level))
      }
      if let child = child(of: index, in: page), let found = mappedRange(from: address, in: child) {
        return found
      }
    }
    return nil
  }
}

extension Machine {
  /// The entry at which a walk of a table to an address ends: a leaf or another non-table; nil if there
  /// is no entry.
  package func walkEnd(of address: UInt64, in id: TableID) -> Descriptor? {
    guard let reader = reader(of: id), address < reader.geometry.inputSize,
      let (page, index) = reader.path(to: address).last
    else { return nil }
    let entry = page[index]
    return entry.bits == 0 ? nil : entry
  }
}

extension TableID {
  /// Whether the input addresses are a guest's own, which only its table translates: comparing such a
  /// table with one of the machine's needs more than addresses.
  var isNested: Bool {
    switch kind.input {
    case .nestedIPA, .guestIPA: true
    case .canonicalIPA, .physical, .iova, .hostVirtual: false
    }
  }
}
