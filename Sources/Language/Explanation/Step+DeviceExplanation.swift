import Engine

extension Step {
  /// Steps of DMA, and of the tables and queues that the SMMU reads.
  var deviceExplanation: Explanation? {
    if action == .smmuReset {
      return Explanation(
        "SMMU", "the SMMU is set up: every stream's entry says abort",
        "No device reaches memory before a domain is attached to it.",
        .smmu("arm_smmu_init_initial_stes"))
    }
    if case .failed(let error) = action {
      return Explanation(
        error.name, "the call fails with \(error.name)" + (address == 0 ? "" : " at \(at)"),
        error.meaning, source(of: error))
    }
    guard case .iommu(let device) = table else { return nil }
    return dmaExplanation(device) ?? stallExplanation ?? domainExplanation ?? ioTableExplanation
  }

  private var at: String { Phrase.address(address) }

  private func source(of error: KernelError) -> Source {
    switch error {
    case .rmiInput, .rmiTable: .rmm("command return codes")
    default:
      if case .iommu = table { .ioTable("arm_lpae_map_pages") } else { .errors(error.name) }
    }
  }

  /// How many entries follow the one that is told.
  private var others: String { extra > 1 ? ", and \(extra - 1) more" : "" }

  private func dmaExplanation(_ device: Int) -> Explanation? {
    switch action {
    case .dma:
      return Explanation(
        "DMA", "\(Phrase.device(device)) \(value == 0 ? "reads" : "writes") IOVA \(at)",
        "The bus gives the transaction StreamID \(Phrase.address(extra)), by which the SMMU knows it.",
        .smmuArchitecture("3.3, stream table lookup"))
    case .streamEntry:
      let config =
        switch StreamEntry(words: [value, 0, extra, 0]).configuration {
        case .abort: "abort"
        case .bypass: "bypass"
        case .stage1: "stage 1 alone, \(Phrase.context(extra))"
        case .stage2: "stage 2, \(Phrase.context(extra))"
        case .invalid: "not valid"
        }
      return Explanation(
        "STE", "the stream table entry says: \(config)",
        TranslationContext(bits: extra).isStage1
          ? "It leads to the context descriptor: root of the process' table, ASID, ASET."
          : "It holds the stage-2 root, its shape, and the VMID under which translations are cached.",
        .smmu("arm_smmu_make_s2_domain_ste"))
    case .walk:
      return Explanation(
        "walk", "level \(level): \(Phrase.entry(value, level: level))",
        "The SMMU's TLB has nothing, so its walker reads one entry a level.",
        .smmuArchitecture("3.4, translation table walk"))
    case .iotlbHit:
      return Explanation(
        "IOTLB",
        "\(at) → PA \(Phrase.address(value)), cached at level \(level), "
          + Phrase.context(extra),
        "A cached translation is used without a look at the table, right or stale.",
        .smmuArchitecture("3.17, TLB tagging"))
    case .dmaTranslated:
      return Explanation(
        "translate",
        "\(at) → PA \(Phrase.address(value)), into the SMMU's TLB, "
          + Phrase.context(extra),
        "The leaf permits the access.", .smmuArchitecture("3.4, stage 2 translation"))
    case .dmaLoaded:
      return Explanation(
        "load", "8 bytes at PA \(Phrase.address(extra)): \(Phrase.address(value))",
        "The device gets the data.", .smmuArchitecture("3.4, stage 2 translation"))
    case .dmaStored:
      return Explanation(
        "store", "8 bytes to PA \(Phrase.address(extra))",
        "The device's data is in memory; no CPU took part.",
        .smmuArchitecture("3.4, stage 2 translation"))
    case .dmaFault where value == UInt64(DeviceFault.granule.rawValue):
      return Explanation(
        "fault",
        "granule protection fault at PA \(at): the \(extra == 0 ? "read" : "write") is terminated",
        "The granule protection table says what a device of the normal world may reach. No event is "
          + "recorded: root firmware finds the address in SMMU_ROOT_GPF_FAR.",
        .smmuArchitecture("granule protection checks"))
    case .dmaFault where value == UInt64(DeviceFault.rmp.rawValue):
      return Explanation(
        "fault",
        "\(faultName) at level \(max(0, level)); the \(extra == 0 ? "read" : "write") is terminated",
        "The RMP does not allow it: the page is not the device's, or its size is of another class. AMD's "
          + "IOMMU logs an event.",
        .amdIOMMU("amd_iommu_report_rmp_fault"))
    case .dmaFault:
      return Explanation(
        "fault",
        "\(faultName) at level \(max(0, level)); the \(extra == 0 ? "read" : "write") is terminated",
        "The SMMU records an event; most devices cannot wait for anybody to repair the table.",
        .smmu("arm_smmu_dump_event"))
    case .dmaWaits:
      return value != 0
        ? Explanation(
          "stalled", "the DMA at \(at) waits",
          "Firmware holds all DMA up until both tables are changed.", .seed("003"))
        : Explanation(
          "stalled", "the DMA at \(at) goes on waiting",
          "Nobody could handle its fault so far. Few devices bear that for long.",
          .smmuArchitecture("3.12, fault models"))
    case .dmaAborted:
      return Explanation(
        "abort", "the DMA at \(at) is terminated, and no event recorded",
        "No domain is attached: the stream's entry says abort.", .smmu("arm_smmu_make_abort_ste"))
    default: return nil
    }
  }

