/// KVM's allocator of hardware VMIDs, one for all VMs of the host (arch/arm64/kvm/vmid.c): its words.
///
/// An *id* is a generation, in the bits above those of a VMID, and a VMID; 0 is none. Only ids of the
/// current generation count. VMID 0 is never assigned.
///
///     word 0    generation               word 16 + 4c   active id of CPU c
///          1    where the search begins         + 1     reserved id of CPU c
///          2    number of pinned ids            + 2     who stays on CPU c
///          3    root: ids of other VMs   word 512 on    bitmap of what is taken, then of what is pinned
struct VMIDAllocator: Equatable, Sendable {
  /// Slot of the first word.
  let base: Int
  /// Bits of a VMID (`kvm_arm_vmid_bits`).
  let bits: Int
  /// CPUs of the host.
  let cpus: Int

  enum Field: Int, RecordField {
    /// `vmid_generation`.
    case generation
    /// `cur_idx`.
    case index
    /// `nr_pinned_vmids`.
    case pinnedCount
    /// A sparse array with two words for each other VM: its id, and its count of pins.
    case otherVMs

    var words: [WordClass] {
      switch self {
      case .generation, .index, .pinnedCount: [.state]
      case .otherVMs: [.history]
      }
    }
  }

  /// A word of a CPU.
  enum CPUField: Int, RecordField {
    /// `active_vmids`: 0 from a rollover until the CPU next takes the lock.
    case active
    /// `reserved_vmids`: the id that ran here at the last rollover.
    case reserved
    /// The holder that stays on the CPU between statements, or 0.
    case occupant

    static let count = 4

    var words: [WordClass] {
      switch self {
      case .active, .reserved, .occupant: [.state]
      }
    }
  }

  /// Which bitmap.
  enum Map: Int {
    /// `vmid_map`.
    case taken
    /// `pinned_vmid_map`.
    case pinned
  }

  private static let firstCPU = 16
  private static let firstMap = 512

  private static func mapWords(bits: Int) -> Int { max(1, 1 << (bits - 6)) }

  /// Words that an allocator needs.
  static func words(bits: Int) -> Int { firstMap + 2 * mapWords(bits: bits) }

  /// The classes of its first frame; the others are the bitmaps.
  static var classes: [WordClass] {
    var classes = FrameUse.classes(of: CPUField.self, from: firstCPU, each: CPUField.count)
    for field in Field.allCases {
      classes.replaceSubrange(
        field.rawValue..<field.rawValue + field.words.count, with: field.words)
    }
    return classes
  }

  /// Number of VMIDs, 0 included (`NUM_USER_VMIDS`), which is also the first generation.
  var count: UInt64 { 1 << UInt64(bits) }
  /// The bits of an id that are its VMID.
  var mask: UInt64 { count - 1 }
  /// A CPU's active id while no vCPU is on it (`VMID_ACTIVE_INVALID`).
  var noneActive: UInt64 { count }
  /// Maximum number of pinned ids: it leaves one free after a rollover with a reserved id on every CPU
  /// (`max_pinned_vmids`).
  var pinLimit: UInt64 { count - UInt64(cpus) - 2 }

  func slot(_ field: Field) -> Int { base + field.rawValue }

  func slot(_ field: CPUField, of cpu: Int) -> Int {
    base + Self.firstCPU + cpu * CPUField.count + field.rawValue
  }

  /// The words of a bitmap.
  func slots(of map: Map) -> Range<Int> {
    let count = Self.mapWords(bits: bits)
    let first = base + Self.firstMap + map.rawValue * count
    return first..<first + count
  }
}

/// Who holds a VMID (`struct kvm_vmid`).
enum VMIDHolder: Equatable {
  /// A stage-2 context of this VM.
  case context(MMU)
  /// Another VM, by its number.
  case otherVM(UInt64)

  /// The table, and the VM's number, in the holder's micro-steps.
  var table: TableID? {
    if case .context(let mmu) = self { mmu.tableID } else { nil }
  }
  var number: UInt64 {
    if case .otherVM(let number) = self { number } else { 0 }
  }
  var noted: IdentifierStep.Holder {
    switch self {
    case .context(let mmu): .context(mmu.tableID)
    case .otherVM(let number): .otherVM(number)
    }
  }
}

extension Memory {
  func load(_ field: VMIDAllocator.Field, of vmids: VMIDAllocator) -> UInt64 {
    load(vmids.slot(field))
  }

  /// Whether the bit of a VMID is set in a bitmap.
  func isSet(_ vmid: UInt64, in map: VMIDAllocator.Map, of vmids: VMIDAllocator) -> Bool {
    load(vmids.slots(of: map).lowerBound + Int(vmid / 64)) >> (vmid % 64) & 1 != 0
  }

  mutating func set(
    _ vmid: UInt64, _ isSet: Bool = true, in map: VMIDAllocator.Map, of vmids: VMIDAllocator
  ) {
    let slot = vmids.slots(of: map).lowerBound + Int(vmid / 64)
    let bit: UInt64 = 1 << (vmid % 64)
    store(isSet ? load(slot) | bit : load(slot) & ~bit, at: slot)
  }

  /// The first free VMID from `start` on, or nil (`find_next_zero_bit`).
  func nextFreeVMID(from start: UInt64, of vmids: VMIDAllocator) -> UInt64? {
    let first = vmids.slots(of: .taken).lowerBound
    var vmid = start
    while vmid < vmids.count {
      let free = ~load(first + Int(vmid / 64)) >> (vmid % 64)
      if free != 0 {
        let found = vmid + UInt64(free.trailingZeroBitCount)
        return found < vmids.count ? found : nil
      }
      vmid = (vmid / 64 + 1) * 64
    }
    return nil
  }
}
