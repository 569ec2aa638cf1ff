import Engine
import KernelText

/// What two machines' tables and reverse maps tell apart: the kernel's dumps, and where leaves lead, which these do not say.
public struct TableDifferences: Sendable {
  /// Tables that differ, or that only one machine has: the first's, then those that only the second has.
  public let tables: [TableID]
  /// Shadows whose reverse maps differ, in the same order.
  public let reverseMaps: [TableID]

  /// Compares two machines. O(n) in their tables.
  public init(_ first: Machine, _ second: Machine) {
    var ids: [TableID] = []
    for id in first.tableIDs + second.tableIDs where !ids.contains(id) { ids.append(id) }
    tables = ids.filter {
      KernelDump.text(of: $0, in: first) != KernelDump.text(of: $0, in: second)
        || Self.leadElsewhere(first.reader(of: $0), second.reader(of: $0))
    }
    reverseMaps = ids.filter { Self.reverseMap($0, first) != Self.reverseMap($0, second) }
  }

  /// Whether entries of two tables differ. Where the tables themselves lie does not matter.
  private static func leadElsewhere(_ first: TableReader?, _ second: TableReader?) -> Bool {
    guard let first, let second else { return (first == nil) != (second == nil) }
    // A table of L1's may lead back to itself, and to one table from many entries.
    var compared: Set<[UInt64]> = []
    func differ(_ one: TablePage, _ other: TablePage) -> Bool {
      let pair = [one.place(of: 0), other.place(of: 0), UInt64(one.level)]
      if !compared.insert(pair).inserted { return false }
      if one.count != other.count { return true }
      return (0..<one.count).contains { index in
        if let below = first.child(of: index, in: one) {
          return second.child(of: index, in: other).map { differ(below, $0) } ?? true
        }
        return one[index] != other[index]
      }
    }
    return differ(first.root, second.root)
  }

  /// The dump of the reverse map of a shadow; empty without one.
  private static func reverseMap(_ id: TableID, _ machine: Machine) -> String {
    guard case .shadow(let number) = id, number < machine.configuration.shadows else { return "" }
    return ReverseMapDump.text(ofShadow: number, in: machine)
  }
}
