import Canvas
import Engine
import Language

/// Where one is in the pane of the reverse map, and what was counted for it.
struct ReverseMapView {
  /// The entry that was chosen in the pane, if one was.
  var cursor: ReverseMapEntry?
  /// The entry at the top of the list.
  var top: ReverseMapEntry?
  /// What was counted, and for what.
  var summary: ReverseMapSummary?
}

/// Counts of a reverse map at a moment.
struct ReverseMapSummary: Equatable {
  let branch: Int
  let moment: Moment
  let shadow: Int
  let entries: Int
  /// Entries of the direct map beside them.
  let direct: Int
  let bytes: Int
  let isBroken: Bool
  /// Entries whose nested IPA is unknown, and the bytes that they cover; nil if the map is too long to be
  /// counted while a person waits.
  private(set) var unknown: (entries: Int, bytes: UInt64)?
  /// Known entries that no leaf bears out.
  private(set) var stale: [Range<UInt64>]?

  private static let entriesAtMost = 5_000

  init(ofShadow shadow: Int, _ machine: Machine, branch: Int, moment: Moment) {
    self.branch = branch
    self.moment = moment
    self.shadow = shadow
    let size = machine.reverseMapSize(ofShadow: shadow)
    // The exact map is a direct map.
    let isExact = machine.configuration.reverseMap.encoding.isKeyedByNested
    entries = isExact ? size.direct : size.reverse
    direct = isExact ? 0 : size.direct
    bytes = size.bytes
    isBroken = machine.isReverseMapBroken(ofShadow: shadow)
    guard entries <= Self.entriesAtMost else { return }
    let unknown = machine.reverseMap(ofShadow: shadow).filter { $0.nested == nil }
    self.unknown = (
      unknown.count,
      unknown.reduce(0) { $0 + $1.canonical.upperBound - $1.canonical.lowerBound }
    )
    stale = machine.staleEntries(ofShadow: shadow).map(\.canonical)
  }

  static func == (a: ReverseMapSummary, b: ReverseMapSummary) -> Bool {
    (a.branch, a.moment, a.shadow) == (b.branch, b.moment, b.shadow)
  }
}

extension ReverseMapEntry {
  var size: UInt64 { canonical.size }

  /// The word that the tree holds, bit by bit, as a version encodes it.
  func encoding(_ version: ReverseMapPolicyName) -> SafeText {
    let word: SafeText = "\(hex: payload, digits: 16)"
    let valid = version.encoding.validBit
    if version.encoding.isKeyedByNested {
      return word + ": " + (valid.map { "bit \($0) set, " } ?? "")
        + "bits 55:12 the canonical IPA, keyed by nested IPA"
    }
    guard let nested else { return word + ": bit 0, UNKNOWN_IPA" }
    return word + ": " + (valid.map { "bit \($0), VALID_ENTRY; " } ?? "")
      + "bits 55:12 nested IPA \(hex: nested)"
  }
}
