@testable import Engine

/// A VM with one memory slot, for tests about devices.
enum OneSlot {
  /// Its canonical IPAs.
  static let range: Range<UInt64> = 0x8000_0000..<0x8040_0000
  /// The VMM's address of it.
  static let hva: UInt64 = 0xffff_9bc0_0000

  /// A machine that records its steps, under a configuration of the SMMU.
  static func machine(
    _ change: (inout IOMMUConfiguration) -> Void = { _ in }
  ) throws -> Machine {
    var configuration = VMConfiguration(ipaBits: 40, vcpus: 1, nested: false)
    change(&configuration.iommu)
    var machine = Machine(configuration)
    try machine.apply(.addMemslot(id: 0, range, .pages))
    machine.steps.isRecording = true
    return machine
  }
}
