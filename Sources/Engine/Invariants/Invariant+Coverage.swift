/// The state that L1's invalidation, or a shadow's new context, must leave behind. The event of an
/// invalidation stores the words about it, which identifies it as one.
extension Machine {
  /// Bits of `coveredShadows`: a virtual VMID, or the shadows of all VMIDs; above them the number of the
  /// invalidation.
  private enum Coverage {
    static let vmidMask: UInt64 = 0xffff
    static let all: UInt64 = 1 << 16
    static let count: UInt64 = 1 << 17
  }

  /// Notes the minimum that the architecture makes an invalidation remove: for one nested IPA its page,
  /// whatever the level hint.
  mutating func recordCoverage(of operation: GuestInvalidation, _ vmid: UInt16) {
    let range: Range<UInt64>
    var shadows = UInt64(vmid)
    switch operation {
    case .stage1: return
    case .all:
      range = Self.allAddresses
      shadows = Coverage.all
    case .currentVMID: range = Self.allAddresses
    case .range(let base, let pages, let shift):
      let start = GuestInvalidation.start(ofRangeAt: base, granuleShift: shift)
      let (end, overflow) = start.addingReportingOverflow(pages << UInt64(shift))
      range = start..<(overflow ? .max : end)
    case .address(let address, _):
      let page = address & (Self.allAddresses.upperBound - Page.size)
      range = page..<page + Page.size
    }
    self[.coveredStart] = range.lowerBound
    self[.coveredEnd] = range.upperBound
    self[.coveredShadows] = shadows | (self[.coveredShadows] / Coverage.count + 1) * Coverage.count
  }

  /// Shadow leaves that the last event, an invalidation by L1, should have removed. While it is paused,
  /// other vCPUs may install new ones, which is legal until the instruction completes.
  func coverageViolations(after stores: Range<Int>) -> [Violation] {
    let slot = Register.coveredShadows.slot
    guard !isPaused, stores.contains(where: { memory.journalEntry($0).slot == slot }) else {
      return []
    }
    let range = (self[.coveredStart]..<self[.coveredEnd]).clamped(to: Self.allAddresses)
    let shadows = self[.coveredShadows]
    return validShadows.flatMap { mmu -> [Violation] in
      let vmid = UInt64(VTTBR(self[mmu, .vttbr]).vmid)
      if shadows & Coverage.all == 0, vmid != shadows & Coverage.vmidMask { return [] }
      let table = table(of: mmu)
      var found: [Violation] = []
      var walk = TableWalk(of: table, range, .mapping)
      while let leaf = memory.next(&walk) {
        found.append(Violation(invariant: .staleShadow, table: table.id, address: leaf.address))
      }
      return found
    }
  }

  /// Leaves that the last event did not make, in shadows that it gave to another context.
  func recyclingViolations(made: Set<Int>, after stores: Range<Int>) -> [Violation] {
    let changed = Set(stores.lazy.map { memory.journalEntry($0).slot })
    return validShadows.flatMap { mmu -> [Violation] in
      let words = MMU.contextFields.map { mmu.base + $0.rawValue }
      return changed.isDisjoint(with: words) ? [] : recyclingViolations(of: mmu, made: made)
    }
  }

  /// The same for one shadow that the last event gave to another context.
  func recyclingViolations(of mmu: MMU, made: Set<Int>) -> [Violation] {
    if !isValid(mmu) || self[mmu, .pendingUnmap] != 0 { return [] }
    var found: [Violation] = []
    visit(.mapping, of: table(of: mmu)) { leaf in
      if !made.contains(leaf.slot) {
        found.append(
          Violation(invariant: .staleShadow, table: mmu.tableID, address: leaf.address))
      }
    }
    return found
  }
}
