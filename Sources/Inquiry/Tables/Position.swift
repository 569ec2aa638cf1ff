/// A place in a table: the entry of a level for an input address.
///
/// Positions are in the order of a walk through the whole table: a table comes before what is in it.
package struct Position: Hashable, Comparable, Sendable {
  /// First input address of the entry.
  package var address: UInt64
  /// Its level.
  package var level: Int

  package init(_ address: UInt64, level: Int) {
    self.address = address
    self.level = level
  }

  package static func < (a: Position, b: Position) -> Bool {
    (a.address, a.level) < (b.address, b.level)
  }
}
