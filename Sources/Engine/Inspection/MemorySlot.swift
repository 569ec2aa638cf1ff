/// A memory slot, for readers.
public struct MemorySlot: Equatable, Sendable {
  /// Number that user space gave it.
  public let id: UInt64
  /// Its canonical IPAs.
  public let range: Range<UInt64>
  /// What it is made of.
  public let backing: Backing
  /// Its address in the VMM.
  public let hva: UInt64
  /// Whether its dirty pages are logged.
  public let isLogged: Bool
}

/// A page of the host behind a canonical IPA.
public struct HostPage: Equatable, Sendable {
  /// Physical address of the IPA.
  public let physical: UInt64
  /// Bytes of the host's page that holds it.
  public let size: UInt64
  /// Whether the VMM may write to it as now mapped.
  public let isWritable: Bool
  /// Whether it is the zero page, of either size.
  public let isZero: Bool
  /// Whether it is shared by KSM.
  public let isMerged: Bool
}

extension Machine {
  /// All memory slots, by ascending IPA.
  public var memorySlots: [MemorySlot] {
    memslots.map {
      MemorySlot(
        id: self[$0, .id], range: range(of: $0),
        backing: .decoded(UInt8(truncatingIfNeeded: self[$0, .backing])),
        hva: self[$0, .hva], isLogged: isLogging($0))
    }
  }

  /// The end of the host pages that were ever used.
  public var hostPagesEnd: UInt64 { self[.nextPage] }

  /// The canonical IPA behind an address of the VMM, or nil.
  public func canonicalAddress(ofHost hva: UInt64) -> UInt64? {
    memslots.first { hostRange(of: $0).contains(hva) }
      .map { self[$0, .ipa] + (hva - self[$0, .hva]) }
  }

  /// The host's page behind a canonical IPA, or nil if there is none yet.
  public func hostPage(at ipa: UInt64) -> HostPage? {
    memslot(at: ipa).flatMap { hostPage(behind: hva(of: ipa, in: $0)) }
  }

  /// The VMM's page that holds a physical address, wherever it has it. O(n) in the VMM's pages.
  public func hostPage(holding physical: UInt64) -> HostPage? {
    HostPages(of: self).page(at: physical).flatMap {
      hostPage(behind: $0.hva + (physical - $0.range.lowerBound))
    }
  }

  private func hostPage(behind hva: UInt64) -> HostPage? {
    let (entry, level, _) = hostWalk(hva)
    guard entry.has(Descriptor.valid) else { return nil }
    let size = hostTable.geometry.size(level)
    return HostPage(
      physical: entry.address | hva & (size - 1), size: size,
      isWritable: entry.has(HostEntry.write), isZero: entry.has(HostEntry.zero),
      isMerged: entry.has(HostEntry.merged))
  }
}
