import Engine
import KernelText
import Observation

/// Where in a chapter shadows get the registers known only from the dump at its end: at an otherwise
/// unexplained sweep of the shadow, or before the first call on it.
struct ContextPlan {
  private var places: [(index: Int, shadow: Int, context: ObservedTable.Context)] = []

  init(
    _ chapter: RecordedChapter, _ before: [Int: ObservedTable.Context],
    _ events: RecordedEvents, _ tables: RecordedTables
  ) {
    for (number, table) in chapter.shadows.sorted(by: { $0.key < $1.key }) {
      guard let context = table?.context, before[number] != context else { continue }
      var tables = tables
      var sweep: Int?
      var first: Int?
      var isCalled = false
      for (index, event) in events.enumerated() {
        guard case .call(let call) = event.fact else { continue }
        if call.function == .initTable { tables.add(call) }
        switch call.function {
        case .notifierUnmap, .flushMemslot, .nestedUnmap, .tlbiAddress, .tlbiRange: isCalled = true
        case .map, .relax, .writeProtectRange: isCalled = false
        default: break
        }
        let isOurs =
          tables.table(of: call) == .shadow(number)
          || call.function == .map && tables.guess(call) == .shadow(number)
        guard isOurs, call.function != .initTable else { continue }
        if call.function == .unmapRange, call.arguments.address == 0,
          call.arguments.size == 1 << UInt64(VMConfiguration.physicalBits)
        {
          if !isCalled { sweep = index }
        }
        if first == nil { first = index }
      }
      let isRecycled = before[number] != nil
      places.append(
        ((isRecycled ? sweep : nil) ?? first ?? events.count, number, context))
    }
    places.sort { ($0.index, $0.shadow) < ($1.index, $1.shadow) }
  }

  /// The contexts that come before an event.
  mutating func take(before index: Int) -> [(shadow: Int, context: ObservedTable.Context)] {
    let found = places.prefix { $0.index <= index }.map { ($0.shadow, $0.context) }
    places.removeFirst(found.count)
    return found
  }

  /// The contexts of shadows without calls.
  mutating func takeRest() -> [(shadow: Int, context: ObservedTable.Context)] {
    defer { places.removeAll() }
    return places.map { ($0.shadow, $0.context) }
  }
}
