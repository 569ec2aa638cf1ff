import Engine

/// A line of a trace that concerns stage 2 or the IOMMU.
package struct TraceEvent: Equatable, Sendable {
  /// When something was recorded.
  package enum Time: Equatable, Sendable {
    /// Nanoseconds of a clock.
    case nanoseconds(UInt64)
    /// Ticks of a clock that counts something else.
    case ticks(UInt64)
  }

  /// What was recorded.
  package enum Fact: Equatable, Sendable {
    /// A guest took a stage-2 fault. The address is a nested IPA if L2 ran.
    case guestFault(address: UInt64, syndrome: UInt64, virtualAddress: UInt64)
    case accessFault(UInt64)
    /// L1 returns to L2.
    case nestedReturn
    /// L2 exits with an exception injected into L1.
    case injectNested(syndrome: UInt64)
    /// L1 executes a trapped TLBI; its operand is not recorded.
    case invalidate(GuestInvalidationName)
    case unmapHostRange(Range<UInt64>)
    case ageHostRange(Range<UInt64>)
    case testAgeHost(UInt64)
    case iommuMap(Range<UInt64>, physical: UInt64)
    /// `unmapped` bytes from the start of the range were unmapped.
    case iommuUnmap(Range<UInt64>, unmapped: UInt64)
    case ioPageFault(address: UInt64, isWrite: Bool)
    /// Guest pages become private or shared.
    case memoryAttributes(Range<UInt64>, attributes: UInt64)
    /// pKVM's host took a stage-2 fault; only Android's hypervisor tells where.
    case hostAbort(address: UInt64?, syndrome: UInt64)
    case call(KernelCall)
  }

  /// Names of TLBI as `kvm_sys_access` prints them.
  package enum GuestInvalidationName: UInt8, CaseIterable, Sendable {
    case address, addressRange, all, allStage12, allVMIDs

    /// The prefixes of the names, each followed by its variants' suffixes.
    static let names: [(name: StaticString, kind: GuestInvalidationName)] = [
      ("OP_TLBI_IPAS2", .address), ("OP_TLBI_RIPAS2", .addressRange),
      ("OP_TLBI_VMALLS12E1", .allStage12), ("OP_TLBI_VMALLE1", .all), ("OP_TLBI_ALLE1", .allVMIDs),
    ]
  }

  /// Number of the line, from 1.
  package var line: Int
  /// When it was recorded, if the line says so.
  package var time: Time?
  /// The task, or nil if not recorded.
  package var task: Int?
  /// The CPU, or nil if not recorded.
  package var cpu: Int?
  /// What was recorded.
  package var fact: Fact
}

extension TraceEvent.Fact {
  /// Events whose text is read, by name.
  enum Kind: UInt8, CaseIterable {
    case guestFault, accessFault, nestedReturn, injectNested, systemAccess, unmapHost, ageHost
    case testAgeHost, iommuMap, iommuUnmap, ioPageFault, memoryAttributes, hostAbort,
      hypervisorEnter
    case call

    /// Names of the events of this kind.
    var names: [StaticString] {
      switch self {
      case .guestFault: ["kvm_guest_fault"]
      case .accessFault: ["kvm_access_fault"]
      case .nestedReturn: ["kvm_nested_eret"]
      case .injectNested: ["kvm_inject_nested_exception"]
      case .systemAccess: ["kvm_sys_access"]
      case .unmapHost: ["kvm_unmap_hva_range"]
      case .ageHost: ["kvm_age_hva"]
      case .testAgeHost: ["kvm_test_age_hva"]
      case .iommuMap: ["map"]
      case .iommuUnmap: ["unmap"]
      case .ioPageFault: ["io_page_fault"]
      case .memoryAttributes: ["kvm_vm_set_mem_attributes"]
      case .hostAbort: ["host_mem_abort"]
      case .hypervisorEnter: ["hyp_enter"]
      case .call:
        KernelCall.Function.allCases.map(\.names.probe).filter { $0.utf8CodeUnitCount > 0 }
          + ["walk_nested_ret"]
      }
    }
  }

  /// The result of reading an event's text.
  enum Outcome {
    case fact(TraceEvent.Fact)
    /// It is an event of the kind, but irrelevant.
    case nothing
    /// The text does not match the event.
    case garbled
  }

