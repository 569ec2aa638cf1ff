import Engine
import Language

/// An entry that is not a table, or several contiguous ones.
package struct EntryRun: Equatable, Sendable {
  /// Where the first entry is.
  package let position: Position
  /// The first entry; if it was removed, the old value.
  package let descriptor: Descriptor
  /// Number of entries.
  package var count: Int
  /// Bytes that one entry covers.
  package let entrySize: UInt64
  /// Whether the last event, or micro-step, changed it.
  package let isChanged: Bool
  /// Whether that change removed it.
  package let isRemoved: Bool

  package init(
    position: Position, descriptor: Descriptor, count: Int = 1, entrySize: UInt64,
    isChanged: Bool = false, isRemoved: Bool = false
  ) {
    self.position = position
    self.descriptor = descriptor
    self.count = count
    self.entrySize = entrySize
    self.isChanged = isChanged
    self.isRemoved = isRemoved
  }

  package var address: UInt64 { position.address }
  package var level: Int { position.level }
  /// The first input address after it.
  package var end: UInt64 { address + entrySize * UInt64(count) }
  /// Its input addresses.
  package var range: Range<UInt64> { address..<end }

  /// Adds the entry that follows, if it continues the run. Returns whether it does.
  mutating func join(_ next: EntryRun) -> Bool {
    guard end == next.address, level == next.level, isChanged == next.isChanged,
      isRemoved == next.isRemoved,
      next.descriptor.continues(entry(count - 1), size: next.entrySize, at: level)
    else { return false }
    count += 1
    return true
  }

  /// Some of its entries, by their numbers from 0.
  package subscript(entries: Range<Int>) -> EntryRun {
    EntryRun(
      position: Position(address + entrySize * UInt64(entries.lowerBound), level: level),
      descriptor: entry(entries.lowerBound), count: entries.count, entrySize: entrySize,
      isChanged: isChanged, isRemoved: isRemoved)
  }

  /// One of its entries, by its number from 0.
  func entry(_ number: Int) -> Descriptor {
    guard descriptor.isLeaf(level), descriptor.format.knowsOutputs else { return descriptor }
    return Descriptor(descriptor.bits &+ entrySize &* UInt64(number), descriptor.format)
  }

  /// The output addresses of a leaf.
  func outputs(_ geometry: Geometry) -> Range<UInt64> {
    let start = geometry.output(of: descriptor, at: level)
    return start..<start + entrySize * UInt64(count)
  }

  /// All that rows show of it, at any width, which a filter's text is matched against.
  func shown(_ geometry: Geometry) -> String {
    let digits = String(address, radix: 16)
    let long = String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
    var text = "L\(level) 0x\(long) \(hex: address) "
    guard geometry.isLeaf(descriptor, at: level) else {
      return text + Phrase.entry(descriptor, level: level, in: geometry)
    }
    let output =
      descriptor.format.knowsOutputs ? "\(hex: outputs(geometry).lowerBound)" : Sign.unknown
    text += "\(Sign.arrow) \(output) \(descriptor.permissions.text)"
    text += " \(Phrase.size(entrySize)) +\(Phrase.size(end - address))"
    if count > 1 { text += " \(Sign.times)\(count)" }
    if descriptor.bits & Descriptor.accessed != 0 { text += " AF" }
    if descriptor.bits & Descriptor.contiguous != 0 { text += " CNT" }
    if level < Geometry.lastLevel { text += " BLK" }
    return text + " " + Phrase.entry(descriptor, level: level, in: geometry)
  }
}

extension Descriptor {
  /// Whether the entry maps, in the same way, what follows the output of the one before it; where outputs are not
  /// known, anything in the same way.
  package func continues(_ before: Descriptor, size: UInt64, at level: Int) -> Bool {
    guard before.isLeaf(level) else { return bits == before.bits && bits != 0 }
    return bits == before.bits &+ (format.knowsOutputs ? size : 0)
  }
}

extension TableReader {
  /// Calls `visit` for the entries that are neither empty nor tables, in ascending order.
  ///
  /// - Parameter visit: returns whether to continue.
  func visitEntries(_ visit: (TablePage, Int) -> Bool) {
    var left = Machine.guestTableLimit
    _ = visitEntries(in: root, &left, visit)
  }

  private func visitEntries(
    in page: TablePage, _ left: inout Int, _ visit: (TablePage, Int) -> Bool
  ) -> Bool {
    left -= 1
    for index in 0..<page.count where page[index].bits != 0 {
      guard page[index].isTable(page.level) else {
        if visit(page, index) { continue }
        return false
      }
      if left <= 0 { return false }
      if let child = child(of: index, in: page), !visitEntries(in: child, &left, visit) {
        return false
      }
    }
    return true
  }

  /// The run of entries in a page that contains an entry.
  func run(around index: Int, in page: TablePage) -> EntryRun {
    func joins(_ next: Int) -> Bool {
      page[next].continues(page[next - 1], size: page.entrySize, at: page.level)
    }
    var first = index
    var last = index
    while first > 0, joins(first) { first -= 1 }
    while last + 1 < page.count, joins(last + 1) { last += 1 }
    return EntryRun(
      position: Position(page.address(of: first), level: page.level), descriptor: page[first],
      count: last - first + 1, entrySize: page.entrySize)
  }
}
