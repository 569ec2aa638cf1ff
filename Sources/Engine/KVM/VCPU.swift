/// A virtual CPU: L1's EL2 registers, and the outcomes of the last accesses of L1 and L2. A record in memory.
struct VCPU: Equatable {
  let number: Int
  /// Slot of the record's first word.
  let base: Int

  enum Field: Int, RecordField {
    case vttbr, vtcr, hcr
    /// Outcome of L1's last access, then of L2's: two words each.
    case outcomeL1
    case outcomeL2 = 5
    /// Canonical IPA of L1's VNCR page, with bit 0 set if there is one.
    case vncr = 7
    /// Physical address of that page as KVM translated it, 0 if it has not (the pseudo-TLB).
    case vncrPage

    static let count = 16

    var words: [WordClass] {
      switch self {
      case .vttbr, .vtcr, .hcr, .vncr, .vncrPage: [.state]
      case .outcomeL1, .outcomeL2: [.history, .history]
      }
    }
  }
}

/// Who makes an access.
public enum Guest: UInt8, Sendable {
  /// The guest hypervisor, or a guest without nesting.
  case l1
  /// Its guest.
  case l2
}

/// How an access ended.
public enum Outcome: Equatable, Sendable {
  /// There was none.
  case none
  /// It was carried out.
  case completed
  /// An abort was injected into L1: its status, the page, and whether KVM_RUN also failed with EFAULT.
  case exception(FaultStatus, instruction: Bool, write: Bool, ipa: UInt64, alsoEFAULT: Bool)
  /// It exited to user space as MMIO, with the canonical IPA.
  case mmio(write: Bool, ipa: UInt64)
  /// A synchronous external abort.
  case externalAbort
  /// An address size fault.
  case sizeFault
  /// KVM_RUN failed with EFAULT.
  case efault
  /// KVM_RUN failed with ENOMEM.
  case enomem
  /// An invalidation is under way and stays so: the vCPU would fault until it ends.
  case blocked
  /// It takes the same fault for ever, though nothing is under way.
  case endless

  /// The two words of a vCPU record.
  var words: (UInt64, UInt64) {
    switch self {
    case .none: (0, 0)
    case .completed: (1, 0)
    case .exception(let status, let instruction, let write, let ipa, let alsoEFAULT):
      (
        2 | UInt64(status.code) << 8 | (instruction ? 1 << 16 : 0) | (write ? 1 << 17 : 0)
          | (alsoEFAULT ? 1 << 18 : 0), ipa
      )
    case .mmio(let write, let ipa): (3 | (write ? 1 << 17 : 0), ipa)
    case .externalAbort: (4, 0)
    case .sizeFault: (5, 0)
    case .efault: (6, 0)
    case .blocked: (7, 0)
    case .enomem: (8, 0)
    case .endless: (9, 0)
    }
  }

  init(words: (UInt64, UInt64)) {
    let (code, ipa) = words
    switch code & 0xff {
    case 1: self = .completed
    case 2:
      self = .exception(
        FaultStatus(UInt8(code >> 8 & 0x3f)), instruction: code >> 16 & 1 != 0,
        write: code >> 17 & 1 != 0, ipa: ipa, alsoEFAULT: code >> 18 & 1 != 0)
    case 3: self = .mmio(write: code >> 17 & 1 != 0, ipa: ipa)
    case 4: self = .externalAbort
    case 5: self = .sizeFault
    case 6: self = .efault
    case 7: self = .blocked
    case 8: self = .enomem
    case 9: self = .endless
    default: self = .none
    }
  }
}

extension Machine {
  subscript(vcpu: VCPU, field: VCPU.Field) -> UInt64 {
    get { memory.load(vcpu.base + field.rawValue) }
    set { memory.store(newValue, at: vcpu.base + field.rawValue) }
  }

  func vcpu(_ number: Int) -> VCPU {
    VCPU(number: number, base: layout.vcpus + number * VCPU.Field.count)
  }

  /// L1's registers before it writes them: RES1 bits already read as one (`kvm_init_nv_sysregs`).
  mutating func createVCPUs() {
    for number in 0..<configuration.vcpus where configuration.nested {
      self[vcpu(number), .vtcr] = VTCR.sanitised(0, vmidBits: configuration.vmidBits)
    }
  }

  /// How the last access of a guest on a vCPU ended.
  public func outcome(of guest: Guest, vcpu number: Int) -> Outcome {
    let slot = outcomeSlot(guest, vcpu(number))
    return Outcome(words: (memory.load(slot), memory.load(slot + 1)))
  }

  /// How the last access of any vCPU ended.
  public var lastOutcome: Outcome {
    let last = PastAccesses(bits: self[.lastAccess]).last
    return last == 0
      ? .none
      : outcome(of: Guest.decoded(UInt8(last & 1)), vcpu: Int(last >> 1) - 1)
  }

  /// The value of the last read; nil if there was none, or it did not complete.
  public var lastValue: UInt64? {
    PastAccesses(bits: self[.lastAccess]).hasRead ? self[.lastValue] : nil
  }

  mutating func setLastValue(_ value: UInt64) {
    self[.lastValue] = value
    var past = PastAccesses(bits: self[.lastAccess])
    if past.hasRead { return }
    past.hasRead = true
    self[.lastAccess] = past.bits
  }

  mutating func setOutcome(_ outcome: Outcome, of access: Access, _ vcpu: VCPU) {
    let slot = outcomeSlot(access.guest, vcpu)
    let words = outcome.words
    memory.store(words.0, at: slot)
    memory.store(words.1, at: slot + 1)
    var past = PastAccesses(bits: self[.lastAccess])
    past.last = UInt64(vcpu.number + 1) << 1 | UInt64(access.guest.rawValue)
    if access.kind == .read, outcome != .completed { past.hasRead = false }
    self[.lastAccess] = past.bits
  }

  private func outcomeSlot(_ guest: Guest, _ vcpu: VCPU) -> Int {
    vcpu.base + (guest == .l1 ? VCPU.Field.outcomeL1 : .outcomeL2).rawValue
  }
}

/// What is remembered of accesses, for `expect`.
///
///      63           32 31      17  16   15        1   0
///     +---------------+----------+----+----------+-----+
///     | logs fetched  |    0     |read| vCPU + 1 | who |    0 in the low half: there was no access
///     +---------------+----------+----+----------+-----+
struct PastAccesses {
  private(set) var bits: UInt64

  private static let lastMask: UInt64 = 0xffff
  private static let readBit: UInt64 = 1 << 16
  private static let logShift: UInt64 = 32

  init(bits: UInt64) { self.bits = bits }

  /// The last access: its vCPU's number + 1, and below that the guest; 0 for none.
  var last: UInt64 {
    get { bits & Self.lastMask }
    set { bits = bits & ~Self.lastMask | newValue & Self.lastMask }
  }

  /// Whether anything was read.
  var hasRead: Bool {
    get { bits & Self.readBit != 0 }
    set { bits = bits & ~Self.readBit | (newValue ? Self.readBit : 0) }
  }

  /// Whose dirty logs were fetched: a bit for each slot's record.
  var fetchedLogs: UInt64 {
    get { bits >> Self.logShift }
    set { bits = bits & (1 << Self.logShift - 1) | newValue << Self.logShift }
  }
}
