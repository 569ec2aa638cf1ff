import Engine

/// The entries of a shadow's reverse map in the order of their canonical addresses, found one by one: the
/// cost does not grow with the map, unless its entries may overlap.
struct ReverseMapEntries {
  private let machine: Machine
  private let shadow: Int
  /// All entries, if they may overlap or are filtered, so that addresses alone do not lead from one
  /// to the next.
  private let all: [ReverseMapEntry]?

  /// Whether those are the ones that match a filter.
  private let isFiltered: Bool

  /// - Parameter filtered: the entries that match a filter, if there is one.
  init(ofShadow shadow: Int, in machine: Machine, filtered: [ReverseMapEntry]? = nil) {
    self.machine = machine
    self.shadow = shadow
    isFiltered = filtered != nil
    all =
      filtered
      ?? (machine.configuration.reverseMap.encoding.isKeyedByNested
        ? machine.reverseMap(ofShadow: shadow) : nil)
  }

  var first: ReverseMapEntry? { all.map(\.first) ?? entry(from: 0) }
  var last: ReverseMapEntry? {
    all.map(\.last) ?? machine.reverseMapEntry(ofShadow: shadow, before: .max)
  }

  /// The entry that covers an address, else the first one behind it.
  func entry(from address: UInt64) -> ReverseMapEntry? {
    isFiltered
      ? all?.first { $0.canonical.upperBound > address }
      : machine.reverseMapEntry(ofShadow: shadow, from: address)
  }

  func contains(_ entry: ReverseMapEntry) -> Bool {
    all?.contains(entry) ?? (self.entry(from: entry.canonical.lowerBound) == entry)
  }

  /// The next entry, or the previous one.
  func neighbour(of entry: ReverseMapEntry, forward: Bool) -> ReverseMapEntry? {
    if let all {
      guard let index = all.firstIndex(of: entry) else { return nil }
      let next = forward ? index + 1 : index - 1
      return all.indices.contains(next) ? all[next] : nil
    }
    return forward
      ? self.entry(from: entry.canonical.upperBound)
      : machine.reverseMapEntry(ofShadow: shadow, before: entry.canonical.lowerBound)
  }

  /// The entry `distance` after another, or before it if negative; clamped to the ends of the map.
  func entry(_ distance: Int, from entry: ReverseMapEntry) -> ReverseMapEntry {
    var entry = entry
    for _ in 0..<distance.magnitude {
      guard let next = neighbour(of: entry, forward: distance > 0) else { break }
      entry = next
    }
    return entry
  }

  /// At most `count` entries from one on; if the map ends before that, also some before it.
  func entries(_ count: Int, from first: ReverseMapEntry) -> [ReverseMapEntry] {
    guard count > 0 else { return [] }
    if let all, let index = all.firstIndex(of: first) {
      let start = max(0, min(index, all.count - count))
      return Array(all[start..<min(start + count, all.count)])
    }
    var entries = [first]
    while entries.count < count,
      let next = neighbour(of: entries[entries.count - 1], forward: true)
    {
      entries.append(next)
    }
    while entries.count < count, let previous = neighbour(of: entries[0], forward: false) {
      entries.insert(previous, at: 0)
    }
    return entries
  }

  /// At most `count` entries around one.
  func entries(_ count: Int, around entry: ReverseMapEntry) -> [ReverseMapEntry] {
    entries(count, from: self.entry(-max(0, (count - 1) / 2), from: entry))
  }

  /// At most `count` entries that include one: those from `top` on, moved as little as possible.
  func entries(
    _ count: Int, showing entry: ReverseMapEntry, top: ReverseMapEntry?
  ) -> [ReverseMapEntry] {
    guard let top, contains(top) else { return entries(count, around: entry) }
    let entries = entries(count, from: top)
    if entries.contains(entry) { return entries }
    if entry.canonical.lowerBound < top.canonical.lowerBound {
      return self.entries(count, from: entry)
    }
    return self.entries(count, from: self.entry(1 - max(1, count), from: entry))
  }
}
