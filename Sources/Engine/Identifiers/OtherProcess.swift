/// Other processes of the host, of which nothing is modelled but their ASIDs.
public enum OtherProcessOperation: Equatable, Sendable {
  /// It runs, and has an ASID from then on.
  case run
  /// A range of its memory is unmapped: TLBI VAE1IS by its ASID.
  case unmap(Range<UInt64>)
}

/// ASIDs of the host's processes (arch/arm64/mm/context.c): numbers from 1 up, in the order in which the
/// processes first run. There is no rollover: the numbers do not run out before that of processes does.
extension Machine {
  /// Largest number of another process.
  public static let otherProcessLimit: UInt64 = 1 << 20

  private var otherASIDs: SparseArray { SparseArray(root: Register.otherASIDs.slot, .otherASIDs) }

  private mutating func nextASID() -> UInt64? {
    if self[.lastASID] == UInt64(UInt16.max) { return nil }
    self[.lastASID] += 1
    return self[.lastASID]
  }

  /// The VMM's ASID, taken if it has none; nil if none is left.
  mutating func takeASID() -> UInt16? {
    if self[.processASID] == 0 {
      guard let asid = nextASID() else { return nil }
      note(.identifier(.asidTaken(asid: asid)), .host)
      self[.processASID] = asid
    }
    return UInt16(truncatingIfNeeded: self[.processASID])
  }

  mutating func start(
    _ operation: OtherProcessOperation, ofProcess number: UInt64
  ) throws(Refusal) {
    if number > Self.otherProcessLimit {
      throw Refusal(.noSuchProcess(Self.otherProcessLimit), operand: .other)
    }
    if case .unmap(let range) = operation {
      try requireAligned(range.lowerBound, to: 4096, operand: .address)
      try requireAligned(range.upperBound, to: 4096, operand: .size)
    }
    if otherASIDs.load(number, from: memory) == 0 {
      guard let asid = nextASID() else { return fail(.enospc, at: number) }
      note(.identifier(.otherASIDTaken(process: number, asid: asid)))
      otherASIDs.store(asid, at: number, in: &memory)
    }
    guard case .unmap(let range) = operation else { return }
    let asid = otherASIDs.load(number, from: memory)
    tally.invalidations += 1
    note(
      .tlb(.otherProcess(number, asid: UInt16(truncatingIfNeeded: asid))), nil, over: range)
    let context = TranslationContext.asid(UInt16(truncatingIfNeeded: asid), isPrivate: false)
    for hook in hostHooks { hook.didInvalidate(range, context, in: &self) }
  }
}
