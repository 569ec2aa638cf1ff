import Engine

/// A key of the statement `policy KEY=VALUE`, and what its values set: the only place that declares it.
public struct Policy: Sendable {
  typealias Change = @Sendable (inout VMConfiguration) -> Void

  /// The key, with the `=`.
  let key: String
  let values: Values
  /// The statement that sets it.
  let form: StatementForm
  /// The value that a configuration has, which is the default if nothing set it; nil where the key has no meaning.
  let value: @Sendable (VMConfiguration) -> String?

  /// What may follow the `=`.
  enum Values: Sendable {
    /// One of a few words.
    case words([(word: String, change: Change)])
    /// A size in bytes.
    case size
  }

  private init(
    _ key: String, _ meaning: String, words: [(word: String, change: Change)],
    value: @escaping @Sendable (VMConfiguration) -> String?
  ) {
    self.key = key
    self.value = value
    values = .words(words)
    form = StatementForm(
      "policy \(key)\(words.map(\.word).joined(separator: "|"))", meaning,
      .prologue { .policy(Setting(key: key, change: words[$0.int(0)].change)) })
  }

  /// A policy of one property, with a word for each of its values.
  private init<Value: Equatable & Sendable>(
    _ key: String, _ meaning: String, _ path: WritableKeyPath<VMConfiguration, Value> & Sendable,
    _ words: KeyValuePairs<String, Value>
  ) {
    let words = words.map { (word: $0.key, value: $0.value) }
    self.init(
      key, meaning,
      words: words.map { word, value in (word, { $0[keyPath: path] = value }) },
      value: { configuration in words.first { $0.value == configuration[keyPath: path] }?.word })
  }

  /// A policy whose words are the values of a type.
  private init<Value: CaseIterable & RawRepresentable<String> & Sendable>(
    _ key: String, _ meaning: String,
    get: @escaping @Sendable (VMConfiguration) -> Value?,
    set: @escaping @Sendable (inout VMConfiguration, Value) -> Void
  ) {
    self.init(
      key, meaning, words: Value.allCases.map { value in (value.rawValue, { set(&$0, value) }) },
      value: { get($0)?.rawValue })
  }

