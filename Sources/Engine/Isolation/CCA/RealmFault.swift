/// Faults of a realm, and the host's accesses to memory that it no longer owns.
extension Machine {
  /// The RMM's handling of a fault: an address without memory is the realm's own error; for memory not
  /// yet present the host supplies a page; destroyed memory stays destroyed.
  mutating func mapRealm(_ fault: MemoryFault) -> Attempt {
    let table = table(of: canonical)
    let entry = RealmEntry(memory.walk(table, fault.ipa).descriptor)
    switch entry.state {
    case .empty:
      tally.injected += 1
      note(.fault(.injectExternal(ipa: nil)), table.id, at: fault.page)
      return .ended(.externalAbort)
    case .destroyed:
      note(.realm(.destroyedAccess), table.id, at: fault.page)
      return .ended(.efault)
    case .ram: break
    }
    if case .first(let tasks) = hostFault(hva(of: fault.ipa, in: fault.slot), write: true) {
      return .first(tasks)
    }
    guard let page = backingPage(at: fault.ipa)?.page else { return .ended(.efault) }
    if granule(at: page) == .undelegated { setGranule(.delegated, at: page, ipa: fault.ipa) }
    var level = memory.walk(table, fault.ipa).level
    while level < Geometry.lastLevel {
      level += 1
      createTable(fault.ipa, level: level)
    }
    createData(fault.ipa)
    return .again
  }

  /// Whether granule protection blocks the host's access to a page.
  func isBeyondHost(_ page: UInt64) -> Bool {
    configuration.isolation == .cca && granule(at: page) != .undelegated
  }
}
