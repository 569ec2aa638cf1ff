extension Machine {
  /// Whether a device may reach a page of memory now: whether the page's owner is the device's, or lends
  /// it. Without anybody who keeps account of owners, all memory is the host's and its devices'.
  public func mayReach(_ physical: UInt64, device: Int) -> Bool { true }
}
