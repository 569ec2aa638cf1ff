/// Other processes of the host. Only their ASIDs are modelled.
public enum OtherProcessOperation: Equatable, Sendable {
  /// It runs, and has an ASID from then on.
  case run
  /// A range of its memory is unmapped: TLBI VAE1IS by its ASID.
  case unmap(Range<UInt64>)
}

extension Machine {
  /// Largest number of another process.
  public static let otherProcessLimit: UInt64 = 1 << 20

  private var otherASIDs: SparseArray { SparseArray(root: Register.otherASIDs.slot, .otherASIDs) }

  mutating func start(
    _ operation: OtherProcessOperation, ofProcess number: UInt64
  ) throws(Refusal) {
    if number > Self.otherProcessLimit {
      throw Refusal(.noSuchProcess(Self.otherProcessLimit), operand: .other)
    }
    if case .unmap(let range) = operation {
      try requireAligned(range.lowerBound, to: Page.size, operand: .address)
      try requireAligned(range.upperBound, to: Page.size, operand: .size)
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
