/// A function of the kernel that a kprobe saw called, with the arguments that the probe fetched.
package struct KernelCall: Equatable, Sendable {
  /// Functions that pagewalk's recorder sets probes on.
  package enum Function: UInt8, CaseIterable, Sendable {
    case initTable, map, relax, unmapRange, writeProtectRange, split, testClearYoung
    case notifierUnmap, notifierAge, commitMemslot, flushMemslot
    case walkNested, injectFault, tlbiAddress, tlbiRange, nestedUnmap, nestedWriteProtect
    case unmapCanonical, recordReverseMap, forgetReverseMap, resetReverseMap
    case protectedMap, protectedUnmap, iommuMap, iommuUnmap
    /// A function that is known by the probe's name only, and says nothing to pagewalk.
    case other

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

  /// Arguments by what they are, however the probe names them.
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

    /// No argument is known.
    package init() {}
  }

  /// What was called.
  package var function: Function
  /// Whether it is the function's return.
  package var isReturn: Bool
  /// What it was called with.
  package var arguments: Arguments

  /// A call of a function.
  package init(_ function: Function, isReturn: Bool = false, _ arguments: Arguments = Arguments()) {
    self.function = function
    self.isReturn = isReturn
    self.arguments = arguments
  }

  /// Reads `(symbol+0xo/0xl) key=value ...`, or `(caller+0xo/0xl <- symbol) key=value ...`, or nothing but
  /// keys and values; nil if the text is neither.
  ///
  /// - Parameter probe: the name of the probe, which counts where no symbol is given.
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
    let named = symbol.flatMap { Self.function($0, \.symbol) }
    guard let function = named ?? Self.function(probe, \.probe) ?? Self.returned(probe, &isReturn)
    else {
      self.init(.other, isReturn: isReturn)
      return
    }
    var arguments = Arguments()
    var pages: UInt64 = 1
    while true {
      var word = rest.takeWord()
      if word.isEmpty { break }
      let key = word.take(while: Words.isName)
      guard word.take("="), let value = word.number ?? word.unprefixedHex else { continue }
      if key == "pgcount" { pages = value } else { arguments.set(key, value) }
    }
    if let size = arguments.size {
      let (product, overflow) = size.multipliedReportingOverflow(by: pages)
      if overflow { return nil }
      arguments.size = product
    }
    self.init(function, isReturn: isReturn, arguments)
  }

  private static func function(
    _ name: Words, _ which: KeyPath<(symbol: StaticString, probe: StaticString), StaticString>
  ) -> Function? {
    guard !name.isEmpty else { return nil }
    return Function.allCases.first { name == $0.names[keyPath: which] }
  }

  /// A probe on a function's return has its name with `_ret` behind.
  private static func returned(_ probe: Words, _ isReturn: inout Bool) -> Function? {
    guard probe.count > 4, probe.dropFirst(probe.count - 4) == "_ret" else { return nil }
    isReturn = true
    return function(probe.prefix(probe.count - 4), \.probe)
  }
}

extension KernelCall.Arguments {
  fileprivate mutating func set(_ key: Words, _ value: UInt64) {
    if key == "pgt" || key == "ops" {
      table = value
    } else if key == "mmu" {
      context = value
    } else if key == "kvm" {
      vm = value
    } else if key == "addr" || key == "start" || key == "iova" || key == "nipa" {
      address = value
    } else if key == "start_gfn" {
      address = value &<< 12
    } else if key == "end_gfn" {
      end = value &<< 12
    } else if key == "end" {
      end = value
    } else if key == "size" || key == "pgsize" {
      size = value
    } else if key == "phys" || key == "paddr" {
      physical = value
    } else if key == "ipa" {
      canonical = value
    } else if key == "prot" {
      protection = value
    } else if key == "val" || key == "esr" || key == "ret" || key == "mkold" {
      self.value = value
    }
  }
}

extension Words {
  /// A number that `%lx` printed.
  fileprivate var unprefixedHex: UInt64? {
    var rest = self
    guard let value = rest.takeHex(), rest.isEmpty else { return nil }
    return value
  }
}
