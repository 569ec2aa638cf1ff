/// A fault on memory of a slot (`struct kvm_s2_fault_desc`).
struct MemoryFault {
  let kind: AccessKind
  let mmu: MMU
  /// CPU on which KVM handles it.
  let cpu: Int
  /// Page of the input address that faulted.
  let page: UInt64
  /// Its canonical IPA.
  let ipa: UInt64
  let slot: Memslot
  /// L1's leaf, in a shadow with stage 2 on.
  let guestLeaf: GuestTranslation?
  /// Bytes of the leaf that forbade the access, or nil for a translation fault.
  let permissionGranule: UInt64?
}

/// An allocation failed (-ENOMEM).
struct OutOfMemory: Error {}

/// `user_mem_abort`: find the host page, decide size and permissions, change the table.
extension Machine {
  private static let sizes: [UInt64] = [1 << 30, 2 << 20, Page.size]

  mutating func mapMemory(_ fault: MemoryFault) -> Attempt {
    if let attempt = handleByHook(fault) { return attempt }
    let hva = hva(of: fault.ipa, in: fault.slot)
    if isMapLocked {
      note(.fault(.mapLockHeld), .vmmStage1, at: hva)
      return .ended(.blocked)
    }
    guard let vma = vma(at: hva) else {
      note(.fault(.noVMA), .vmmStage1, at: hva)
      return .ended(.efault)
    }
    let logging = isLogging(fault.slot)
    let (vmaSize, limit) = mappingLimits(fault, hva, vma.flags, logging: logging)

    // Pin the page. That may need copy-on-write, hence a notifier, hence another attempt.
    let write = fault.kind == .write
    let host: HostEntry
    let hostLevel: Int
    switch hostFault(hva, write: write) {
    case .badAddress:
      note(.fault(.hostRefused), .vmmStage1, at: hva)
      return .ended(.efault)
    case .first(let tasks):
      note(.fault(.retryAfterNotifier), fault.mmu.tableID, at: fault.page)
      return .first(tasks)
    case .resolved(let entry, let level): (host, hostLevel) = (entry, level)
    }

    note(.fault(.locked(.read)))
    if self[.invalidateInProgress] != 0 {
      note(.fault(.retryInvalidation), fault.mmu.tableID, at: fault.page)
      note(.fault(.unlocked(.read)))
      return .again
    }

    // Use the host's huge pages where nothing forbids it (`transparent_hugepage_adjust`).
    var size = vmaSize
    if size == Page.size, limit != Page.size {
      if let granule = fault.permissionGranule, granule > Page.size {
        size = granule
      } else if fits(Self.hugeSize, hva, in: fault.slot),
        hostTable.geometry.size(hostLevel) >= Self.hugeSize
      {
        size = Self.hugeSize
      }
    }

    let physical =
      keptPage(at: fault.ipa) ?? host.address | hva & (hostTable.geometry.size(hostLevel) - 1)
    size = min(size, largestMapping(at: fault.ipa, of: physical.page))

    let writable =
      (write || host.has(HostEntry.write)) && (!logging || write)
    let permissions = permissions(for: fault, hostWritable: writable)
    let replaced: Descriptor?
    do {
      replaced = try install(fault, physical, size: size, permissions)
    } catch {
      note(.fault(.unlocked(.read)))
      note(.fault(.noMemory), fault.mmu.tableID, at: fault.page)
      return .ended(.enomem)
    }
    if replaced != nil {
      // The page was used: it is no longer idle (`mark_page_accessed`).
      clearIdle(hva)
      if permissions.write { markDirty(fault.ipa & ~(size - 1), in: fault.slot) }
    }
    note(.fault(.unlocked(.read)))
    return .again
  }