  /// Reads the text of an event, as the kernel prints it or as names and values (`trace-cmd report -R`).
  static func read(_ kind: Kind, _ name: Words, _ text: Words) -> Outcome {
    func fact(_ fact: TraceEvent.Fact?) -> Outcome { fact.map(Outcome.fact) ?? .garbled }
    switch kind {
    case .guestFault:
      guard let address = number("ipa", text), let syndrome = number("hsr", text) else {
        return .garbled
      }
      let virtual = number("hxfar", text) ?? 0
      return .fact(.guestFault(address: address, syndrome: syndrome, virtualAddress: virtual))
    case .accessFault:
      return fact((hex("IPA: ", text) ?? number("ipa", text)).map(Self.accessFault))
    case .nestedReturn: return number("elr_el2", text) == nil ? .garbled : .fact(.nestedReturn)
    case .injectNested: return fact(number("esr_el2", text).map(Self.injectNested))
    case .systemAccess: return invalidation(text)
    case .unmapHost: return fact(range(text, "range: ").map(Self.unmapHostRange))
    case .ageHost: return fact(range(text, "hva: ").map(Self.ageHostRange))
    case .testAgeHost: return fact(number("hva", text).map(Self.testAgeHost))
    case .iommuMap:
      guard let start = number("iova", text), let physical = number("paddr", text),
        let range = range(start, number("size", text))
      else { return .garbled }
      return .fact(.iommuMap(range, physical: physical))
    case .iommuUnmap:
      guard let start = number("iova", text), let range = range(start, number("size", text)) else {
        return .garbled
      }
      guard let unmapped = number("unmapped_size", text) else { return .garbled }
      return .fact(.iommuUnmap(range, unmapped: unmapped))
    case .ioPageFault:
      guard let address = number("iova", text), let flags = number("flags", text) else {
        return .garbled
      }
      return .fact(.ioPageFault(address: address, isWrite: flags & 1 != 0))
    case .memoryAttributes:
      var rest = text
      rest.skipBlanks()
      guard let start = rest.takeNumber(), let afterDashes = rest.after("-- ") else {
        return .garbled
      }
      rest = afterDashes
      guard let end = rest.takeNumber(), start < end, end < 1 << 52,
        let attributes = number("[", rest) ?? rest.after("[").flatMap({ $0.leadingNumber })
      else { return .garbled }
      return .fact(.memoryAttributes(start << 12..<end << 12, attributes: attributes))
    case .hostAbort:
      guard let address = number("addr", text), let syndrome = number("esr", text) else {
        return .garbled
      }
      return .fact(.hostAbort(address: address, syndrome: syndrome))
    case .hypervisorEnter:
      guard let reason = text.after("reason=") else { return .garbled }
      return reason.hasPrefix("host_abort")
        ? .fact(.hostAbort(address: nil, syndrome: 0)) : .nothing
    case .call:
      guard let call = KernelCall(text, probe: name) else { return .garbled }
      return call.function == .other ? .nothing : .fact(.call(call))
    }
  }

  /// The number after a name: after a blank, a colon and a blank, or an equals sign.
  private static func number(_ name: StaticString, _ text: Words) -> UInt64? {
    var rest = text
    while let found = rest.after(name) {
      let place = found.start - name.utf8CodeUnitCount
      let isWord = place == text.start || !Words.isName(text.bytes[place - 1])
      rest = found
      guard isWord, let separator = found.first, !Words.isName(separator) else { continue }
      var value = found
      _ = value.take(":")
      _ = value.take("=")
      value.skipBlanks()
      if let number = value.takeNumber() { return number }
    }
    return nil
  }

  /// A number that `%lx` printed after a text.
  private static func hex(_ name: StaticString, _ text: Words) -> UInt64? {
    guard var rest = text.after(name) else { return nil }
    _ = rest.take("0x")
    return rest.takeHex()
  }

  private static func range(_ text: Words, _ before: StaticString) -> Range<UInt64>? {
    if var rest = text.after(before), let start = rest.takeNumber(), rest.take(" -- "),
      let end = rest.takeNumber(), start < end
    {
      return start..<end
    }
    guard let start = number("start", text), let end = number("end", text), start < end else {
      return nil
    }
    return start..<end
  }

  private static func range(_ start: UInt64, _ size: UInt64?) -> Range<UInt64>? {
    guard let size, size > 0, !start.addingReportingOverflow(size).overflow else { return nil }
    return start..<start + size
  }

  private static func invalidation(_ text: Words) -> Outcome {
    guard let name = text.after("OP_TLBI_") else {
      return text.after("(") == nil && text.after("=") == nil ? .garbled : .nothing
    }
    let whole = Words(text.bytes, name.start - 8..<name.end)
    guard
      let found = TraceEvent.GuestInvalidationName.names.first(where: { whole.hasPrefix($0.name) })
    else { return .nothing }
    return .fact(.invalidate(found.kind))
  }
}

extension Words {
  /// The number at the front.
  fileprivate var leadingNumber: UInt64? {
    var rest = self
    return rest.takeNumber()
  }
}
