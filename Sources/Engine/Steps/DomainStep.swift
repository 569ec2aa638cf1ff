/// A device's domain: its stream table entry, and the calls that map, unmap and pin. Addresses are IOVAs.
package enum DomainStep: StepFamily {
  /// The SMMU's records are created: every stream table entry says abort.
  case reset
  /// The stream table entry points to a stage-2 table with a VMID, or through a context descriptor to a
  /// stage-1 table with an ASID.
  case attached(root: UInt64, TranslationContext)
  /// The device joins the domain of another of the VM's devices, by its number.
  case joined(Int)
  /// The stream table entry points to a context descriptor of the VMM's table.
  case bound(root: UInt64, TranslationContext)
  /// The context descriptor is cleared.
  case unbound(TranslationContext)
  /// The stream table entry is set to abort.
  case blocked
  /// The entry is set to bypass; or under pKVM the host asked for bypass, and gets the identity map.
  case bypassed
  case bypassShadowed
  /// One call of `map_pages`: `count` leaves of the step's size, to a physical address.
  case mapCall(physical: UInt64, count: UInt64)
  /// One call of `unmap_pages`: `count` leaves of the step's size.
  case unmapCall(count: UInt64)
  /// A leaf is larger than the range to unmap. Nothing is done.
  case partialUnmap(Descriptor)
  /// The unmap stops early: `done` bytes are unmapped, the step's size is not.
  case unmapStopped(done: UInt64)
  /// Only a part of an area is to be unmapped, which was pinned as a whole.
  case areaCut(Range<UInt64>, by: IOMMUConfiguration.PinningChoice)
  /// An unmap of a range that is not made of whole pages. Nothing is done.
  case unmapUnaligned
  /// A host page is pinned, at a physical address; the address is a canonical IPA.
  case pagePinned(UInt64, by: IOMMUConfiguration.PinningChoice)
  /// Host pages are unpinned: their number, and whether the SMMU still has a translation to one cached.
  case pagesUnpinned(Int, areCached: Bool)
  /// The root of a domain's table is allocated, whose entries have the step's level.
  case rootAllocated(isStage1: Bool, pages: Int)
  /// A device of another VM is attached or detached, with a VMID.
  case otherAttached(vm: UInt64, vmid: UInt16)
  case otherDetached(vm: UInt64, vmid: UInt16)

  package var facts: Step.Facts {
    switch self {
    case .reset, .attached, .joined, .blocked, .bypassed, .bypassShadowed:
      Step.Facts(.setting, .deviceAccess, .none)
    case .bound, .unbound: Step.Facts(.setting, .sharedAddresses, .none)
    case .mapCall, .unmapCall: Step.Facts(.plan, .ioTable)
    case .partialUnmap, .unmapStopped, .unmapUnaligned: Step.Facts(.refusal, .ioTable)
    case .areaCut: Step.Facts(.refusal, .pagePinning, weight: 4)
    case .pagePinned, .pagesUnpinned: Step.Facts(.pinning, .pagePinning)
    case .rootAllocated: Step.Facts(.tableAllocated, .ioTable)
    case .otherAttached, .otherDetached: Step.Facts(.setting, .domainVMID, .none)
    }
  }

  private static let pkvmDriver = Source.shadowing("smmu_host_stage2_idmap")

  /// Who allocates a root.
  private static func allocation(by keeper: TableKind.Keeper?, isStage1: Bool) -> Source {
    switch keeper {
    case .pkvmDriver: pkvmDriver
    case .amdDriver: .iommuGeneric("pt_iommu_init")
    case .kvm, .amdKVM, .pkvm, .guestHypervisor, .hostMemory, .iommu, .realmManager, nil:
      .ioTable("arm_64_lpae_alloc_pgtable_s\(isStage1 ? 1 : 2)")
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .reset:
      Explanation(
        "SMMU", "the SMMU is set up: every stream's entry says abort",
        "No device reaches memory before a domain is attached to it.",
        .smmu("arm_smmu_init_initial_stes"))
    case .attached(let root, let context) where context.isStage1:
      Explanation(
        "attach",
        "the stream's context descriptor points to the table at \(Phrase.address(root)), "
          + Phrase.context(context),
        "From now on it translates the device's DMA: stage 1 alone, which Linux prefers where the SMMU has "
          + "it.",
        .smmu("arm_smmu_make_s1_cd"))
    case .attached(let root, let context):
      Explanation(
        "attach",
        "the stream's entry points to the table at \(Phrase.address(root)), \(Phrase.context(context))",
        "From now on it translates the device's DMA.", .smmu("arm_smmu_attach_dev"))
    case .joined(let device):
      Explanation(
        "join", "\(Phrase.device(of: step)) joins the domain of \(Phrase.device(device))",
        "A VM's devices see the same memory, so VFIO and iommufd give them one table, which is filled once.",
        .smmu("arm_smmu_attach_dev"))
    case .bound(let root, let context):
      Explanation(
        "bind",
        "the stream's context points to the VMM's table at \(Phrase.address(root)), "
          + Phrase.context(context),
        context.isPrivate
          ? "Stage 1 alone: IOVAs are the VMM's addresses. With ASET, broadcast TLBIs do not "
            + "invalidate its entries; stage 2 has no such bit."
          : "Stage 1 alone: IOVAs are the VMM's addresses. Without ASET a CPU's TLBI by this ASID also "
            + "invalidates its entries.",
        .sva("arm_smmu_make_sva_cd"))
    case .unbound(let context):
      Explanation(
        "unbind", "the context descriptor is cleared: \(Phrase.context(context))",
        "Nothing is cached under the ASID since its last device was detached. Linux clears it first, then invalidates "
          + "the ASID, and sets the stream to abort last; here the stream is set to abort at the detach.",
        .smmu("arm_smmu_blocking_set_dev_pasid"))
    case .blocked:
      Explanation(
        "detach", "the stream's entry is set to abort",
        "The blocking domain: no DMA of the device reaches memory.",
        .smmu("arm_smmu_attach_dev_blocked"))
    case .bypassed:
      Explanation(
        "bypass", "the stream's entry says bypass: input addresses are physical ones",
        "A device of the host's own, which is trusted with all of the host's memory. Checks behind the SMMU "
          + "still apply.",
        .smmu("arm_smmu_attach_dev_identity"))
    case .bypassShadowed:
      Explanation(
        "bypass", "the host asks for bypass, and EL2 gives it the identity map",
        "To the host it looks the same, but what it has donated is not in the map.",
        .shadowing("every stream is given the map"))
    case .mapCall(let physical, let count):
      Explanation(
        "map call",
        "\(count) × \(Phrase.size(step.size)) at IOVA \(step.at) → PA \(Phrase.address(physical))",
        "The largest size that both addresses are aligned to and that fits into the rest.",
        step.keeper == .pkvmDriver ? Self.pkvmDriver : .iommu("iommu_pgsize"))
    case .unmapCall(let count):
      Explanation(
        "unmap call", "\(count) × \(Phrase.size(step.size)) at IOVA \(step.at)",
        "The sizes follow from the range alone: the caller does not know how it was mapped.",
        step.keeper == .pkvmDriver ? Self.pkvmDriver : .iommu("__iommu_unmap_domain_pgtbl"))
    case .partialUnmap(let leaf):
      Explanation(
        "refused",
        "level \(step.level) at \(step.at) is a \(Phrase.entry(leaf, level: step.level))",
        "A part of a large leaf cannot be unmapped: leaves are not split, so nothing is done.",
        .ioTable("__arm_lpae_unmap"))
    case .unmapStopped(let done):
      Explanation(
        "stopped",
        "\(Phrase.size(done)) unmapped, \(Phrase.size(step.size)) left from \(step.at) on",
        "iommu_unmap ends at the first place where nothing could be removed. It has no error: it returns the "
          + "\(done) bytes, and its callers compare.",
        .iommu("__iommu_unmap_domain_pgtbl"))
    case .unmapUnaligned:
      Explanation(
        "refused", "\(step.span) is not made of whole pages",
        "The kernel logs the range as unaligned and returns 0 bytes: iommu_unmap has no error.",
        .iommu("__iommu_unmap_domain_pgtbl"))
    case .areaCut(let area, let choice):
      Explanation(
        "part",
        "\(step.span) is a part of \(Phrase.address(area.lowerBound))+\(Phrase.size(area.size)), which was "
          + "pinned as a whole",
        choice == .vfio
          ? "Type 1 unmaps nothing if the range ends inside an area, and returns EINVAL."
          : "iommufd unmaps whole areas only. It returns ENOENT here; areas that came before are unmapped.",
        choice == .vfio ? .vfio("vfio_dma_do_unmap") : .iommufd("iopt_unmap_iova_range"))
    case .pagePinned(let page, let choice):
      Explanation(
        "pin page",
        "\(Phrase.size(step.size)) at canonical IPA \(step.at): PA \(Phrase.address(page))",
        "The page is made writable and cannot move: the device cannot take a fault.",
        .memory(
          "gup.c", choice == .vfio ? "pin_user_pages_remote" : "pin_user_pages_fast"))
    case .pagesUnpinned(let count, let areCached):
      Explanation(
        "unpin page",
        "\(Phrase.count(UInt64(count), "page", "pages")) from \(step.at) on may move again",
        areCached
          ? "No entry of the device's table leads to them, but the SMMU has cached one that did: its DMA can "
            + "reach a page that is another's by then."
          : "No entry of the device's table leads to them, and the SMMU has cached none.",
        .memory("gup.c", "unpin_user_page_range_dirty_lock"))
    case .rootAllocated(let isStage1, _):
      Explanation(
        "allocate", "the root of the domain's table, with entries of level \(step.level)",
        "A domain has a root from the start. All below it is made when the first leaf there is mapped.",
        Self.allocation(by: step.keeper, isStage1: isStage1))
    case .otherAttached(let number, let vmid):
      Explanation(
        "attach", "a device of VM \(number) is attached, with VMID \(vmid)",
        "Its domain takes a VMID in the SMMU.", .smmu("arm_smmu_attach_dev"))
    case .otherDetached(let number, let vmid):
      Explanation(
        "detach", "the device of VM \(number) is detached; VMID \(vmid) is given back",
        "Another domain may take the VMID.", .smmu("arm_smmu_domain_free_paging"))
    }
  }
}
