/// Why an event cannot be carried out. Nothing has changed.
public struct Refusal: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Reason: Equatable, Sendable {
    /// A value that must be a multiple of the second.
    case unaligned(UInt64, UInt64)
    /// A slot that does not fit into the VM's IPA space.
    case beyondIPASpace(bits: Int)
    /// A slot number that is taken.
    case slotExists(UInt64)
    /// A slot that shares addresses with another one.
    case slotsOverlap(UInt64)
    /// Too many slots; the largest number.
    case tooManySlots(Int)
    /// The VMM's address space is full.
    case addressSpaceFull
    /// An address in no memory slot, or a range that does not lie in one.
    case outsideSlots(UInt64)
    /// A CPU that does not exist; the number of those that do.
    case noSuchCPU(Int)
    /// A wait of a vCPU, or another VM, that is on no CPU.
    case notRunning
    /// A number of another VM that is too large; the largest.
    case noSuchVM(UInt64)
    /// A range too large to handle page by page; the largest size in bytes.
    case tooLarge(UInt64)
    /// A vCPU that does not exist; the number of those that do.
    case noSuchVCPU(Int)
    /// A statement about L2 in a VM without nesting.
    case notNested
    /// `resume` with nothing paused.
    case nothingPaused
    /// `pause` while an event is paused.
    case alreadyPaused
    /// The vCPU of the paused event.
    case vcpuPaused(Int)
    /// An event that needs a lock that the paused event holds.
    case lockHeld
    /// Deletion of a memory slot while an invalidation is under way.
    case invalidationActive
    /// A failure of a reverse map where there is none.
    case noReverseMap
    /// A number of another process that is too large; the largest.
    case noSuchProcess(UInt64)
    /// A device that cannot work with the host's addresses.
    case noSharedAddresses
    /// A change of a device's own table where it shares the CPUs'.
    case sharedTable
    /// A second table where the SMMU has only one VMID for the VM.
    case oneTableOfVMID
    /// A statement about an RMP where there is none.
    case noRMP
    /// A statement about a realm where there is none.
    case noRealm
    /// An operation that the host cannot do on a realm's memory.
    case realmMemory
    /// A conversion of pages in more than one 2M region.
    case beyondRegion
    /// A device that does not exist.
    case noSuchDevice
    /// A statement of pKVM, or a VM of the host under pKVM.
    case notProtected, onlyProtected
    /// Memory outside the machine's physical memory range.
    case outsidePhysicalMemory(Range<UInt64>)
    /// Memory that overlaps existing memory.
    case memoryOverlaps(UInt64)
    /// Too many regions of memory; the largest number.
    case tooManyRegions(Int)
    /// Memory added where MMIO is already mapped.
    case memoryTooLate
    /// An address beyond the machine's physical addresses.
    case beyondPhysicalSpace(bits: Int)
    /// A table that the hypervisor keeps.
    case hypervisorTable
    /// A call of a recording in a VM of the model, or the reverse.
    case notRecorded, onlyRecorded
    /// What a dump shows where calls are recorded, or the reverse.
    case notSeen, onlySeen
    /// A level that a table does not have; the first that it has.
    case noSuchLevel(Int)
    /// A recording where somebody keeps the owners of memory apart.
    case recordedIsolation
    /// A shadow that does not exist; the number of those that do.
    case noSuchShadow(Int)
    /// A table that is neither the canonical one nor a shadow.
    case otherTable
    /// The canonical table where a shadow is required.
    case notShadow
    /// An address beyond the input addresses of a table.
    case beyondInput(bits: Int)
    /// A size that no leaf has.
    case leafSize(UInt64)
    /// Dirty logging is off for the slot.
    case notLogging
    /// The chunk size must be set before the first slot (-EINVAL).
    case splitAfterSlots
    /// A chunk size other than 0, 4K, 2M or 1G.
    case splitSize(UInt64)
  }

  /// The kind of operand that is at fault.
  public enum Operand: UInt8, CaseIterable, Sendable {
    /// The event's address, or the start of its range.
    case address
    /// The size of its range.
    case size
    /// The number of a memory slot.
    case slot
    /// The vCPU.
    case vcpu
    /// The CPU.
    case cpu
    /// The device.
    case device
    /// The number of another VM or process.
    case other
  }

  /// What is wrong.
  public let reason: Reason
  /// The operand at fault; nil if it is the event as a whole.
  public let operand: Operand?

  init(_ reason: Reason, operand: Operand? = nil) {
    self.reason = reason
    self.operand = operand
  }
}

extension Machine {
  /// Refuses a value that is not a multiple of a power of two.
  func requireAligned(_ value: UInt64, to alignment: UInt64, operand: Refusal.Operand)
    throws(Refusal)
  {
    if value & (alignment - 1) != 0 {
      throw Refusal(.unaligned(value, alignment), operand: operand)
    }
  }
}
