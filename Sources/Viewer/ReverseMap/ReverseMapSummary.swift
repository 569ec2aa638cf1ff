import Canvas
import Engine
import Inquiry
import Language

/// The position in the reverse map's pane, and its counts.
struct ReverseMapView {
  /// The entry chosen in the pane, if any.
  var cursor: ReverseMapEntry?
  /// The entry at the top of the list.
  var top: ReverseMapEntry?
  /// The counts, and their moment and shadow.
  var summary: ReverseMapSummary?
  /// The entries that match a filter, and their moment and shadow.
  var filtered: FilteredRanges?

  /// Drops what was found: the same moment may be one of other events now.
  mutating func forget() { (summary, filtered) = (nil, nil) }
}

/// The entries of a reverse map that match a filter at a moment.
struct FilteredRanges {
  let branch: Int
  let moment: Moment
  let shadow: Int
  let filter: Filter
  let entries: [ReverseMapEntry]
  /// Whether the map has more entries than were examined.
  let isCut: Bool

  static let entriesAtMost = 20_000

  /// The entries of a model's map that match its filter; nil without a filter or a map.
  init?(_ model: Model) {
    guard let filter = model.filter?.filter, model.hasReverseMap else { return nil }
    branch = model.branch
    moment = model.timeline.moment
    shadow = model.mappedShadow
    self.filter = filter
    let facts = RangeFacts(
      for: filter, ofShadow: shadow,
      changed: model.reverseMap.summary?.changedRanges ?? [], in: model.machine)
    let all = model.machine.reverseMap(ofShadow: shadow)
    entries = all.prefix(Self.entriesAtMost).filter { facts.holds(filter, for: $0) }
    isCut = all.count > Self.entriesAtMost
  }

  /// Whether they belong to a model's current state.
  func belongs(to model: Model) -> Bool {
    branch == model.branch && moment == model.timeline.moment && shadow == model.mappedShadow
      && filter == model.filter?.filter
  }
}

/// A change of a reverse map.
struct ReverseMapChange {
  let mark: SafeText
  let role: Role
  let text: SafeText
  /// Canonical addresses.
  let range: Range<UInt64>
}

/// Counts of a reverse map at a moment, and what the last event or micro-step changed in it.
struct ReverseMapSummary {
  let branch: Int
  let moment: Moment
  let shadow: Int
  let entries: Int
  /// Entries of the direct map beside them.
  let direct: Int
  let bytes: Int
  let isBroken: Bool
  /// Leaves of the shadow that no entry covers; nil where that cannot be judged.
  let uncovered: Int?
  /// Entries whose nested IPA is unknown, and the bytes that they cover; nil if the map is too long to
  /// count while a person waits.
  private(set) var unknown: (entries: Int, bytes: UInt64)?
  /// Known entries that no leaf confirms.
  private(set) var stale: [Range<UInt64>]?

  /// The changes in the order of their steps.
  let changes: [ReverseMapChange]

  private static let entriesAtMost = 5_000

  /// Of the map that a model shows. O(n) in the map, while it is not long, and in the event's steps; what no entry
  /// covers costs what has changed since it was asked last.
  init(_ model: inout Model) {
    let machine = model.machine
    branch = model.branch
    moment = model.timeline.moment
    shadow = model.mappedShadow
    changes = ReverseMapPane().changes(in: model)
    let size = machine.reverseMapSize(ofShadow: shadow)
    // The exact map is a direct map.
    let isExact = machine.configuration.reverseMap.encoding.isKeyedByNested
    entries = isExact ? size.direct : size.reverse
    direct = isExact ? 0 : size.direct
    bytes = size.bytes
    isBroken = machine.isReverseMapBroken(ofShadow: shadow)
    uncovered = model.session.uncoveredLeaves(ofShadow: shadow)
    guard entries <= Self.entriesAtMost else { return }
    let unknown = machine.reverseMap(ofShadow: shadow).filter { $0.nested == nil }
    self.unknown = (
      unknown.count,
      unknown.reduce(0) { $0 + $1.canonical.size }
    )
    stale = machine.staleEntries(ofShadow: shadow).map(\.canonical)
  }

  /// Whether it belongs to a model's current state.
  func belongs(to model: Model) -> Bool {
    branch == model.branch && moment == model.timeline.moment && shadow == model.mappedShadow
  }

  /// Canonical ranges that were inserted or changed.
  var changedRanges: [Range<UInt64>] { changes.filter { $0.mark != "-" }.map(\.range) }
}

extension ReverseMapEntry {
  var size: UInt64 { canonical.size }
}
