import Engine
import Language

/// One thing that is counted for each policy.
public struct CostColumn: Sendable {
  /// Its name, in a word.
  public let name: String
  /// Its meaning, as a clause.
  public let meaning: String
  /// The figure as text.
  public let figure: @Sendable (PolicyCost) -> String

  private init(
    _ name: String, _ meaning: String, _ figure: @escaping @Sendable (PolicyCost) -> String
  ) {
    self.name = name
    self.meaning = meaning
    self.figure = figure
  }

  /// The columns for some costs.
  public static func columns(for costs: [PolicyCost]) -> [CostColumn] {
    (costs.contains { $0.devices != nil } ? devices : reverseMaps) + [broken]
  }

  /// The columns for comparing reverse maps.
  public static let reverseMaps = [
    CostColumn("notify", "MMU notifier calls that reached memory of the VM") { "\($0.notifiers)" },
    CostColumn("full", "unmaps of everything in a shadow, whatever the reason") {
      "\($0.fullUnmaps)"
    },
    CostColumn("removed", "shadow leaves that notifiers and deleted slots took away") {
      "\($0.leavesRemoved)"
    },
    CostColumn(
      "needed",
      "leaves that really had to go (what ideal removes), the same for all policies; if removed is less, "
        + "some stayed or went otherwise"
    ) { "\($0.leavesNeeded)" },
    CostColumn("refaults", "leaves that went without need and were faulted in again") {
      "\($0.refaults)"
    },
    CostColumn("entries", "the most entries in the trees of all reverse maps after an event") {
      "\($0.peakEntries)"
    },
    CostColumn("bytes", "the most bytes of those trees' nodes") {
      Phrase.size(UInt64($0.peakBytes))
    },
    CostColumn("unknown", "the most bytes of canonical addresses without a nested IPA") {
      Phrase.size($0.peakUnknown)
    },
    CostColumn("stale", "the most known entries without a matching leaf") { "\($0.peakStale)" },
  ]

  /// The columns for comparing policies about devices. Windows are counted in micro-steps times pages of 4K.
  public static let devices = [
    CostColumn(
      "failing",
      "DMA that fails in the middle of an event, to pages that it reaches before and after, in "
        + "micro-steps times pages"
    ) { figure($0.devices?.failing) },
    CostColumn("stalled", "DMA that is held up, in the same unit") { figure($0.devices?.stalled) },
    CostColumn("forbidden", "DMA that reaches memory of another owner, in the same unit") {
      figure($0.devices?.forbidden)
    },
    CostColumn("needless", "entries of the SMMU's TLB dropped although the table still backs them")
    {
      figure($0.devices?.needless)
    },
    CostColumn("stale", "the most such entries after an event without a backing table entry") {
      figure($0.devices?.peakStale)
    },
    CostColumn("unused", "the most bytes mapped for devices, less pages that DMA reached") {
      rounded($0.devices?.unused)
    },
    CostColumn("tables", "the most bytes of tables of the devices' own") {
      rounded($0.devices?.peakTables)
    },
  ]

  /// The last column of every comparison.
  public static let broken = CostColumn(
    "broken", "rules that some event breaks, listed with the first event that does"
  ) { "\($0.violations.count)" }

  private static func figure(_ number: (some BinaryInteger)?) -> String {
    number.map { "\($0)" } ?? ""
  }

  /// A size that may be large, rounded to a unit in which it has at most four digits.
  private static func rounded(_ bytes: UInt64?) -> String {
    guard let bytes else { return "" }
    var unit: UInt64 = 1
    while (bytes + unit / 2) / unit >= 10_000 { unit <<= 10 }
    return Phrase.size((bytes + unit / 2) / unit * unit)
  }
}
