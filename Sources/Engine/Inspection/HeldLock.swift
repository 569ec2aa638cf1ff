/// A lock that is held at a moment.
public struct HeldLock: Equatable, Sendable {
  /// The locks that events of the machine wait for.
  public enum Lock: String, Sendable {
    /// KVM's lock of a VM's tables.
    case mmu = "mmu_lock"
    /// The lock of the VMM's address space.
    case map = "mmap_lock"
    /// The lock of one of its VMAs.
    case area = "VMA lock"
    /// KVM's lock of the memory slots.
    case slots = "slots_lock"
    /// The locks of pKVM's hypervisor on the page tables that a hypercall changes.
    case hypervisor = "hyp_spinlock"
    /// The lock that orders changes of a device's table: iommufd's or VFIO's lock, the RMM's, the RMP's.
    case device = "iommu lock"
  }

  /// How it is held.
  public enum Mode: String, Sendable {
    /// Shared with other readers.
    case read
    /// Exclusive.
    case write
  }

  /// The lock.
  public let lock: Lock
  /// How it is held.
  public let mode: Mode
  /// The event that holds it, by its index.
  public let event: Int
}

extension Timeline {
  /// Index of the event paused at the moment; nil if there is none. O(stores since it was paused).
  public var pausedEvent: Int? {
    guard machine.isPaused else { return nil }
    let memory = machine.memory
    var end = memory.position
    while let store = memory.lastStore(toAny: [Machine.Register.parkedOwner.slot], in: 0..<end) {
      let event = self.event(ofStore: store)
      // An event that resumed and stopped again is still the same event.
      guard case .resume = events[event] else { return event }
      end = stores(ofEvent: event).lowerBound
    }
    return nil
  }

  /// The locks that are held at the moment: by the paused event, and by the event in progress.
  public var heldLocks: [HeldLock] {
    var locks: [HeldLock] = []
    if let event = pausedEvent {
      locks = machine.parkedLocks.map { HeldLock(lock: $0, mode: $1, event: event) }
    }
    guard moment.steps > 0, moment.steps < steps.count, let event = currentEvent else {
      return locks
    }
    let own = machine.locks(of: events[event]) + [mmuLock].compactMap { $0 }.map { (.mmu, $0) }
    let hasRemovedAreas = steps.prefix(moment.steps).contains { $0.action == .host(.areasRemoved) }
    return locks
      + own.map { lock, mode in
        // munmap has downgraded the lock.
        let mode = lock == .map && hasRemovedAreas ? .read : mode
        return HeldLock(lock: lock, mode: mode, event: event)
      }
  }

  /// How the event in progress holds `mmu_lock` after the micro-steps done: a fault notes it; a sweep
  /// takes it, and the first step outside the sweep drops it.
  private var mmuLock: HeldLock.Mode? {
    var mode: HeldLock.Mode?
    var isSweeping = false
    for step in steps.prefix(moment.steps) {
      switch step.action {
      case .fault(.locked(let lock)): mode = lock == .read ? .read : .write
      case .fault(.unlocked), .pause(.parked(dropsLock: true)): mode = nil
      case .table(.sweep), .table(.emptyShadow):
        guard step.table?.kind.keeper == .kvm else { break }
        (mode, isSweeping) = (.write, true)
      default:
        if isSweeping, step.stepClass.endsSweep { (mode, isSweeping) = (nil, false) }
      }
    }
    return mode
  }
}

extension Step.Class {
  /// Whether a step of the class ends a sweep rather than being part of it.
  fileprivate var endsSweep: Bool {
    switch self {
    case .hostPage, .hostMapping, .hostArea, .trigger, .pause, .remark, .retry, .refusal, .access,
      .deviceAccess, .walk, .fault, .deviceFault, .injection, .pinning:
      true
    case .data, .setting, .choice, .lookUp, .lookUpMiss, .lookUpFailure, .record, .recordLost,
      .mapState, .leafMade, .leafRemoved, .leafRelaxed, .leafWeakened, .accessFlag, .entryBroken,
      .entryReplaced, .tableMade, .tableRemoved, .tableAllocated, .tableFilled, .tableFreed,
      .cleaning, .guestEntry, .sweep, .plan, .wholeShadow, .invalidation, .deviceInvalidation,
      .wait, .ageing, .lock, .ownership, .identifier, .seen:
      false
    }
  }
}