  /// The size that the VMA allows, and the largest that a huge page of the host may have
  /// (`kvm_s2_resolve_vma_size`).
  private mutating func mappingLimits(
    _ fault: MemoryFault, _ hva: UInt64, _ flags: VMAFlags, logging: Bool
  ) -> (size: UInt64, limit: UInt64) {
    var limit: UInt64 = logging ? Page.size : 1 << 30
    var size: UInt64 = flags.contains(.hugetlb) && !logging ? 1 << 30 : Page.size
    if size == 1 << 30, !fits(size, hva, in: fault.slot) {
      size = Self.hugeSize
      if !fits(size, hva, in: fault.slot) {
        size = Page.size
        limit = Page.size
      }
    }
    if let guestLeaf = fault.guestLeaf {
      // No larger than L1's leaf; between two host sizes, the smaller.
      limit = min(limit, guestLeaf.size)
      limit = Self.sizes.first { $0 <= limit } ?? Page.size
      size = min(size, limit)
    }
    let (chosen, largest) = (size, limit)
    note(
      .fault(.sizeChosen(limit: largest, guestLeaf: fault.guestLeaf?.size)), fault.mmu.tableID,
      at: fault.page, size: chosen)
    return (size, limit)
  }

  /// Whether a block of `size` around an address lies in the slot (`fault_supports_stage2_huge_mapping`).
  private func fits(_ size: UInt64, _ hva: UInt64, in slot: Memslot) -> Bool {
    let range = hostRange(of: slot)
    let start = hva & ~(size - 1)
    return self[slot, .ipa] & (size - 1) == range.lowerBound & (size - 1)
      && start >= range.lowerBound && start + size <= range.upperBound
  }

  /// Readable; writable if the host page is, unless clean pages are logged; executable, since the CPU's
  /// instruction caches are coherent. In a shadow, no more than L1's leaf permits.
  private func permissions(for fault: MemoryFault, hostWritable: Bool) -> Permissions {
    guard let guest = fault.guestLeaf?.descriptor.permissions else {
      return Permissions(read: true, write: hostWritable, executeNever: 0)
    }
    return Permissions(
      read: guest.read, write: hostWritable && guest.write, executeNever: guest.executeNever)
  }

  /// Changes the table: relaxes the leaf that forbade the access if the size is the same, else maps.
  private mutating func install(
    _ fault: MemoryFault, _ physical: UInt64, size: UInt64, _ permissions: Permissions
  ) throws(OutOfMemory) -> Descriptor? {
    let table = table(of: fault.mmu)
    if size == fault.permissionGranule {
      note(.table(.relax(permissions)), table.id, at: fault.page, size: size)
      return relax(permissions, at: fault.page, in: table, cpu: fault.cpu)
    }
    // Below 35 bits a table has no entries of 1 GiB; such a page is mapped in blocks of 2 MiB.
    let level = table.geometry.level(ofSize: size) ?? table.geometry.startLevel
    let leaf = Descriptor.leaf(
      at: physical & ~(size - 1), level: level, memAttr: Machine.normalMemory,
      permissions: permissions, guestLevel: fault.guestLeaf?.level ?? 0)
    if !fault.mmu.isCanonical {
      let canonical = fault.ipa & ~(size - 1)
      let mapping = ShadowMapping(
        mmu: fault.mmu, canonical: canonical..<canonical + size, nested: fault.page & ~(size - 1),
        hasGuestLeaf: fault.guestLeaf != nil)
      if !policy.record(mapping, in: &self) { throw OutOfMemory() }
    }
    note(
      .table(.map(leaf)), table.id, at: fault.page & ~(size - 1), size: size, level: level)
    var replaced: Descriptor?
    for offset in stride(from: 0, to: size, by: UInt64.Stride(table.geometry.size(level))) {
      replaced = map(
        Descriptor(leaf.bits + offset), at: fault.page & ~(size - 1) + offset, level: level,
        in: table)
      if replaced == nil { break }
    }
    return replaced
  }

  /// MemAttr of normal write-back memory with forced write-back (`MT_S2_FWB_NORMAL`).
  static let normalMemory: UInt64 = 6
}