  private var faultName: String {
    DeviceFault(rawValue: UInt8(truncatingIfNeeded: value))?.name ?? "fault"
  }

  /// Steps of a DMA whose device can wait.
  private var stallExplanation: Explanation? {
    switch action {
    case .faultStalled:
      return Explanation(
        "stall", "\(faultName) for \(at) at level \(max(0, level)): the device waits",
        "STE.S2S is set, so the transaction is held until software says how it ends. Most devices cannot "
          + "wait, and a host that does not answer locks them up.",
        .smmuArchitecture("3.12, fault models"))
    case .faultResumed:
      let why =
        switch value {
        case 0: "EL2 takes no interrupts: the host had to tell it of the event."
        case 1:
          "KVM was told of the event and handled it as a fault of a vCPU, which Linux cannot do today."
        default: "The host handled it as a fault of the VMM's own."
        }
      return Explanation(
        "go on", "the fault at \(at) was handled: CMD_RESUME, retry", why,
        .smmuArchitecture("4.6, CMD_RESUME"))
    case .faultTerminated:
      return Explanation(
        "give up", "the fault at \(at) cannot be repaired: CMD_RESUME, abort",
        "Nothing that the device may reach belongs there.", .smmuArchitecture("4.6, CMD_RESUME"))
    default: return nil
    }
  }

  private var domainExplanation: Explanation? {
    switch action {
    case .streamAttached:
      return Explanation(
        "attach",
        "the stream's entry points to the table at \(Phrase.address(value)), VMID \(extra)",
        "From now on the device's DMA is translated by it.", .smmu("arm_smmu_attach_dev"))
    case .streamBlocked:
      return Explanation(
        "detach", "the stream's entry is set to abort",
        "The blocking domain: no DMA of the device reaches memory.",
        .smmu("arm_smmu_attach_dev_blocked"))
    case .streamBypassed:
      return Explanation(
        "bypass", "the stream's entry says bypass: input addresses are physical ones",
        "A device of the host's own, which is trusted with all of the host's memory. What else may stop it "
          + "is behind the SMMU.",
        .smmu("arm_smmu_attach_dev_identity"))
    case .bypassShadowed:
      return Explanation(
        "bypass", "the host asks for bypass, and EL2 gives it the identity map",
        "To the host that is the same. But what it has given away is not in the map.",
        .shadowing("every stream is given the map"))
    case .iommuMapCall:
      return Explanation(
        "map call", "\(extra) × \(Phrase.size(size)) at IOVA \(at) → PA \(Phrase.address(value))",
        "The largest size that both addresses are aligned to and that fits what is left.",
        .iommu("iommu_pgsize"))
    case .pagePinned:
      return Explanation(
        "pin page", "\(Phrase.size(size)) at canonical IPA \(at): PA \(Phrase.address(value))",
        "The page is made writable and kept where it is: the device cannot take a fault.",
        .memory("gup.c", "pin_user_pages_remote"))
    case .pagesUnpinned:
      return Explanation(
        "unpin page", "\(value) page\(value == 1 ? "" : "s") from \(at) on may move again",
        "Only after the sync: until then a DMA might still have reached them.",
        .memory("gup.c", "unpin_user_pages_dirty_lock"))
    case .iommuUnmapCall:
      return Explanation(
        "unmap call", "\(extra) × \(Phrase.size(size)) at IOVA \(at)",
        "Sizes follow from the range alone: the caller does not know how it was mapped.",
        .iommu("__iommu_unmap"))
    case .unmapStopped:
      return Explanation(
        "stopped", "\(Phrase.size(value)) unmapped, \(Phrase.size(size)) left from \(at) on",
        "The unmap ends at the first place where nothing could be removed.",
        .iommu("__iommu_unmap"))
    case .iotlbCommand:
      return Explanation(
        "TLBI", "command: forget \(Phrase.context(value)), \(Phrase.span(self))",
        "It waits in the queue; until a sync the SMMU may go on using what it has cached.",
        .smmu("arm_smmu_iotlb_sync"))
    case .iotlbSync:
      return Explanation(
        "sync", "wait until \(value) command\(value == 1 ? " is" : "s are") done",
        "Only now is it certain that no DMA uses the old translation.",
        .smmu("arm_smmu_cmdq_issue_cmdlist"))
    default: return nil
    }
  }

