import Canvas

/// A trace as ITF JSON, the format of Apalache and Quint: a state for each event, with the event and the leaves
/// of each table.
package struct StateTrace: TraceFormat {
  private let tables: [String]
  private var isFirst = true

  /// A trace with these tables: all must be known in advance.
  package init(tables: [String]) { self.tables = tables }

  package mutating func header(title: SafeText) -> [UInt8] {
    let variables = ["event", "statement", "leaves", "counts"].map { Cast.json($0) }
      .joined(separator: ",")
    return Array(
      (##"{"#meta":{"format":"ITF","source":\##(Cast.json("pagewalk: \(title)")),"##
        + ##""description":\##(Cast.json(TraceEvent.timeIsOrder))},"vars":[\##(variables)],"states":["##
        + "\n").utf8)
  }

  package mutating func bytes(of event: TraceEvent) -> [UInt8] {
    defer { isFirst = false }
    let leaves = Dictionary(uniqueKeysWithValues: event.leaves.map { ($0.table, $0.count) })
    let state =
      ##"{"#meta":{"index":\##(event.number)},"event":\##(big(UInt64(event.number))),"##
      + "\"statement\":\(Cast.json(SafeText(event.statement).string)),"
      + "\"leaves\":\(map(tables.map { ($0, leaves[$0] ?? 0) })),"
      + "\"counts\":\(map(event.counts.map { ($0.name, $0.value) }))}"
    return Array(((isFirst ? "" : ",\n") + state).utf8)
  }

  package mutating func footer() -> [UInt8] { Array("\n]}\n".utf8) }

  private func map(_ pairs: [(String, UInt64)]) -> String {
    let entries = pairs.map { "[\(Cast.json($0.0)),\(big($0.1))]" }.joined(separator: ",")
    return ##"{"#map":[\##(entries)]}"##
  }

  private func big(_ number: UInt64) -> String { ##"{"#bigint":"\##(number)"}"## }
}
