import Engine
import KernelText

/// Entries of tables that were made invalid, but of which CPUs may still have cached copies: what each lacks until it
/// is clean, as `TableWatch` describes.
struct BrokenEntries {
  /// What may be cached of an invalidated entry, under one VMID.
  struct Remnant {
    enum Progress: Equatable {
      case stored, ordered
      case stage2Invalidated(by: UInt64), stage2Done
      case invalidated(by: UInt64)
    }

    let range: Range<UInt64>
    let level: Int
    let isTable: Bool
    let tag: UInt16
    var progress = Progress.stored
  }

  /// An entry that is invalid but not clean.
  struct Entry {
    let root: UInt64
    let isStage2: Bool
    /// Number of the record that made it invalid, and the thread.
    let record, thread: UInt64
    /// Of the entry, and of the leaves below it.
    var remnants: [Remnant]
    /// Pages to which it pointed.
    let pages: [UInt64]
  }

  private var entries: [UInt64: Entry] = [:]
  /// The entry that pointed to a page.
  private var unlinked: [UInt64: UInt64] = [:]
  /// Whether there is only one CPU, for which local instructions suffice.
  private let isAlone: Bool

  init(isAlone: Bool) { self.isAlone = isAlone }

  func contains(_ address: UInt64) -> Bool { entries[address] != nil }

  /// The entry by which CPUs may still walk a page; nil if there is none.
  func entry(leadingTo page: UInt64) -> UInt64? { unlinked[page] }

  /// The first page in a range that CPUs may still walk, and the entry by which they may.
  func firstPage(in range: Range<UInt64>) -> (page: UInt64, entry: UInt64)? {
    unlinked.filter { range.contains($0.key) }.min { $0.key < $1.key }
      .map { (page: $0.key, entry: $0.value) }
  }

  /// The first such entry of a table.
  func firstEntry(of root: UInt64) -> UInt64? {
    entries.filter { $0.value.root == root }.keys.min()
  }

  mutating func add(_ entry: Entry, at address: UInt64) {
    entries[address] = entry
    for page in entry.pages { unlinked[page] = address }
  }

  mutating func complete(_ barrier: CasemateLog.Barrier, _ thread: UInt64) {
    if barrier == .isb { return }
    let reachesAll = barrier != .nsh || isAlone
    guard reachesAll else { return }
    update { entry, remnant in
      switch remnant.progress {
      case .stored: if entry.thread == thread { remnant.progress = .ordered }
      // One for stores only does not wait for a TLBI.
      case .stage2Invalidated(let by):
        if by == thread, barrier != .ishst { remnant.progress = .stage2Done }
      case .invalidated(let by): return by == thread && barrier != .ishst
      case .ordered, .stage2Done: break
      }
      return false
    }
  }

  /// - Parameter vmid: the VMID under which the thread invalidates.
  mutating func invalidate(
    _ instruction: CasemateLog.Invalidation, _ thread: UInt64, vmid: UInt16
  ) {
    guard instruction.isBroadcast || isAlone else { return }
    update { entry, remnant in
      let isStage2 = entry.isStage2
      let isCurrent = isStage2 && remnant.tag == vmid
      switch (instruction.kind, remnant.progress) {
      case (.alle1, .ordered) where isStage2, (.alle1, .stage2Done) where isStage2,
        (.vmalls12e1, .ordered) where isCurrent, (.vmalls12e1, .stage2Done) where isCurrent,
        (.vmalle1, .stage2Done) where isCurrent, (.alle2, .ordered) where !isStage2:
        remnant.progress = .invalidated(by: thread)
      case (.ipas2e1, .ordered) where isCurrent && instruction.reaches(remnant):
        remnant.progress = .stage2Invalidated(by: thread)
      case (.vae2, .ordered) where !isStage2 && instruction.reaches(remnant),
        (.vale2, .ordered) where !isStage2 && !remnant.isTable && instruction.reaches(remnant):
        remnant.progress = .invalidated(by: thread)
      default: break
      }
      return false
    }
  }

  /// Updates the entries; drops the remnants for which the body returns true.
  private mutating func update(_ body: (Entry, inout Remnant) -> Bool) {
    for (address, entry) in entries {
      var entry = entry
      entry.remnants = entry.remnants.compactMap { remnant in
        var remnant = remnant
        return body(entry, &remnant) ? nil : remnant
      }
      if entry.remnants.isEmpty {
        entries[address] = nil
        for page in entry.pages { unlinked[page] = nil }
      } else {
        entries[address] = entry
      }
    }
  }

  /// What an entry still lacks to be clean.
  func lack(of address: UInt64) -> String {
    guard let entry = entries[address], let remnant = entry.remnants.first else { return "" }
    let range =
      "\(Phrase.address(remnant.range.lowerBound)) to \(Phrase.address(remnant.range.upperBound))"
    let under = entry.isStage2 ? " under VMID \(remnant.tag)" : ""
    let what =
      switch remnant.progress {
      case .stored: "no DSB of thread \(entry.thread) has followed"
      case .ordered: "no TLBI has reached \(range)\(under)"
      case .stage2Invalidated(let by), .invalidated(let by):
        "no DSB of thread \(by) has followed the TLBI"
      case .stage2Done: "no TLBI of stage 1 has followed that of stage 2\(under)"
      }
    return "record \(entry.record) made it invalid, and since then \(what)"
  }
}

extension CasemateLog.Invalidation {
  /// Whether the operand's address is that of an entry, also by its level hint. Without a granule there is no
  /// hint; a hint covers only leaves of its level.
  fileprivate func reaches(_ remnant: BrokenEntries.Remnant) -> Bool {
    // The other instructions have the address and the hint in the same bits.
    let operand = IPAOperand(operand)
    let granule = operand.ttl >> 2
    if granule != 0 {
      guard granule == 1, Int(operand.ttl & 3) == remnant.level, !remnant.isTable else {
        return false
      }
    }
    return remnant.range.contains(operand.ipa)
  }
}