  private var ioTableExplanation: Explanation? {
    switch action {
    case .allocateTable:
      return Explanation(
        "allocate", "a page for a table of level \(level) entries",
        "The table is made when the first leaf below it is mapped.", .ioTable("__arm_lpae_map"))
    case .makeTable:
      return Explanation(
        "make", "level \(level) at \(at): \(Phrase.entry(value, level: level))",
        "An empty entry gets a table: the hardware never saw anything else there.",
        .ioTable("arm_lpae_install_table"))
    case .makeLeaf:
      return Explanation(
        "make", "level \(level) at \(at): \(Phrase.entry(value, level: level))\(others)",
        "The entry was empty: a leaf is never changed into another, so nothing need be invalidated.",
        .ioTable("arm_lpae_init_pte"))
    case .clearLeaf:
      return Explanation(
        "unmap", "level \(level) at \(at): \(Phrase.entry(value, level: level))\(others) → empty",
        "The table has forgotten it; the SMMU's TLB may not have.", .ioTable("__arm_lpae_unmap"))
    case .clearTable:
      return Explanation(
        "unmap", "level \(level) at \(at): the table and all below it go",
        "The whole span of the entry is unmapped at once.", .ioTable("__arm_lpae_unmap"))
    case .freeTable:
      return Explanation(
        "free", "the table page at PA \(Phrase.address(value))",
        "The walks that could reach it were invalidated first.",
        .ioTable("__arm_lpae_free_pgtable"))
    case .partialUnmap:
      return Explanation(
        "refused", "level \(level) at \(at) is a \(Phrase.entry(value, level: level))",
        "Unmapping a part of a large leaf is not allowed: there is no split, and nothing is done.",
        .ioTable("__arm_lpae_unmap"))
    case .cleanEntry:
      return Explanation(
        "clean", "\(extra) entr\(extra == 1 ? "y" : "ies") from PA \(Phrase.address(value)) on",
        "The SMMU's walker does not look into the CPUs' caches.", .ioTable("__arm_lpae_sync_pte"))
    default: return nil
    }
  }
}

extension KernelError {
  /// What the error says, as a sentence.
  var meaning: String {
    switch self {
    case .eperm: "The page is not in a state that allows it."
    case .enoent: "Nothing is mapped there."
    case .e2big: "The leaf is larger than a page."
    case .eagain: "Something is under way there: it must be tried again."
    case .enomem: "No page for a table is left."
    case .efault: "The address cannot be reached."
    case .ebusy: "It is in use."
    case .eexist: "Something is mapped there already, and must be unmapped first."
    case .einval:
      "An address or a size is not aligned, or what is there is not of the kind that is asked for."
    case .enospc: "No number is free."
    case .erange: "An address is outside what the table can translate."
    case .ehwpoison: "The host took the page back by force."
    case .rmiInput: "The RMM checks first: the granule is not in a state that allows it."
    case .rmiTable: "The realm's table is not as the call needs it there; nothing is changed."
    }
  }
}

extension DeviceOutcome {
  /// The outcome in words, to follow "the DMA".
  public var description: String {
    switch self {
    case .cached(let physical, let level):
      "reached PA 0x\(hex(physical)) by an entry of the SMMU's TLB, level \(level)"
    case .walked(let physical, let level): "reached PA 0x\(hex(physical)) by a walk, level \(level)"
    case .bypassed(let physical): "reached PA 0x\(hex(physical)) untranslated"
    case .fault(let fault, let level): "ended in \(fault.name), level \(level)"
    case .aborted: "was terminated without an event"
    case .stalled: "is held up"
    }
  }
}

extension IOMMUOperation {
  func sentence(of device: Int) -> String {
    let name = Phrase.device(device)
    switch self {
    case .attach: return "\(name) is attached to its domain."
    case .shareAddresses: return "\(name) is bound to the VMM's address space (SVA)."
    case .detach: return "\(name) is detached: all of its DMA is refused."
    case .bypass: return "\(name) is the host's own, and its DMA not translated."
    case .free: return "The domain of \(name) is freed."
    case .pin(let range):
      return "The VMM pins \(Phrase.size(range.upperBound - range.lowerBound)) at canonical IPA "
        + "\(Phrase.address(range.lowerBound)) and maps it for \(name)."
    case .map(let range, let physical, let write):
      return "The kernel maps \(Self.span(range)) of \(name) to PA \(Phrase.address(physical)), "
        + (write ? "read-write." : "read-only.")
    case .clean(let range):
      return "The kernel cleans the entries for \(Self.span(range)) of \(name) to memory."
    case .unmap(let range): return "The kernel unmaps \(Self.span(range)) of \(name)."
    }
  }

  private static func span(_ range: Range<UInt64>) -> String {
    "\(Phrase.size(range.upperBound - range.lowerBound)) at IOVA \(Phrase.address(range.lowerBound))"
  }
}

extension Phrase {
  /// Under what translations are cached.
  package static func context(_ bits: UInt64) -> String {
    let context = TranslationContext(bits: bits)
    if !context.isStage1 { return "VMID \(context.number)" }
    return "ASID \(context.number), \(context.isPrivate ? "ASET" : "no ASET")"
  }

  static func device(_ number: Int) -> String { number == 0 ? "the device" : "device \(number)" }
}
