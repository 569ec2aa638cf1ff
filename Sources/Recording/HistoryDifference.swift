import Engine
import Language

/// The difference between two histories: their common beginning, and the rest of each.
public struct HistoryDifference: Sendable {
  /// Something in one history or in both, by indices of events.
  public enum Row: Equatable, Sendable {
    /// An event of both.
    case both(Int, Int)
    /// An event of the first only.
    case first(Int)
    /// An event of the second only.
    case second(Int)

    /// Whether it is in both.
    public var isOfBoth: Bool { if case .both = self { true } else { false } }
  }

  /// A row of the common axis of both histories.
  public struct Place: Sendable {
    /// Its contents.
    public let row: Row
    /// Number of done events of the first and of the second after it.
    public let events: (first: Int, second: Int)
    /// Whether both machines are then in the same state.
    public let isAlike: Bool
    /// Whether a difference begins here: events of only one; or a common event after which the states
    /// first differ, or which stored more in one than in the other.
    public let beginsDifference: Bool
  }

  /// The differences of the VMs, and of the policies.
  package let configurations: [ConfigurationDifference]
  /// Number of events in the common beginning.
  public let common: Int
  /// The rest, in order.
  public let rows: [Row]
  /// Number of events after which the machines differ despite equal events, under other policies; nil if
  /// they do not within the common beginning.
  public let firstState: Int?

  /// Whether there is no difference.
  public var isEmpty: Bool {
    configurations.isEmpty && firstState == nil
      && rows.allSatisfy(\.isOfBoth)
  }

  /// Maximum number of events aligned one by one between two common chapters: a longer piece
  /// counts as replaced.
  private static let alignedAtMost = 4_000

  /// Compares two histories that were carried out.
  ///
  /// - Complexity: O(n) in the common beginning; then O(n d) with d differences, in pieces
  ///   between chapters of the same name.
  public init(_ first: Session, _ second: Session) {
    let (one, other) = (first.timeline, second.timeline)
    configurations = first.scenario.configuration.differences(from: second.scenario.configuration)
    common = zip(one.events, other.events).prefix { $0 == $1 }.count
    var rows: [Row] = []
    var place = (common, common)
    for end in Self.anchors(first, second, after: common)
      + [(one.events.count, other.events.count)]
    {
      rows += Self.rows(one.events[place.0..<end.0], other.events[place.1..<end.1])
      place = end
    }
    self.rows = rows
    // On one machine the same events lead to the same state.
    let isSameMachine = first.scenario.configuration == second.scenario.configuration
    firstState =
      isSameMachine
      ? nil
      : (0..<common).first { one.stateCheck(ofEvent: $0) != other.stateCheck(ofEvent: $0) }
        .map { $0 + 1 }
  }

  /// All events of both, including the common beginning, as one axis. O(n) in the events.
  ///
  /// - Parameters: the histories that were compared.
  public func axis(_ first: Session, _ second: Session) -> [Place] {
    let (one, other) = (first.timeline, second.timeline)
    var places: [Place] = []
    var (events, wasAlike, wasOfBoth) = ((first: 0, second: 0), true, true)
    for row in (0..<common).map({ Row.both($0, $0) }) + rows {
      var storesDiffer = false
      switch row {
      case .both(let a, let b):
        events = (a + 1, b + 1)
        storesDiffer = one.stores(ofEvent: a).count != other.stores(ofEvent: b).count
      case .first(let a): events.first = a + 1
      case .second(let b): events.second = b + 1
      }
      let checks = (
        events.first > 0 ? one.stateCheck(ofEvent: events.first - 1) : nil,
        events.second > 0 ? other.stateCheck(ofEvent: events.second - 1) : nil
      )
      let isAlike = checks.0 == checks.1
      places.append(
        Place(
          row: row, events: events, isAlike: isAlike,
          beginsDifference: row.isOfBoth ? wasAlike && !isAlike || storesDiffer : wasOfBoth))
      (wasAlike, wasOfBoth) = (isAlike, row.isOfBoth)
    }
    return places
  }

  /// The ends of chapters that both have, once each and in the same order.
  private static func anchors(
    _ first: Session, _ second: Session, after common: Int
  ) -> [(Int, Int)] {
    func ends(_ session: Session) -> [String: Int] {
      Dictionary(session.chapters.map { ($0.label, $0.end) }, uniquingKeysWith: { _, _ in -1 })
        .filter { $0.value > common }
    }
    let others = ends(second)
    var anchors: [(Int, Int)] = []
    for (label, end) in ends(first).sorted(by: { $0.value < $1.value }) {
      guard let other = others[label], other > anchors.last?.1 ?? common,
        end > anchors.last?.0 ?? common
      else { continue }
      anchors.append((end, other))
    }
    return anchors
  }

  private static func rows(_ first: Slice<EventList>, _ second: Slice<EventList>) -> [Row] {
    guard first.count + second.count <= alignedAtMost else {
      return first.indices.map { .first($0) } + second.indices.map { .second($0) }
    }
    let change = Array(second).difference(from: Array(first))
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for step in change {
      switch step {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var rows: [Row] = []
    var (one, other) = (0, 0)
    while one < first.count || other < second.count {
      if removed.contains(one) {
        rows.append(.first(first.startIndex + one))
        one += 1
      } else if inserted.contains(other) {
        rows.append(.second(second.startIndex + other))
        other += 1
      } else {
        rows.append(.both(first.startIndex + one, second.startIndex + other))
        one += 1
        other += 1
      }
    }
    return rows
  }
}
