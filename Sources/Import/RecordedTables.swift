import Engine
import KernelText

/// Maps the pointers in calls to tables, by the order in which the tables are created.
struct RecordedTables {
  private var tables: [UInt64: TableID] = [:]
  private var count = 0

  mutating func add(_ call: KernelCall) {
    let id = count == 0 ? TableID.canonical : .shadow(count - 1)
    for pointer in [call.arguments.table, call.arguments.context].compactMap({ $0 }) {
      tables[pointer] = id
    }
    count += 1
  }

  func table(of call: KernelCall) -> TableID? {
    (call.arguments.table ?? call.arguments.context).flatMap { tables[$0] }
  }

  /// The canonical IPAs that a reverse map records for map calls, by event number. The record may come
  /// before or after the call.
  func recordedPages(_ events: RecordedEvents) -> [Int: UInt64] {
    var tables = self
    var found: [Int: UInt64] = [:]
    var last: [TableID: (index: Int, nested: UInt64)] = [:]
    var told: [TableID: (nested: UInt64, canonical: UInt64)] = [:]
    for (index, event) in events.enumerated() {
      guard case .call(let call) = event.fact else { continue }
      if call.function == .initTable { tables.add(call) }
      guard let id = tables.table(of: call), let nested = call.arguments.address else { continue }
      if call.function == .map {
        if let known = told.removeValue(forKey: id), known.nested == nested {
          found[index] = known.canonical
        } else {
          last[id] = (index, nested)
        }
      } else if call.function == .recordReverseMap, let canonical = call.arguments.canonical {
        if let map = last.removeValue(forKey: id), map.nested == nested {
          found[map.index] = canonical
        } else {
          told[id] = (nested, canonical)
        }
      }
    }
    return found
  }

  /// The table of a map call, its creation unseen: the first that is not a shadow's is the canonical one.
  mutating func guess(_ call: KernelCall) -> TableID? {
    guard let pointer = call.arguments.table else { return nil }
    let isShadow = (call.arguments.protection ?? 0) >> 55 & 3 != 0
    let known = Set(tables.values)
    if !isShadow, !known.contains(.canonical) {
      tables[pointer] = .canonical
      return .canonical
    }
    // A VM has no more than these; a further pointer is another VM's, or garbled.
    let number = (0..<VMConfiguration.shadowsAtMost).first { !known.contains(.shadow($0)) }
    guard let number else { return nil }
    tables[pointer] = .shadow(number)
    return .shadow(number)
  }
}
