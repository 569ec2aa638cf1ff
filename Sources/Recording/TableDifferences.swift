import Engine
import KernelText

/// What the dumps of two machines tell apart.
public struct TableDifferences: Sendable {
  /// Tables whose dumps differ, or that only one machine has: the first's, then those that only the second has.
  public let tables: [TableID]
  /// Shadows whose reverse maps differ, in the same order.
  public let reverseMaps: [TableID]

  /// Compares two machines. O(n) in their tables.
  public init(_ first: Machine, _ second: Machine) {
    var ids: [TableID] = []
    for id in first.tableIDs + second.tableIDs where !ids.contains(id) { ids.append(id) }
    tables = ids.filter {
      KernelDump.text(of: $0, in: first) != KernelDump.text(of: $0, in: second)
    }
    reverseMaps = ids.filter { Self.reverseMap($0, first) != Self.reverseMap($0, second) }
  }

  /// The dump of the reverse map of a shadow; empty without one.
  private static func reverseMap(_ id: TableID, _ machine: Machine) -> String {
    guard case .shadow(let number) = id, number < machine.configuration.shadows else { return "" }
    return ReverseMapDump.text(ofShadow: number, in: machine)
  }
}
