/// A task as words: a number for its case, and its operands.
extension Work {
  /// A number of runs above the size of a leaf.
  private static let runsShift: UInt64 = 40
  private static let sizeMask: UInt64 = 1 << runsShift - 1

  var words: [UInt64] {
    switch self {
    case .beginInvalidation(let range): [1, range.lowerBound, range.upperBound]
    case .endInvalidation(let range): [2, range.lowerBound, range.upperBound]
    case .unmapCanonical(let cause): [3] + cause.words
    case .unmapShadows(let cause): [4] + cause.words
    case .continueUnmap(let range, let index, let cause):
      [5, range.lowerBound, range.upperBound, UInt64(index)] + cause.words
    case .invalidateShadow(let index, let range, let vmid):
      [6, range.lowerBound, range.upperBound, UInt64(index), vmid.map { UInt64($0) + 1 } ?? 0]
    case .sweep(let index, let range, let cause):
      [7, range.lowerBound, range.upperBound, UInt64(index)] + cause.words
    case .beginUnmapAll(let index, let reason, let cause):
      [8, UInt64(index), reason.rawValue] + cause.words
    case .endUnmapAll(let index): [9, UInt64(index)]
    case .finishRecycling(let index): [10, UInt64(index)]
    case .dropVNCR(let range): [11, range.lowerBound, range.upperBound]
    case .access(let access):
      [
        12, UInt64(access.guest.rawValue), UInt64(access.vcpu), UInt64(access.kind.rawValue),
        access.address, access.value == nil ? 0 : 1, access.value ?? 0,
        access.handling.map { UInt64($0.code) + 1 } ?? 0,
      ]
    case .touch(let range, let write): [13, range.lowerBound, range.upperBound, write ? 1 : 0]
    case .discard(let range): [14, range.lowerBound, range.upperBound]
    case .protect(let range, let write): [15, range.lowerBound, range.upperBound, write ? 1 : 0]
    case .advise(let range, let added, let removed):
      [16, range.lowerBound, range.upperBound, added.rawValue, removed.rawValue]
    case .collapseRegions(let range): [17, range.lowerBound, range.upperBound]
    case .merge: [18]
    case .zap(let range): [19, range.lowerBound, range.upperBound]
    case .removeVMAs(let range): [20, range.lowerBound, range.upperBound]
    case .removeMemslot(let base): [21, UInt64(base)]
    case .setFlags(let range, let flags):
      [22, range.lowerBound, range.upperBound, flags.rawValue]
    case .changeProtection(let range, let write):
      [23, range.lowerBound, range.upperBound, write ? 1 : 0]
    case .protectForFork(let range): [24, range.lowerBound, range.upperBound]
    case .splitHugePage(let start): [25, start]
    case .replaceHugeZeroPage(let start): [26, start]
    case .copyOnWrite(let hva): [27, hva]
    case .collapse(let start, let table): [28, start, 0, UInt64(table)]
    case .writeProtectForMerge(let hva): [29, hva]
    case .makeMerged(let hva): [30, hva]
    case .replaceByMerged(let hva, let keeper): [31, hva, keeper]
    case .endSweep(let index): [32, UInt64(index)]
    case .unmapIOVA(let device, let range, let done, let gather):
      [
        33, range.lowerBound, range.upperBound, UInt64(device), done,
        gather.range?.lowerBound ?? 0, gather.range?.upperBound ?? 0, gather.size,
      ]
    case .pin(let device, let range, let pinning):
      [
        34, range.lowerBound, range.upperBound, UInt64(device), pinning.mapped, pinning.next,
        UInt64(pinning.runs),
      ]
    case .unpin(let device, let range): [35, range.lowerBound, range.upperBound, UInt64(device)]
    case .freeDomain(let device): [36, UInt64(device)]
    case .finishReplacing(let address, let level, let bits):
      [38, address, 0, UInt64(level), bits]
    case .freeRealmTable(let address, let level, let slot):
      [39, address, 0, UInt64(level), UInt64(slot)]
    case .rmp(let action, let range): [37, range.lowerBound, range.upperBound, action.rawValue]
    case .pkvm(let effect): [40] + effect.words
    case .attach(let device): [41, UInt64(device)]
    case .dma(let device, let iova, let write): [42, UInt64(device), iova, write ? 1 : 0]
    case .releaseLeaves(let device, let range):
      [43, range.lowerBound, range.upperBound, UInt64(device)]
    case .mapIOVA(let device, let mapping):
      [
        44, mapping.range.lowerBound, mapping.range.upperBound, UInt64(device), mapping.physical,
        mapping.write ? 1 : 0, mapping.done,
      ]
    case .mapPinned(let device, let range, let run, let done, let end):
      [45, range.lowerBound, range.upperBound, UInt64(device), run, done, end]
    case .emptyShadow(let index, let reason, let cause):
      [46, UInt64(index), reason.rawValue] + cause.words
    case .writeProtect(let index, let range):
      [47, range.lowerBound, range.upperBound, UInt64(index)]
    case .endDirtyLogStart(let base): [48, UInt64(base)]
    case .collectDirty(let base, let next, let found): [49, UInt64(base), next, found ? 1 : 0]
    case .unmapRuns(let device, let range, let done, let gather, let runs):
      [
        50, range.lowerBound, range.upperBound, UInt64(device), done,
        gather.range?.lowerBound ?? 0, gather.range?.upperBound ?? 0,
        gather.size | UInt64(runs) << Self.runsShift,
      ]
    case .endWriteProtection(let range): [51, range.lowerBound, range.upperBound]
    case .flushHostLeaves(let range): [52, range.lowerBound, range.upperBound]
    case .flushProcess: [53]
    case .freeHostTables(let range): [55, range.lowerBound, range.upperBound]
    case .unlinkForCollapse(let start): [56, start]
    case .unshareMerged(let hva): [57, hva]
    case .splitBlocks(let range): [58, range.lowerBound, range.upperBound]
    case .refuseCut(let device, let range, let area):
      [
        54, range.lowerBound, range.upperBound, UInt64(device), area.lowerBound, area.upperBound,
      ]
    }
  }

