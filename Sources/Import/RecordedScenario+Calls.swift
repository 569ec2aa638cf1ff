import Engine
import KernelText
import Language

/// Statements for the calls of the kernel's page-table code.
extension RecordedScenario {
  /// Writes a call of the kernel's page-table code, unless it is part of one already written.
  mutating func write(_ call: KernelCall, _ place: Origin) {
    let arguments = call.arguments
    let id = tables.table(of: call)
    switch call.function {
    case .initTable: tables.add(call)
    case .map, .protectedMap:
      guard let id = id ?? tables.guess(call), let address = arguments.address,
        let size = arguments.size, let physical = arguments.physical,
        let range = Self.range(address, size)
      else { return unknown(call, place) }
      cause = .none
      let protection = arguments.protection ?? 0xf
      add(
        .recorded(
          .map(
            id, range, to: physical, canonical: recordedPage, Self.permissions(protection),
            guestLevel: UInt8(protection >> 55 & 3))), place)
    case .relax:
      guard let id, let address = arguments.address else { return unknown(call, place) }
      cause = .none
      let permissions = Self.permissions(arguments.protection ?? 0)
      add(.recorded(.relax(id, address & ~4095, permissions)), place)
    case .notifierUnmap:
      guard let address = arguments.address, let end = arguments.end,
        let range = Self.range(address, to: end)
      else { return unknown(call, place) }
      take(range, isMemslot: false, place)
      cause = .take(isMemslot: false, isTold: false)
    case .flushMemslot: cause = .take(isMemslot: true, isTold: false)
    case .nestedUnmap: nestedUnmap(place)
    case .unmapCanonical, .recordReverseMap, .forgetReverseMap, .resetReverseMap, .commitMemslot,
      .nestedWriteProtect:
      break
    case .unmapRange: unmap(call, id, place)
    case .tlbiAddress:
      guard case .shadow(let number) = id, let value = arguments.value else {
        return unknown(call, place)
      }
      cause = .invalidation(shadow: number)
      guard isPredicted else { return }
      let operand = IPAOperand(value)
      add(.recorded(.invalidate(.shadow(number), operand.ipa, ttl: operand.ttl)), place)
    case .tlbiRange:
      guard case .shadow(let number) = id, let start = arguments.address,
        let range = Self.range(start, arguments.size ?? 0)
      else { return unknown(call, place) }
      cause = .invalidation(shadow: number)
      if isPredicted { add(.recorded(.invalidateRange(.shadow(number), range)), place) }
    case .writeProtectRange:
      // Those of shadows are implied by it.
      guard id == .canonical, let address = arguments.address, let end = arguments.end,
        let range = Self.range(address, to: end)
      else { return }
      cause = .none
      add(.recorded(.writeProtect(range)), place)
    case .split:
      guard let address = arguments.address, let range = Self.range(address, arguments.size ?? 0)
      else { return unknown(call, place) }
      cause = .none
      add(.recorded(.split(range)), place)
    case .testClearYoung:
      guard let address = arguments.address, let range = Self.range(address, arguments.size ?? 0)
      else { return unknown(call, place) }
      cause = .none
      if arguments.value == 1 { add(.recorded(.age(range)), place) }
    case .iommuMap, .iommuUnmap: write(iommu: call, place)
    case .walkNested where !call.isReturn:
      comment(
        place, "L1's table is walked for nested IPA \(Phrase.address(arguments.address ?? 0))")
    case .injectFault:
      comment(place, "L1 is given a stage-2 fault, ESR \(Phrase.address(arguments.value ?? 0))")
    case .walkNested, .notifierAge, .other: break
    case .protectedUnmap:
      // The host has the hypervisor unmap the notifier's range.
      if case .take = cause { return }
      unmap(call, id ?? .canonical, place)
    }
  }

  private var isPredicted: Bool {
    if case .predicted = unmaps { true } else { false }
  }

  private mutating func write(iommu call: KernelCall, _ place: Origin) {
    guard let address = call.arguments.address,
      let range = Self.range(address, call.arguments.size ?? 0)
    else { return unknown(call, place) }
    let isWritable = (call.arguments.protection ?? 3) & 2 != 0
    guard hasProbedIOMMU else {
      if call.function == .iommuMap { permissions[address] = isWritable }
      return
    }
    if call.function == .iommuUnmap {
      add(.iommu(device: 0, .unmap(range)), place)
    } else if let physical = call.arguments.physical {
      add(.iommu(device: 0, .map(range, to: physical, write: isWritable)), place)
    }
  }

  /// Canonical memory is unmapped: from the canonical table only, unless the model predicts the unmaps of the
  /// shadows.
  mutating func take(_ range: Range<UInt64>, isMemslot: Bool, _ place: Origin) {
    add(
      .recorded(isPredicted ? .take(range, isMemslot: isMemslot) : .unmap(.canonical, range)),
      place)
  }

  private mutating func nestedUnmap(_ place: Origin) {
    if case .take(let isMemslot, false) = cause {
      cause = isMemslot ? .take(isMemslot: true, isTold: true) : .emptied([])
      return
    }
    cause = .emptied([])
    if isPredicted { add(.recorded(.emptyShadows), place) }
  }

  private mutating func unmap(_ call: KernelCall, _ id: TableID?, _ place: Origin) {
    guard let id, let start = call.arguments.address,
      let range = Self.range(start, call.arguments.size ?? 0)
    else { return unknown(call, place) }
    if id == .canonical {
      if case .take(isMemslot: true, _) = cause {
        take(range, isMemslot: true, place)
        return
      }
      cause = .none
      return add(.recorded(.unmap(.canonical, range)), place)
    }
    guard case .shadow(let number) = id else { return }
    let isExplained: Bool
    switch cause {
    case .none: isExplained = false
    case .take: isExplained = true
    case .emptied(var done):
      isExplained = done.insert(number).inserted
      cause = .emptied(done)
    case .invalidation(let shadow): isExplained = shadow == number
    }
    if isExplained, isPredicted {
      if case .invalidation = cause { cause = .none }
      return
    }
    if !isExplained { cause = .none }
    // A shadow that gets another context was emptied with it.
    if justGiven == number {
      justGiven = nil
      return
    }
    add(.recorded(.unmap(id, range)), place)
  }

  /// A range usable in statements; nil if it is empty, or beyond all tables.
  static func range(_ start: UInt64, _ size: UInt64) -> Range<UInt64>? {
    let (end, overflow) = start.addingReportingOverflow(size)
    return overflow || size == 0 || end > addressesEnd ? nil : start..<end
  }

  /// A range from its ends.
  static func range(_ start: UInt64, to end: UInt64) -> Range<UInt64>? {
    start < end ? range(start, end - start) : nil
  }

  /// End of the input addresses of the largest table.
  private static let addressesEnd: UInt64 = 1 << 48

  /// The kernel's `enum kvm_pgtable_prot`: PX, UX, W and R in bits 0 to 3.
  private static func permissions(_ protection: UInt64) -> Permissions {
    Permissions(
      read: protection & 8 != 0, write: protection & 4 != 0,
      executeNever: [2, 3, 1, 0][Int(protection & 3)])
  }
}
