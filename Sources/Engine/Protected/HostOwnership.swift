/// pKVM's account of owners: a device is the host's, and reaches what the host may use.
struct HostOwnership: Ownership {
  func firstForeign(in physical: Range<UInt64>, device: Int, of machine: Machine) -> UInt64? {
    var start = physical.lowerBound
    while start < physical.upperBound,
      let page = machine.firstRecordedPage(in: start..<physical.upperBound)
    {
      if machine.hostState(of: page) == .noPage { return page }
      start = page + 4096
    }
    return nil
  }

  func violations(of machine: Machine) -> [Violation] { [] }
}