  /// The task that eight words encode, as `words` made them.
  init(words: [UInt64]) {
    let range = words[1]..<max(words[1], words[2])
    let isSet = words[3] != 0
    switch words[0] {
    case 1: self = .beginInvalidation(range)
    case 2: self = .endInvalidation(range)
    case 3: self = .unmapCanonical(UnmapCause(words: words[1...3]))
    case 4: self = .unmapShadows(UnmapCause(words: words[1...3]))
    case 5:
      self = .continueUnmap(range, Int(words[3]), UnmapCause(words: words[4...6]))
    case 6:
      self = .invalidateShadow(
        Int(words[3]), range, vmid: words[4] == 0 ? nil : UInt16(words[4] - 1))
    case 7: self = .sweep(Int(words[3]), range, UnmapCause(words: words[4...6]))
    case 8:
      self = .beginUnmapAll(
        Int(words[1]), .decoded(words[2]), UnmapCause(words: words[3...5]))
    case 9: self = .endUnmapAll(Int(words[1]))
    case 10: self = .finishRecycling(Int(words[1]))
    case 11: self = .dropVNCR(range)
    case 12:
      self = .access(
        Access(
          guest: .decoded(UInt8(words[1])), vcpu: Int(words[2]),
          kind: .decoded(UInt8(words[3])), address: words[4],
          value: words[5] == 0 ? nil : words[6],
          handling: words[7] == 0 ? nil : FaultStatus(UInt8(words[7] - 1))))
    case 13: self = .touch(range, write: isSet)
    case 14: self = .discard(range)
    case 15: self = .protect(range, write: isSet)
    case 16:
      self = .advise(
        range, adding: VMAFlags(rawValue: words[3]), removing: VMAFlags(rawValue: words[4]))
    case 17: self = .collapseRegions(range)
    case 18: self = .merge
    case 19: self = .zap(range)
    case 20: self = .removeVMAs(range)
    case 21: self = .removeMemslot(Int(words[1]))
    case 22: self = .setFlags(range, VMAFlags(rawValue: words[3]))
    case 23: self = .changeProtection(range, write: isSet)
    case 24: self = .protectForFork(range)
    case 25: self = .splitHugePage(words[1])
    case 26: self = .replaceHugeZeroPage(words[1])
    case 27: self = .copyOnWrite(words[1])
    case 28: self = .collapse(words[1], table: Int(words[3]))
    case 29: self = .writeProtectForMerge(words[1])
    case 30: self = .makeMerged(words[1])
    case 31: self = .replaceByMerged(words[1], keeper: words[2])
    case 32: self = .endSweep(Int(words[1]))
    case 33:
      let gather = Gather(range: words[7] == 0 ? nil : words[5]..<words[6], size: words[7])
      self = .unmapIOVA(Int(words[3]), range, done: words[4], gather)
    case 34:
      self = .pin(
        Int(words[3]), range, Pinning(mapped: words[4], next: words[5], runs: Int(words[6])))
    case 35: self = .unpin(Int(words[3]), range)
    case 36: self = .freeDomain(Int(words[1]))
    case 37: self = .rmp(RMPAction.decoded(words[3]), range)
    case 38: self = .finishReplacing(words[1], level: Int(words[3]), words[4])
    case 39: self = .freeRealmTable(words[1], level: Int(words[3]), Int(words[4]))
    case 40: self = .pkvm(PKVMEffect(words: words.dropFirst()))
    case 41: self = .attach(Int(words[1]))
    case 42: self = .dma(Int(words[1]), words[2], write: isSet)
    case 43: self = .releaseLeaves(Int(words[3]), range)
    case 44:
      self = .mapIOVA(
        Int(words[3]),
        IOMapping(range: range, physical: words[4], write: words[5] != 0, done: words[6]))
    case 45:
      self = .mapPinned(Int(words[3]), range, run: words[4], done: words[5], end: words[6])
    case 46:
      self = .emptyShadow(Int(words[1]), .decoded(words[2]), UnmapCause(words: words[3...5]))
    case 47: self = .writeProtect(Int(words[3]), range)
    case 48: self = .endDirtyLogStart(Int(words[1]))
    case 49: self = .collectDirty(Int(words[1]), from: words[2], found: isSet)
    case 50:
      let gather = Gather(
        range: words[6] == 0 ? nil : words[5]..<words[6], size: words[7] & Self.sizeMask)
      self = .unmapRuns(
        Int(words[3]), range, done: words[4], gather, runs: Int(words[7] >> Self.runsShift))
    case 51: self = .endWriteProtection(range)
    case 52: self = .flushHostLeaves(range)
    case 53: self = .flushProcess
    case 54: self = .refuseCut(Int(words[3]), range, area: words[4]..<words[5])
    case 55: self = .freeHostTables(range)
    case 56: self = .unlinkForCollapse(words[1])
    case 57: self = .unshareMerged(words[1])
    case 58: self = .splitBlocks(range)
    default: preconditionFailure("no task has the number \(words[0])")
    }
  }
}

extension RawRepresentable {
  /// Decodes a word of the machine. The engine wrote the word, so an undecodable one is an engine bug:
  /// continuing would run another operation than the parked one.
  static func decoded(_ word: RawValue) -> Self {
    guard let value = Self(rawValue: word) else {
      preconditionFailure("\(word) is no \(Self.self)")
    }
    return value
  }
}
