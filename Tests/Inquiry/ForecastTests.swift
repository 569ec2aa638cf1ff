import Engine
import Foundation
import Language
import TestSupport
import Testing

@testable import Inquiry

/// What the next event will change, against what it has changed: all entries before and after it, read page by
/// page.
@Suite struct ForecastTests {
  /// All entries of tables that are not empty, by table.
  private typealias Entries = [TableID: [Position: UInt64]]

  private func entries(_ machine: Machine, _ ids: Set<TableID>) -> Entries {
    var entries: Entries = [:]
    for id in ids {
      guard let reader = machine.reader(of: id) else { continue }
      var found: [Position: UInt64] = [:]
      func visit(_ page: TablePage) {
        if page.usedCount == 0 { return }
        for index in 0..<page.count where page[index].bits != 0 {
          found[Position(page.address(of: index), level: page.level)] = page[index].bits
          if let child = reader.child(of: index, in: page) { visit(child) }
        }
      }
      visit(reader.root)
      entries[id] = found
    }
    return entries
  }

  /// The tables that are compared: L1's only if they were the same ones, each with a VMID of its own.
  private func tables(_ before: Machine, _ after: Machine) -> Set<TableID> {
    let guests = after.guestTables
    let isSame = guests == before.guestTables && Set(guests.map(\.vttbr.vmid)).count == guests.count
    return Set(before.tableIDs + after.tableIDs).filter { isSame || $0.kind != .guest }
  }

  /// Compares the forecast of each event with what it does; the session must be at its end.
  ///
  /// - Parameter count: the number of events, evenly.
  private func compare(_ session: inout Session, _ name: String, count: Int = .max) throws -> Int {
    let events = session.timeline.events.count
    var changed = 0
    for event in stride(from: 0, to: events, by: max(1, events / min(count, max(1, events)))) {
      session.seek(to: Moment(events: event))
      let before = session.timeline.machine
      let forecast = try ForecastAnswer(about: Subject(), in: &session)
      session.seek(to: Moment(events: event + 1))
      let after = session.timeline.machine
      let ids = tables(before, after)
      let (then, now) = (entries(before, ids), entries(after, ids))
      var wanted: Entries = [:]
      for id in ids {
        let (one, two) = (then[id] ?? [:], now[id] ?? [:])
        var differing: [Position: UInt64] = [:]
        for position in Set(one.keys).union(two.keys) where one[position] != two[position] {
          differing[position] = two[position] ?? 0
        }
        if !differing.isEmpty { wanted[id] = differing }
      }
      var found: Entries = [:]
      for change in forecast.changes where ids.contains(change.table) {
        found[change.table, default: [:]][change.position] = change.entry?.bits ?? 0
      }
      // What L1 links or unlinks has the words that it had.
      let links = forecast.changes.filter { $0.table.kind == .guest && $0.level < 3 }
      for (id, entries) in wanted where id.kind == .guest {
        wanted[id] = entries.filter { position, _ in
          !links.contains {
            $0.table == id && position.level > $0.level
              && ($0.address..<$0.address + $0.size).contains(position.address)
              && found[id]?[position] == nil
          }
        }
      }
      #expect(found == wanted, "\(name), event \(event + 1): \(forecast.statement)")
      #expect(forecast.runs.reduce(0) { $0 + $1.entries.count } == forecast.changes.count)
      changed += wanted.values.reduce(0) { $0 + $1.count }
    }
    return changed
  }

  @Test func `a forecast names the entries that the event then changes`() throws {
    let root = shippedScenarios.path()
    let files = try #require(FileManager.default.enumerator(atPath: root))
      .compactMap { $0 as? String }.filter { $0.hasSuffix(".pw") }.sorted()
    #expect(files.count > 80)
    var changed = 0
    for file in files {
      var session = Session(try shippedScenario(file))
      try session.finish()
      changed += try compare(&session, file, count: 20)
    }
    #expect(changed > 1000, "\(changed)")
  }

  @Test(arguments: [ReverseMapVersion.none, .repaired])
  func `a forecast of a random event names what it then changes`(policy: ReverseMapVersion) throws {
    for seed in 0..<UInt64(3) {
      let run = RandomRun(seed: seed, policy: policy, count: 120)
      var session = Session(try Scenario(parsing: [UInt8](run.scenario.utf8), file: "random"))
      try session.finish()
      #expect(try compare(&session, "seed \(seed)", count: 30) > 0)
    }
  }

  @Test(arguments: [
    ("cca/host-device.pw", 6, "rtt-create"), ("rmp/iommu-first.pw", 14, "rmp convert"),
    ("cca/one-owner.pw", 21, "data-destroy"),
  ])
  func `an event that replaces entries is not said to change none`(
    file: String, event: Int, statement: String
  ) throws {
    var session = Session(try shippedScenario(file))
    try session.finish()
    session.seek(to: Moment(events: event - 1))
    let forecast = try ForecastAnswer(about: Subject(), in: &session)
    #expect(forecast.statement.contains(statement), "\(forecast.statement)")
    for detail in DetailLevel.allCases {
      #expect(!forecast.report(detail).text.contains("No entry of a table will change"))
    }
  }

  @Test func `in the middle of an event the forecast is of what is left of it`() throws {
    var session = Session(try shippedScenario("nested/three-tables.pw"))
    try session.finish()
    session.seek(to: Moment(events: 1))
    let event = session.timeline.events.count - 1
    session.seek(to: Moment(events: event, steps: 0))
    let whole = try ForecastAnswer(about: Subject(), in: &session)
    session.seek(to: Moment(events: event + 1))
    let steps = session.timeline.steps.count
    session.seek(to: Moment(events: event, steps: steps - 1))
    let rest = try ForecastAnswer(about: Subject(), in: &session)
    #expect(rest.changes.count < whole.changes.count || whole.changes.isEmpty)
  }
}
