import Engine

/// A key of the statement `policy KEY=VALUE`, and what its values set.
public struct Policy: Sendable {
  typealias Change = @Sendable (inout Configuration) -> Void

  /// With the `=`.
  let key: StaticString
  let values: Values

  /// What may stand after the `=`.
  enum Values: Sendable {
    /// One of a few words.
    case words(KeyValuePairs<StaticString, Change>)
    /// A size in bytes, of whole 4K pages.
    case pages(ClosedRange<UInt64>, @Sendable (inout Configuration, UInt64) -> Void)
  }

  private init(_ key: StaticString, _ words: KeyValuePairs<StaticString, Change>) {
    self.key = key
    values = .words(words)
  }

  private init(
    _ key: StaticString, pages range: ClosedRange<UInt64>,
    _ change: @escaping @Sendable (inout Configuration, UInt64) -> Void
  ) {
    self.key = key
    values = .pages(range, change)
  }

  /// What one statement sets.
  struct Setting {
    let key: String
    let change: Change
  }

  /// What statements can set: all keys with all values.
  public static var settings: [String] { all.flatMap(\.settings) }

  /// The key with each of the words that it may have.
  private var settings: [String] {
    if case .words(let words) = values { words.map { "\(key)\($0.key)" } } else { ["\(key)"] }
  }

  /// The key with each word under which the events of a scenario still make sense: memory belongs to owners
  /// of the same kind.
  func alternatives(for scenario: Scenario) -> [String] {
    guard case .words(let words) = values else { return [] }
    return words.compactMap { word, change in
      var configuration = scenario.configuration
      change(&configuration)
      let isSame = configuration.isolation.kind == scenario.configuration.isolation.kind
      return isSame ? "\(key)\(word)" : nil
    }
  }

  /// All keys, in the order in which messages name them.
  static let all = [
    Policy(
      "revmap=",
      [
        "none": { $0.reverseMap = .none }, "v1": { $0.reverseMap = .v1 },
        "v2": { $0.reverseMap = .v2 }, "v3": { $0.reverseMap = .v3 },
        "repaired": { $0.reverseMap = .repaired }, "ideal": { $0.reverseMap = .ideal },
      ]),
    Policy("iommu=", ["own": { $0.iommu.table = .own }, "shared": { $0.iommu.table = .shared }]),
    Policy(
      "iommu-tlbi=",
      [
        "forward": { $0.iommu.forwarding = .forward },
        "broadcast": { $0.iommu.forwarding = .broadcast },
        "none": { $0.iommu.forwarding = .none },
      ]),
    Policy(
      "iommu-fault=",
      [
        "abort": { $0.iommu.faults = .abort }, "stall": { $0.iommu.faults = .stall },
        "pin": { $0.iommu.faults = .pin },
      ]),
    Policy(
      "iommu-walk=",
      [
        "coherent": { $0.iommu.isCoherent = true }, "noncoherent": { $0.iommu.isCoherent = false },
      ]),
    Policy("iommu-sync=", ["on": { $0.iommu.syncs = true }, "off": { $0.iommu.syncs = false }]),
    Policy(
      "smmu-vmid=",
      [
        "private": { $0.iommu.vmids = .private }, "kvm": { $0.iommu.vmids = .kvm },
        "pinned": { $0.iommu.vmids = .pinned },
      ]),
    Policy(
      "sva-asid=",
      ["private": { $0.iommu.asids = .private }, "process": { $0.iommu.asids = .process }]),
    Policy("sva-aset=", ["on": { $0.iommu.asidSet = true }, "off": { $0.iommu.asidSet = false }]),
    Policy(
      "sva-notifier=", ["on": { $0.iommu.notifies = true }, "off": { $0.iommu.notifies = false }]),
    Policy(
      "rmp-order=",
      [
        "iommu-first": { $0.setRMP { $0.order = .iommuFirst } },
        "rmp-first": { $0.setRMP { $0.order = .rmpFirst } },
        "firmware": { $0.setRMP { $0.order = .firmware } },
      ]),
    Policy(
      "rmp-check=",
      [
        "walk": { $0.setRMP { $0.check = .walk } }, "access": { $0.setRMP { $0.check = .access } },
      ]),
    Policy(
      "cca=",
      [
        "on": {
          $0.isolation = .cca
          $0.iommu.table = .shared
        },
        "off": {
          $0.isolation = .none
          $0.iommu.table = .own
        },
      ]),
    Policy(
      "bbm-cpu=",
      [
        "0": { $0.iommu.cpuBreakLevel = 0 }, "1": { $0.iommu.cpuBreakLevel = 1 },
        "2": { $0.iommu.cpuBreakLevel = 2 }, "3": { $0.iommu.cpuBreakLevel = 3 },
      ]),
    Policy(
      "bbm-smmu=",
      [
        "0": { $0.iommu.smmuBreakLevel = 0 }, "1": { $0.iommu.smmuBreakLevel = 1 },
        "2": { $0.iommu.smmuBreakLevel = 2 },
      ]),
    Policy(
      "pkvm=",
      [
        "off": { $0.isolation = .none }, "v4": { $0.isolation = .pkvm(.v4) },
        "v5": { $0.isolation = .pkvm(.v5) },
      ]),
    Policy("mmio-reserve=", pages: Configuration.mmioReserveRange) { $0.mmioReserve = $1 },
  ]
}

extension Configuration {
  /// Policies about an RMP say that there is one.
  fileprivate mutating func setRMP(_ change: (inout RMPConfiguration) -> Void) {
    isolation = .rmp
    change(&rmp)
  }
}

extension Isolation {
  /// Who keeps account of owners, whatever the version.
  fileprivate var kind: Isolation { pkvm == nil ? self : .pkvm(.v5) }
}
