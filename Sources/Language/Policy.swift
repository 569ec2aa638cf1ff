import Engine

/// A key of the statement `policy KEY=VALUE`, and what its values set: the only place that declares it.
public struct Policy: Sendable {
  typealias Change = @Sendable (inout VMConfiguration) -> Void

  /// The key, with the `=`.
  let key: String
  let values: Values
  /// The statement that sets it.
  let form: StatementForm

  /// What may follow the `=`.
  enum Values: Sendable {
    /// One of a few words.
    case words([(word: String, change: Change)])
    /// A size in bytes.
    case size
  }

  private init(_ key: String, _ meaning: String, words: [(word: String, change: Change)]) {
    self.key = key
    values = .words(words)
    form = StatementForm(
      "policy \(key)\(words.map(\.word).joined(separator: "|"))", meaning,
      .prologue { .policy(Setting(key: key, change: words[$0.int(0)].change)) })
  }

  private init(_ key: String, _ meaning: String, _ words: KeyValuePairs<String, Change>) {
    self.init(key, meaning, words: words.map { (word: $0.key, change: $0.value) })
  }

  /// A policy whose words are the values of a type.
  private init<Value: CaseIterable & RawRepresentable<String> & Sendable>(
    _ key: String, _ meaning: String,
    _ set: @escaping @Sendable (inout VMConfiguration, Value) -> Void
  ) {
    self.init(
      key, meaning, words: Value.allCases.map { value in (value.rawValue, { set(&$0, value) }) })
  }

