/// Hooks of the host and of KVM on the VM's memory, for devices and for isolation. Every hook has a
/// default that does nothing.
protocol HostHooks: Sendable {
  /// The TLBs of all CPUs dropped a range of input addresses of some VM or process, known by its context
  /// alone.
  func didInvalidate(
    _ range: Range<UInt64>, _ context: TranslationContext, in machine: inout Machine)

  /// The TLBs of all CPUs dropped all entries of all VMs.
  func didInvalidateAll(in machine: inout Machine)

  /// Whether clearing entries of the VMM's table before replacing them is observable.
  func watchesProcess(in machine: Machine) -> Bool

  /// The kernel flushed a range of the VMM's own addresses (`flush_tlb_range`, and its notifiers); if it is
  /// local, without a broadcast.
  func didFlushProcess(_ range: Range<UInt64>, isLocal: Bool, in machine: inout Machine)

  /// Handles a fault of the VM instead of KVM; nil to leave it to KVM.
  func handle(_ fault: MemoryFault, in machine: inout Machine) -> Attempt?

  /// The page that KVM keeps using at a canonical IPA, whatever the VMM has there now; else nil.
  func keptPage(at ipa: UInt64, in machine: Machine) -> UInt64?

  /// The largest leaf that KVM may install at a canonical IPA for a physical page, in bytes.
  func largestMapping(at ipa: UInt64, of page: UInt64, in machine: Machine) -> UInt64

  /// The parts of a range of canonical IPAs that KVM may unmap.
  func unmappable(_ range: Range<UInt64>, in machine: Machine) -> [Range<UInt64>]
}

extension HostHooks {
  func didInvalidate(
    _ range: Range<UInt64>, _ context: TranslationContext, in machine: inout Machine
  ) {}
  func didInvalidateAll(in machine: inout Machine) {}
  func watchesProcess(in machine: Machine) -> Bool { false }
  func didFlushProcess(_ range: Range<UInt64>, isLocal: Bool, in machine: inout Machine) {}
  func handle(_ fault: MemoryFault, in machine: inout Machine) -> Attempt? { nil }
  func keptPage(at ipa: UInt64, in machine: Machine) -> UInt64? { nil }
  func largestMapping(at ipa: UInt64, of page: UInt64, in machine: Machine) -> UInt64 { .max }
  func unmappable(_ range: Range<UInt64>, in machine: Machine) -> [Range<UInt64>] { [range] }
}

/// Calling the hooks. No closures here: an escaping one would keep a copy of the machine.
extension Machine {
  /// Whether a hook can have anything to do: only with isolation or with a device.
  @inline(__always)
  private var isHooked: Bool { checksDMA || hasSMMU }

  /// The result of a fault of the VM that a hook handles; nil if KVM handles it.
  mutating func handleByHook(_ fault: MemoryFault) -> Attempt? {
    if !isHooked { return nil }
    for hook in hostHooks {
      if let attempt = hook.handle(fault, in: &self) { return attempt }
    }
    return nil
  }

  /// Whether clearing entries of the VMM's table before replacing them is observable.
  var isProcessWatched: Bool { isHooked && hostHooks.contains { $0.watchesProcess(in: self) } }

  /// The page that KVM keeps using at a canonical IPA, whatever the VMM has there now; nil if it is
  /// the VMM's.
  func keptPage(at ipa: UInt64) -> UInt64? {
    if !isHooked { return nil }
    for hook in hostHooks {
      if let page = hook.keptPage(at: ipa, in: self) { return page }
    }
    return nil
  }

  /// The largest leaf that KVM may install at a canonical IPA for a physical page, in bytes.
  func largestMapping(at ipa: UInt64, of page: UInt64) -> UInt64 {
    if !isHooked { return .max }
    var largest = UInt64.max
    for hook in hostHooks {
      largest = min(largest, hook.largestMapping(at: ipa, of: page, in: self))
    }
    return largest
  }

  /// The parts of a range of canonical IPAs that KVM may unmap.
  func unmappable(_ range: Range<UInt64>) -> [Range<UInt64>] {
    if !isHooked { return [range] }
    var parts = [range]
    for hook in hostHooks { parts = parts.flatMap { hook.unmappable($0, in: self) } }
    return parts
  }
}
