/// A function of the kernel that a kprobe saw called, with the arguments that the probe fetched.
package struct KernelCall: Equatable, Sendable {
  /// Functions on which pagewalk's recorder sets probes.
  package enum Function: UInt8, CaseIterable, Sendable {
    case initTable, map, relax, unmapRange, writeProtectRange, split, testClearYoung
    case notifierUnmap, notifierAge, commitMemslot, flushMemslot
    case walkNested, injectFault, tlbiAddress, tlbiRange, nestedUnmap, nestedWriteProtect
    case unmapCanonical, recordReverseMap, forgetReverseMap, resetReverseMap
    case protectedMap, protectedUnmap, iommuMap, iommuUnmap
    /// A function known only by the probe's name, and irrelevant to pagewalk.
    case other

    /// All that a probe may have the name of.
    static let named = allCases.filter { $0 != .other }

    /// The kernel's symbol, and the name that the recorder gives the probe.
    package var names: (symbol: StaticString, probe: StaticString) {
      switch self {
      case .initTable: ("__kvm_pgtable_stage2_init", "s2_init")
      case .map: ("kvm_pgtable_stage2_map", "s2_map")
      case .relax: ("kvm_pgtable_stage2_relax_perms", "s2_relax")
      case .unmapRange: ("kvm_stage2_unmap_range", "s2_unmap_range")
      case .writeProtectRange: ("kvm_stage2_wp_range", "s2_wp_range")
      case .split: ("kvm_pgtable_stage2_split", "s2_split")
      case .testClearYoung: ("kvm_pgtable_stage2_test_clear_young", "s2_test_clear_young")
      case .notifierUnmap: ("kvm_unmap_gfn_range", "mmu_notifier_unmap_gfn")
      case .notifierAge: ("kvm_age_gfn", "age_gfn")
      case .commitMemslot: ("kvm_arch_commit_memory_region", "commit_memslot")
      case .flushMemslot: ("kvm_arch_flush_shadow_memslot", "flush_memslot")
      case .walkNested: ("kvm_walk_nested_s2", "walk_nested")
      case .injectFault: ("kvm_inject_s2_fault", "inject_s2_fault")
      case .tlbiAddress: ("s2_mmu_unmap_ipa", "tlbi_ipa")
      case .tlbiRange: ("s2_mmu_unmap_range", "tlbi_range")
      case .nestedUnmap: ("kvm_nested_s2_unmap", "nested_unmap_all")
      case .nestedWriteProtect: ("kvm_nested_s2_wp", "nested_wp_all")
      case .unmapCanonical: ("kvm_nested_s2_unmap_canonical", "unmap_canonical")
      case .recordReverseMap: ("kvm_record_nested_revmap", "record_revmap")
      case .forgetReverseMap: ("kvm_nested_revmap_forget", "revmap_forget")
      case .resetReverseMap: ("kvm_nested_revmap_reset", "revmap_reset")
      case .protectedMap: ("pkvm_pgtable_stage2_map", "pkvm_map")
      case .protectedUnmap: ("pkvm_pgtable_stage2_unmap", "pkvm_unmap")
      case .iommuMap: ("arm_lpae_map_pages", "arm_lpae_map_pages")
      case .iommuUnmap: ("arm_lpae_unmap_pages", "arm_lpae_unmap_pages")
      case .other: ("", "")
      }
    }

    /// What the call does, in a few words.
    package var phrase: String {
      switch self {
      case .initTable: "a table is made"
      case .map: "a leaf is mapped"
      case .relax: "permissions are relaxed"
      case .unmapRange: "a range is unmapped"
      case .writeProtectRange: "a range is write-protected"
      case .split: "blocks are split"
      case .testClearYoung: "access flags are read and cleared"
      case .notifierUnmap: "the notifier takes pages"
      case .notifierAge: "the notifier ages pages"
      case .commitMemslot: "a memory slot is committed"
      case .flushMemslot: "a memory slot is flushed"
      case .walkNested: "L1's table is walked"
      case .injectFault: "L1 is given a fault"
      case .tlbiAddress: "L1 invalidates an address"
      case .tlbiRange: "L1 invalidates a range"
      case .nestedUnmap: "all shadows are emptied"
      case .nestedWriteProtect: "all shadows are write-protected"
      case .unmapCanonical: "canonical pages are taken from the shadows"
      case .recordReverseMap: "a reverse map records a range"
      case .forgetReverseMap: "a reverse map forgets a range"
      case .resetReverseMap: "a reverse map is reset"
      case .protectedMap: "a guest's page is mapped by pKVM"
      case .protectedUnmap: "a guest's page is unmapped by pKVM"
      case .iommuMap: "the IOMMU maps"
      case .iommuUnmap: "the IOMMU unmaps"
      case .other: "a call"
      }
    }
  }

  /// Arguments by meaning, under any name in the probe.
  package struct Arguments: Equatable, Sendable {
    /// `pgt` or `ops`: the page table.
    package var table: UInt64?
    /// `mmu`: the context.
    package var context: UInt64?
    /// `kvm`: the VM.
    package var vm: UInt64?
    /// `addr`, `start`, `iova`, `nipa` or `start_gfn`, in bytes.
    package var address: UInt64?
    /// `end` or `end_gfn`, in bytes.
    package var end: UInt64?
    /// `size`, or `pgsize` times `pgcount`.
    package var size: UInt64?
    /// `phys` or `paddr`.
    package var physical: UInt64?
    /// `ipa`.
    package var canonical: UInt64?
    /// `prot`.
    package var protection: UInt64?
    /// `val`, `esr`, `ret` or `mkold`.
    package var value: UInt64?

    /// No arguments.
    package init() {}
  }

  /// The function called.
  package var function: Function
  /// Whether this is the function's return.
  package var isReturn: Bool
  /// The arguments.
  package var arguments: Arguments

  /// A call of a function.
  package init(_ function: Function, isReturn: Bool = false, _ arguments: Arguments = Arguments()) {
    self.function = function
    self.isReturn = isReturn
    self.arguments = arguments
  }

  /// Reads `(symbol+0xo/0xl) key=value ...`, or `(caller+0xo/0xl <- symbol) key=value ...`, or only
  /// keys and values; nil if the text is neither.
  ///
  /// - Parameter probe: the name of the probe, used if there is no symbol.
  init?(_ text: Words, probe: Words) {
    var rest = text
    var symbol: Words?
    var isReturn = false
    if rest.take("(") {
      symbol = rest.take(while: Words.isName)
      guard let close = rest.after(")") else { return nil }
      if let arrow = rest.prefix(rest.count - close.count).after("<- ") {
        var callee = arrow
        symbol = callee.take(while: Words.isName)
        isReturn = true
      }
      rest = close
    }
    let named = symbol.flatMap { Self.symbols[$0] }
    guard let function = named ?? Self.probes[probe] ?? Self.returned(probe, &isReturn)
    else {
      self.init(.other, isReturn: isReturn)
      return
    }
    var arguments = Arguments()
    var pages: UInt64 = 1
    while true {
      rest.skipBlanks()
      if rest.isEmpty { break }
      let key = rest.take(while: Words.isName)
      guard rest.take("="), let value = rest.takeValue() else {
        _ = rest.take { !Words.isBlank($0) }
        continue
      }
      switch Self.keys[key] {
      case .table: arguments.table = value
      case .context: arguments.context = value
      case .vm: arguments.vm = value
      case .address: arguments.address = value
      case .startPage: arguments.address = value &<< 12
      case .end: arguments.end = value
      case .endPage: arguments.end = value &<< 12
      case .size: arguments.size = value
      case .pages: pages = value
      case .physical: arguments.physical = value
      case .canonical: arguments.canonical = value
      case .protection: arguments.protection = value
      case .value: arguments.value = value
      case nil: break
      }
    }
    if let size = arguments.size {
      let (product, overflow) = size.multipliedReportingOverflow(by: pages)
      if overflow { return nil }
      arguments.size = product
    }
    self.init(function, isReturn: isReturn, arguments)
  }

  /// What probes name arguments.
  private enum Key {
    case table, context, vm, address, startPage, end, endPage, size, pages, physical, canonical
    case protection, value
  }

  private static let keys = NameTable<Key>([
    ("pgt", .table), ("ops", .table), ("mmu", .context), ("kvm", .vm), ("addr", .address),
    ("start", .address), ("iova", .address), ("nipa", .address), ("start_gfn", .startPage),
    ("end", .end), ("end_gfn", .endPage), ("size", .size), ("pgsize", .size), ("pgcount", .pages),
    ("phys", .physical), ("paddr", .physical), ("ipa", .canonical), ("prot", .protection),
    ("val", .value), ("esr", .value), ("ret", .value), ("mkold", .value),
  ])
  private static let symbols = NameTable(Function.named.map { ($0.names.symbol, $0) })
  private static let probes = NameTable(Function.named.map { ($0.names.probe, $0) })

  /// A probe on a function's return has its name with `_ret` behind.
  private static func returned(_ probe: Words, _ isReturn: inout Bool) -> Function? {
    guard probe.count > 4, probe.dropFirst(probe.count - 4) == "_ret" else { return nil }
    isReturn = true
    return probes[probe.prefix(probe.count - 4)]
  }
}

extension Words {
  /// Takes a number that ends with a word, as C prints it, or as `%lx` does; nil, and nothing taken, if the word
  /// is none.
  fileprivate mutating func takeValue() -> UInt64? {
    var rest = self
    if let value = rest.takeNumber(), rest.first.map(Self.isBlank) ?? true {
      self = rest
      return value
    }
    rest = self
    guard let value = rest.takeHex(), rest.first.map(Self.isBlank) ?? true else { return nil }
    self = rest
    return value
  }
}