  /// A policy of one property, with a word for each value of its type.
  private init<Value: CaseIterable & RawRepresentable<String> & Sendable>(
    _ key: String, _ meaning: String, _ path: WritableKeyPath<VMConfiguration, Value> & Sendable
  ) {
    self.init(key, meaning, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 })
  }

  private init(
    _ key: String, _ meaning: String, pages range: ClosedRange<UInt64>,
    _ path: WritableKeyPath<VMConfiguration, UInt64> & Sendable
  ) {
    self.key = key
    values = .size
    value = { Phrase.size($0[keyPath: path]) }
    form = StatementForm(
      "policy \(key)SIZE", meaning,
      operands: ["\(key)SIZE": .number("SIZE", range, multipleOf: Page.size, .size)],
      .prologue { values in
        let size = values[0]
        return .policy(Setting(key: key) { $0[keyPath: path] = size })
      })
  }

  /// What one statement sets.
  struct Setting {
    let key: String
    let change: Change
  }

  /// All keys with all values.
  public static var settings: [String] { all.flatMap(\.settings) }

  /// The key with each of its words.
  private var settings: [String] {
    if case .words(let words) = values { words.map { key + $0.word } } else { [key] }
  }

  /// The key with its value in one configuration, if another configuration has another one; nil also if this one has
  /// none.
  func difference(of one: VMConfiguration, from other: VMConfiguration) -> String? {
    guard let own = value(one), own != value(other) else { return nil }
    return key + own
  }

  /// The key with each word under which the scenario's events still make sense: those with the same kind
  /// of isolation.
  func alternatives(for scenario: Scenario) -> [String] {
    guard case .words(let words) = values else { return [] }
    return words.compactMap { word, change in
      var configuration = scenario.configuration
      change(&configuration)
      let isSame = configuration.isolation.kind == scenario.configuration.isolation.kind
      return isSame ? key + word : nil
    }
  }

  private static func isolating(_ isolation: Isolation) -> Change {
    { $0.isolation = isolation }
  }

  /// All keys, in the order in which messages name them.
  static let all: [Policy] = [
    Policy(
      "revmap=",
      "How shadows are found when canonical pages are unmapped. "
        + ReverseMapVersion.allCases.map {
          "`\($0.name)`\($0 == .none ? " (default)" : ""): \($0.summary)."
        }.joined(separator: " "), \.reverseMap),
    Policy(
      "cpu-tlb=",
      """
      Whether what a CPU has cached outlives L2's next run, which `l2 exec` and `l2 tlbi` begin. `evicted` \
      (default): L1 ran in between, and the CPU has cached other things, as in the captures. `kept`: only a \
      TLBI, or another entry, removes it.
      """,
      \.keepsTLB, ["evicted": false, "kept": true]),
    Policy(
      "iommu=",
      "The table that a device is given. `own` (default): one of its own, which the kernel fills. `shared`: the "
        + "table that CPUs use.", \.iommu.table),
    Policy(
      "iommu-stage=",
      """
      The stage of a table of a device's own. `1` (default): a context descriptor with an ASID, which Linux 7.3.4 \
      prefers where the SMMU has it. `2` (the default with `smmu-vmid`): a VMID in the stream table entry, as on SMMUs \
      without stage 1 and under nesting. What CPUs use is stage 2 in any case, and so are \
      devices' tables with `rmp-order`, `cca` and `pkvm`.
      """,
      get: { $0.iommu.ownStage }, set: { $0.iommu.stage = $1 as IOMMUConfiguration.Stage }),
    Policy(
      "iommu-tlbi=",
      """
      How the SMMU invalidates its TLB after a CPU's TLBI in a shared table. `forward` (default): a hook queues \
      the same command and a sync. `broadcast`: the SMMU takes part in broadcast TLB maintenance. `none`: it \
      does not invalidate.
      """, \.iommu.forwarding),
    Policy(
      "iommu-fault=",
      """
      What happens to DMA that finds no translation. `abort` (default): it is terminated. In a table that CPUs \
      use, `stall`: it waits until the fault is handled there; `pin`: it cannot happen, since all memory that \
      the device may reach is mapped in advance and stays mapped.
      """, \.iommu.faults),
    Policy(
      "iommu-pin=",
      """
      Who pins guest memory for a device. `iommufd` (default) pins all of a range, up to 5461 runs of pages that \
      follow each other in memory, before it maps any. `vfio` (type 1) pins up to 512 pages at a time, and maps \
      each run before it pins more. `pause` stops `vfio` between these calls and before each run.
      """, \.iommu.pinning),
    Policy(
      "iommu-walk=",
      "Whether the SMMU's walker sees the CPUs' caches. `coherent` (default): it does. `noncoherent`: it does not.",
      \.iommu.isCoherent, ["coherent": true, "noncoherent": false]),
    Policy(
      "iommu-sync=",
      "Whether an unmap waits for its invalidations with CMD_SYNC (default `on`).",
      \.iommu.syncs, ["on": true, "off": false]),
    Policy(
      "smmu-vmid=",
      """
      The VMID under which the SMMU caches translations. `private`: one of its own allocator (Linux 7.3.4, the \
      default with `iommu=own`). `kvm`: the one that KVM gave the VM (the default with `iommu=shared`). \
      `pinned`: the same, pinned so that it stays through rollovers.
      """, get: { $0.iommu.vmidChoice }, set: { $0.iommu.vmids = $1 as VMIDChoice }),
    Policy(
      "sva-asid=",
      """
      The ASID under which the SMMU caches a process's translations. `private` (default): one of its own \
      allocator, as in Linux 7.3.4. `process`: the one that CPUs use for the process, as Linux had it before.
      """, \.iommu.asids),
    Policy(
      "sva-aset=",
      """
      Whether that ASID is the SMMU's own (CD.ASET), so that a CPU's TLBI does not invalidate its entries. The \
      default is `on` with `sva-asid=private`, else `off`. Stage 2 has no such choice.
      """,
      words: [("on", { $0.iommu.asidSet = true }), ("off", { $0.iommu.asidSet = false })],
      value: { $0.iommu.hasPrivateASID ? "on" : "off" }),
    Policy(
      "sva-notifier=",
      """
      Whether a change of the process's table is also queued as a command and a sync (default `on`). With the \
      process's own ASID and an SMMU that takes part in broadcasts, Linux once left it out.
      """,
      \.iommu.notifies, ["on": true, "off": false]),
    Policy(
      "rmp-order=",
      """
      The VM is a guest with AMD's RMP. When it shares a few pages of a 2M region, the RMP and the IOMMU's table \
      are both split to 4K, in this order. `iommu-first`: the IOMMU's table, its flush, PSMASH. `rmp-first`: \
      PSMASH first. `firmware` (default): one call of the firmware, which stalls DMA meanwhile.
      """,
      get: { $0.isolation == .rmp ? $0.rmp.order : nil },
      set: { configuration, order in configuration.setRMP { $0.order = order } }),
    Policy(
      "rmp-check=",
      """
      When the IOMMU checks the RMP. `walk` (default): when it walks. `access`: at every access, cached or not. \
      No posting says which it is, so this is inferred.
      """,
      get: { $0.isolation == .rmp ? $0.rmp.check : nil },
      set: { configuration, check in configuration.setRMP { $0.check = check } }),
    Policy(
      "cca=",
      "The VM is a realm (default `off`): the RMM owns its table, and its devices use the same table "
        + "(`iommu=shared`).",
      words: [
        (
          "on",
          {
            $0.isolation = .cca
            $0.iommu.table = .shared
          }
        ),
        (
          "off",
          {
            $0.isolation = .none
            $0.iommu.table = .own
          }
        ),
      ], value: { $0.isolation == .cca ? "on" : "off" }),
    Policy(
      "bbm-cpu=",
      """
      The level of FEAT_BBM that the CPUs have (default 0). From 2 on a block may become a table without a \
      break. With 3 this raises no conflict abort; with 2 pKVM's host may get one before the TLBI \
      (`expect error efault`).
      """,
      \.iommu.cpuBreakLevel, ["0": 0, "1": 1, "2": 2, "3": 3]),
    Policy(
      "bbm-smmu=", "The level of break-before-make that the SMMU has, SMMU_IDR3.BBML (default 0).",
      \.iommu.smmuBreakLevel, ["0": 0, "1": 1, "2": 2]),
    Policy(
      "smmu-httu=",
      """
      Whether the SMMU updates access flags and dirty state itself, SMMU_IDR0.HTTU. `off` (default): to a device \
      with the VMM's addresses (`iommu sva`) a page without the flag is a fault. `on`: Linux sets CD.HA and CD.HD \
      there, and its DMA makes the page a used one. A domain's own table has the flag set from the start.
      """,
      \.iommu.updatesFlags, ["on": true, "off": false]),
    Policy(
      "pkvm=",
      """
      Under pKVM (default `off`) there is no VM of the host, but a host that is itself under a stage 2, and \
      guests of the hypervisor. `v4` (2025-08-19) and `v5` are two postings of its SMMU driver. In v4 the flag \
      "snapshot done" has its sense inverted, and MMIO is mapped as device memory; v5 has neither.
      """,
      words: [("off", isolating(.none))]
        + PKVM.Version.allCases.map { ($0.rawValue, isolating(.pkvm($0))) },
      value: { $0.isolation.pkvm?.rawValue ?? "off" }),
    Policy(
      "mmio-reserve=",
      """
      pKVM reserves tables for the host's stage 2 at boot: as many as all memory and SIZE bytes of MMIO (default \
      1G) can take by pages, and 16. When they run out, all MMIO is unmapped, and faults in again.
      """, pages: VMConfiguration.mmioReserveRange, \.mmioReserve),
  ]
}

