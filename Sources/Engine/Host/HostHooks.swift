/// Hooks of the host and of KVM, of the memory that the VM is made of: for devices, and for who keeps the
/// owners of memory apart. Every hook has a default that does nothing.
protocol HostHooks: Sendable {
  /// The TLBs of all CPUs dropped a range of input addresses of some VM or process, known by its context
  /// alone.
  func didInvalidate(
    _ range: Range<UInt64>, _ context: TranslationContext, in machine: inout Machine)

  /// The TLBs of all CPUs dropped everything of all VMs.
  func didInvalidateAll(in machine: inout Machine)

  /// Whether anybody can tell that entries of the VMM's table are cleared before they are replaced.
  func watchesProcess(in machine: Machine) -> Bool

  /// The kernel flushed a range of the VMM's own addresses (`flush_tlb_range`, and its notifiers).
  func didFlushProcess(_ range: Range<UInt64>, in machine: inout Machine)

  /// Handles a fault of the VM in the place of KVM; nil to leave it to KVM.
  func handle(_ fault: MemoryFault, in machine: inout Machine) -> Attempt?

  /// The page that KVM goes on using at a canonical IPA, whatever the VMM has there now.
  func keptPage(at ipa: UInt64, in machine: Machine) -> UInt64?

  /// The largest leaf that KVM may make at a canonical IPA for a physical page, in bytes.
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
  func didFlushProcess(_ range: Range<UInt64>, in machine: inout Machine) {}
  func handle(_ fault: MemoryFault, in machine: inout Machine) -> Attempt? { nil }
  func keptPage(at ipa: UInt64, in machine: Machine) -> UInt64? { nil }
  func largestMapping(at ipa: UInt64, of page: UInt64, in machine: Machine) -> UInt64 { .max }
  func unmappable(_ range: Range<UInt64>, in machine: Machine) -> [Range<UInt64>] { [range] }
}

/// Calling the hooks.
extension Machine {
  /// Whether anybody can tell that entries of the VMM's table are cleared before they are replaced.
  var isProcessWatched: Bool { hostHooks.contains { $0.watchesProcess(in: self) } }

  /// The page that KVM goes on using at a canonical IPA, whatever the VMM has there now; nil where it is
  /// the VMM's.
  func keptPage(at ipa: UInt64) -> UInt64? {
    hostHooks.lazy.compactMap { $0.keptPage(at: ipa, in: self) }.first
  }

  /// The largest leaf that KVM may make at a canonical IPA for a physical page, in bytes.
  func largestMapping(at ipa: UInt64, of page: UInt64) -> UInt64 {
    hostHooks.reduce(.max) { min($0, $1.largestMapping(at: ipa, of: page, in: self)) }
  }

  /// The parts of a range of canonical IPAs that KVM may unmap.
  func unmappable(_ range: Range<UInt64>) -> [Range<UInt64>] {
    hostHooks.reduce([range]) { parts, hook in parts.flatMap { hook.unmappable($0, in: self) } }
  }
}