  private init(
    _ key: String, _ meaning: String, pages range: ClosedRange<UInt64>,
    _ set: @escaping @Sendable (inout VMConfiguration, UInt64) -> Void
  ) {
    self.key = key
    values = .size
    form = StatementForm(
      "policy \(key)SIZE", meaning,
      operands: ["\(key)SIZE": .number("SIZE", range, multipleOf: Page.size, .size)],
      .prologue { values in
        let size = values[0]
        return .policy(Setting(key: key) { set(&$0, size) })
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

  /// The key with its word in one configuration, if another configuration has another word.
  func difference(of one: VMConfiguration, from other: VMConfiguration) -> String? {
    guard case .words(let words) = values else { return nil }
    func sets(_ change: Change, in configuration: VMConfiguration) -> Bool {
      var changed = configuration
      change(&changed)
      return changed == configuration
    }
    guard let own = words.first(where: { sets($0.change, in: one) }), !sets(own.change, in: other)
    else { return nil }
    return key + own.word
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

  /// All keys, in the order in which messages name them.
  static let all = [
    Policy(
      "revmap=",
      "How shadows are found when canonical pages are unmapped. "
        + ReverseMapVersion.allCases.map {
          "`\($0.name)`\($0 == .none ? " (default)" : ""): \($0.summary)."
        }.joined(separator: " ")
    ) { $0.reverseMap = $1 as ReverseMapVersion },
    Policy(
      "cpu-tlb=",
      """
      Whether what a CPU has cached outlives L2's next run, which `l2 exec` and `l2 tlbi` begin. `evicted` \
      (default): L1 ran in between, and the CPU has cached other things, as in the captures. `kept`: only a \
      TLBI, or another entry, removes it.
      """,
      ["evicted": { $0.keepsTLB = false }, "kept": { $0.keepsTLB = true }]),
    Policy(
      "iommu=",
      "The table that a device is given. `own` (default): one of its own, which the kernel fills. `shared`: the "
        + "table that CPUs use."
    ) { $0.iommu.table = $1 as IOMMUConfiguration.TableChoice },
    Policy(
      "iommu-stage=",
      """
      The stage of a table of a device's own. `1` (default): a context descriptor with an ASID, which Linux 7.3.4 \
      prefers where the SMMU has it. `2` (the default with `smmu-vmid`): a VMID in the stream table entry, as on SMMUs \
      without stage 1 and under nesting. What CPUs use is stage 2 in any case, and so are \
      devices' tables with `rmp-order`, `cca` and `pkvm`.
      """
    ) { $0.iommu.stage = $1 as IOMMUConfiguration.Stage },
    Policy(
      "iommu-tlbi=",
      """
      How the SMMU invalidates its TLB after a CPU's TLBI in a shared table. `forward` (default): a hook queues \
      the same command and a sync. `broadcast`: the SMMU takes part in broadcast TLB maintenance. `none`: it \
      does not invalidate.
      """
    ) { $0.iommu.forwarding = $1 as IOMMUConfiguration.Forwarding },
    Policy(
      "iommu-fault=",
      """
      What happens to DMA that finds no translation. `abort` (default): it is terminated. In a table that CPUs \
      use, `stall`: it waits until the fault is handled there; `pin`: it cannot happen, since all memory that \
      the device may reach is mapped in advance and stays mapped.
      """
    ) { $0.iommu.faults = $1 as IOMMUConfiguration.FaultHandling },
    Policy(
      "iommu-pin=",
      """
      Who pins guest memory for a device. `iommufd` (default) pins all of a range, up to 5461 runs of pages that \
      follow each other in memory, before it maps any. `vfio` (type 1) pins up to 512 pages at a time, and maps \
      each run before it pins more. `pause` stops `vfio` between these calls and before each run.
      """
    ) { $0.iommu.pinning = $1 as IOMMUConfiguration.PinningChoice },
    Policy(
      "iommu-walk=",
      "Whether the SMMU's walker sees the CPUs' caches. `coherent` (default): it does. `noncoherent`: it does not.",
      [
        "coherent": { $0.iommu.isCoherent = true }, "noncoherent": { $0.iommu.isCoherent = false },
      ]),
    Policy(
      "iommu-sync=",
      "Whether an unmap waits for its invalidations with CMD_SYNC (default `on`).",
      ["on": { $0.iommu.syncs = true }, "off": { $0.iommu.syncs = false }]),
    Policy(
      "smmu-vmid=",
      """
      The VMID under which the SMMU caches translations. `private`: one of its own allocator (Linux 7.3.4, the \
      default with `iommu=own`). `kvm`: the one that KVM gave the VM (the default with `iommu=shared`). \
      `pinned`: the same, pinned so that it stays through rollovers.
      """
    ) { $0.iommu.vmids = $1 as VMIDChoice },
    Policy(
      "sva-asid=",
      """
      The ASID under which the SMMU caches a process's translations. `private` (default): one of its own \
      allocator, as in Linux 7.3.4. `process`: the one that CPUs use for the process, as Linux had it before.
      """
    ) { $0.iommu.asids = $1 as ASIDChoice },
    Policy(
      "sva-aset=",
      """
      Whether that ASID is the SMMU's own (CD.ASET), so that a CPU's TLBI does not invalidate its entries. The \
      default is `on` with `sva-asid=private`, else `off`. Stage 2 has no such choice.
      """,
      ["on": { $0.iommu.asidSet = true }, "off": { $0.iommu.asidSet = false }]),
    Policy(
      "sva-notifier=",
      """
      Whether a change of the process's table is also queued as a command and a sync (default `on`). With the \
      process's own ASID and an SMMU that takes part in broadcasts, Linux once left it out.
      """,
      ["on": { $0.iommu.notifies = true }, "off": { $0.iommu.notifies = false }]),
    Policy(
      "rmp-order=",
      """
      The VM is a guest with AMD's RMP. When it shares a few pages of a 2M region, the RMP and the IOMMU's table \
      are both split to 4K, in this order. `iommu-first`: the IOMMU's table, its flush, PSMASH. `rmp-first`: \
      PSMASH first. `firmware` (default): one call of the firmware, which stalls DMA meanwhile.
      """
    ) { (configuration, order: RMPConfiguration.Order) in configuration.setRMP { $0.order = order }
    },
    Policy(
      "rmp-check=",
      """
      When the IOMMU checks the RMP. `walk` (default): when it walks. `access`: at every access, cached or not. \
      No posting says which it is, so this is inferred.
      """
    ) { (configuration, check: RMPConfiguration.Check) in configuration.setRMP { $0.check = check }
    },
    Policy(
      "cca=",
      "The VM is a realm (default `off`): the RMM owns its table, and its devices use the same table "
        + "(`iommu=shared`).",
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
      """
      The level of FEAT_BBM that the CPUs have (default 0). From 2 on a block may become a table without a \
      break. With 3 this raises no conflict abort; with 2 pKVM's host may get one before the TLBI \
      (`expect error efault`).
      """,
      [
        "0": { $0.iommu.cpuBreakLevel = 0 }, "1": { $0.iommu.cpuBreakLevel = 1 },
        "2": { $0.iommu.cpuBreakLevel = 2 }, "3": { $0.iommu.cpuBreakLevel = 3 },
      ]),
    Policy(
      "bbm-smmu=", "The level of break-before-make that the SMMU has, SMMU_IDR3.BBML (default 0).",
      [
        "0": { $0.iommu.smmuBreakLevel = 0 }, "1": { $0.iommu.smmuBreakLevel = 1 },
        "2": { $0.iommu.smmuBreakLevel = 2 },
      ]),
    Policy(
      "pkvm=",
      """
      Under pKVM (default `off`) there is no VM of the host, but a host that is itself under a stage 2, and \
      guests of the hypervisor. `v4` (2025-08-19) and `v5` are two postings of its SMMU driver. In v4 the flag \
      "snapshot done" has its sense inverted, and MMIO is mapped as device memory; v5 has neither.
      """,
      [
        "off": { $0.isolation = .none }, "v4": { $0.isolation = .pkvm(.v4) },
        "v5": { $0.isolation = .pkvm(.v5) },
      ]),
    Policy(
      "mmio-reserve=",
      """
      pKVM reserves tables for the host's stage 2 at boot: as many as all memory and SIZE bytes of MMIO (default \
      1G) can take by pages, and 16. When they run out, all MMIO is unmapped, and faults in again.
      """, pages: VMConfiguration.mmioReserveRange
    ) { $0.mmioReserve = $1 },
  ]
}

extension VMConfiguration {
  /// The differences from another configuration, in words: `revmap=v1, revmap=v2`.
  package func differences(from other: VMConfiguration) -> [String] {
    let policies = Policy.all.compactMap { policy -> String? in
      guard let own = policy.difference(of: self, from: other) else { return nil }
      return [own, policy.difference(of: other, from: self) ?? ""].joined(separator: ", ")
    }
    let rest = [
      ("ipa", "\(ipaBits)", "\(other.ipaBits)"), ("vcpus", "\(vcpus)", "\(other.vcpus)"),
      ("nested", nested ? "on" : "off", other.nested ? "on" : "off"),
    ]
    return policies + rest.filter { $0.1 != $0.2 }.map { "\($0.0)=\($0.1), \($0.0)=\($0.2)" }
  }

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