/// A difference of two configurations: what the one and the other say of a key, as `revmap=v1` and `revmap=v2`.
package struct ConfigurationDifference: Equatable, Sendable {
  /// A side is `no KEY` where the key has no meaning.
  package let first, second: String

  /// Nil if both values are the same.
  fileprivate init?(_ key: String, _ first: String?, _ second: String?) {
    guard first != second else { return nil }
    func side(_ value: String?) -> String { value.map { "\(key)=\($0)" } ?? "no \(key)" }
    (self.first, self.second) = (side(first), side(second))
  }

  /// Both in words: `revmap=v1, revmap=v2`.
  package var text: String { "\(first), \(second)" }
}

extension VMConfiguration {
  /// The differences from another configuration.
  package func differences(from other: VMConfiguration) -> [ConfigurationDifference] {
    let policies = Policy.all.map { (String($0.key.dropLast()), $0.value) }
    return (policies + Self.keys).compactMap { key, value in
      ConfigurationDifference(key, value(self), value(other))
    }
  }

  /// The keys of `vm`, and the value that a configuration has of each.
  private static let keys: [(String, @Sendable (VMConfiguration) -> String?)] = [
    ("ipa", { "\($0.ipaBits)" }), ("vcpus", { "\($0.vcpus)" }),
    ("nested", { $0.nested ? "on" : "off" }), ("vmid-bits", { "\($0.vmidBits)" }),
    ("recorded", { $0.evidence == .calls ? "on" : "off" }),
    (
      "seen",
      { if case .dumps(let format) = $0.evidence { format.seenWord } else { nil } }
    ),
  ]

  /// Policies about an RMP imply that there is one.
  fileprivate mutating func setRMP(_ change: (inout RMPConfiguration) -> Void) {
    isolation = .rmp
    change(&rmp)
  }
}

extension Isolation {
  /// The kind of isolation, regardless of version.
  fileprivate var kind: Isolation { pkvm == nil ? self : .pkvm(.v5) }
}
