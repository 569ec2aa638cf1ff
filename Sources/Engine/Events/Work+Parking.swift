/// Parking: stopping an event midway, so that other events can run before it resumes.
///
/// An event is a stack of tasks, and no task calls another: one that needs something first, such as an access
/// that must break copy-on-write, pushes that task and itself. So the stack is all that is left of an
/// event, with no call frame, iterator or local variable to save. If a task held a walk or a descriptor
/// across a pause, the events in between could change the table under it; a resumed task has only
/// addresses, and looks everything up again, as the kernel must after dropping `mmu_lock`.
///
/// The stack is parked as words of the memory, eight for each task, and not as a Swift array. The journal
/// then covers it like everything else: stepping back over the pause brings the tasks back, and a state
/// in mid-event is like any other, with its own fingerprint. A copy kept outside would be stale after the
/// first step back.
///
/// Only one event can be parked, and it keeps its locks. `requireNoConflict` refuses an event that would have
/// to wait for them. If such an event ran, the recorded order would be impossible in a kernel,
/// and the rules would report races that do not exist.
extension Machine {
  /// The owner of the locks held while an event is parked.
  private enum Owner {
    static let host: UInt64 = 1
    static let memslot: UInt64 = 2
    static let firstVCPU: UInt64 = 3
    /// The events that change what devices see; above all vCPUs' numbers.
    static let devices: UInt64 = 1 << 16
    /// The events that hold the locks of pKVM's hypervisor.
    static let hypervisor = devices + 1
  }

  private static let taskWords: UInt64 = 8

  private var parkedTaskWords: SparseArray {
    SparseArray(root: Register.parkedTasks.slot, .parkedTasks)
  }

  /// How an event holds the lock of the VMM's address space (`mmap_lock`).
  enum MapLock: UInt64, Comparable {
    case none, read, write

    /// The lock and its mode, if held.
    var held: [(HeldLock.Lock, HeldLock.Mode)] {
      switch self {
      case .none: []
      case .read: [(.map, .read)]
      case .write: [(.map, .write)]
      }
    }

    static func < (one: MapLock, other: MapLock) -> Bool { one.rawValue < other.rawValue }
  }

  /// Whether an event is paused.
  public var isPaused: Bool { self[.parkedOwner] != 0 }

  mutating func armPause(at address: UInt64) throws(Refusal) {
    if isPaused { throw Refusal(.alreadyPaused) }
    note(.pause(.armed), at: address)
    self[.pauseAt] = address &+ 1
  }

  /// Whether a pause is requested that the current event may obey.
  var isPauseArmed: Bool { self[.pauseAt] != 0 && !isPaused }

  /// Whether an event that has reached an address must stop there.
  func isPauseAsked(at address: UInt64) -> Bool {
    isPauseArmed && address >= self[.pauseAt] - 1
  }

  /// Stops a hypercall of pKVM before one of its effects, or a device's event between pinning and
  /// mapping, if a pause is requested there.
  mutating func parks(before task: Work) -> Bool {
    guard isPauseArmed, let place = task.pausePlace, isPauseAsked(at: place.address) else {
      return false
    }
    tasks.append(task)
    park(at: place.address, in: place.table)
    return true
  }

  /// Stops the current event before an address of a table.
  mutating func park(at address: UInt64, in table: TableID, dropsLock: Bool = false) {
    note(.pause(.parked(dropsLock: dropsLock)), table, at: address)
    let list = parkedTaskWords
    for (index, task) in tasks.enumerated() {
      for (place, word) in task.words.enumerated() {
        list.store(word, at: UInt64(index) * Self.taskWords + UInt64(place), in: &memory)
      }
    }
    self[.parkedCount] = UInt64(tasks.count)
    self[.parkedOwner] = owner
    // A change of the VMM's memory calls the notifier with the lock held: from its beginning to its end.
    let isNotifying =
      tasks.count { if case .endInvalidation = $0 { true } else { false } }
      > tasks.count { if case .beginInvalidation = $0 { true } else { false } }
    self[.parkedLock] = (isNotifying ? max(mapLock, .read) : .none).rawValue
    self[.pauseAt] = 0
    tasks = []
  }

  mutating func resume(next: Bool) throws(Refusal) {
    guard isPaused else {
      if self[.pauseAt] == 0 { throw Refusal(.nothingPaused) }
      note(.pause(.unused))
      self[.pauseAt] = 0
      return
    }
    note(.pause(.resumed))
    tasks = parkedTaskList
    parkedTaskWords.removeAll(in: &memory)
    owner = self[.parkedOwner]
    self[.parkedCount] = 0
    self[.parkedOwner] = 0
    mapLock = MapLock.decoded(self[.parkedLock])
    self[.parkedLock] = 0
    if next { self[.pauseAt] = 1 }
  }

  /// The remaining tasks of the paused event, the next task last.
  var parkedTaskList: [Work] {
    let list = parkedTaskWords
    return (0..<self[.parkedCount]).map { index in
      Work(
        words: (0..<Self.taskWords).map {
          list.load(index * Self.taskWords + $0, from: memory)
        })
    }
  }

  /// The locks that the paused event holds.
  var parkedLocks: [(HeldLock.Lock, HeldLock.Mode)] {
    isPaused
      ? Self.locks(of: self[.parkedOwner]) + MapLock.decoded(self[.parkedLock]).held : []
  }

  /// The locks that an event holds from its beginning to its end.
  func locks(of event: Event) -> [(HeldLock.Lock, HeldLock.Mode)] {
    Self.locks(of: owner(of: event)) + Self.mapLock(of: event).held
  }

  private static func locks(of owner: UInt64) -> [(HeldLock.Lock, HeldLock.Mode)] {
    switch owner {
    case Owner.memslot: [(.slots, .write)]
    case Owner.devices: [(.device, .write)]
    case Owner.hypervisor: [(.hypervisor, .write)]
    default: []
    }
  }

  /// The vCPU of the paused event, if that is one's.
  var parkedVCPU: Int? {
    let owner = self[.parkedOwner]
    return owner >= Owner.firstVCPU && owner < Owner.devices ? Int(owner - Owner.firstVCPU) : nil
  }

  /// Whether the paused event holds `mmap_lock` for writing, so that no fault can look up a VMA.
  var isMapLocked: Bool { self[.parkedLock] == MapLock.write.rawValue }

  /// Refuses an event that would wait for the paused one: on its vCPU, or on a lock that it holds.
  mutating func requireNoConflict(_ event: Event) throws(Refusal) {
    owner = owner(of: event)
    mapLock = Self.mapLock(of: event)
    guard isPaused else { return }
    let parked = self[.parkedOwner]
    if owner == parked, [Owner.devices, Owner.hypervisor].contains(owner) {
      throw Refusal(.lockHeld)
    }
    if owner == parked, let vcpu = parkedVCPU {
      throw Refusal(.vcpuPaused(vcpu), operand: .vcpu)
    }
    // `kvm_swap_active_memslots` waits for `mn_active_invalidate_count`.
    if case .host(.deleteMemslot) = event, self[.invalidateInProgress] != 0 {
      throw Refusal(.invalidationActive)
    }
    let held = MapLock.decoded(self[.parkedLock])
    let waits = mapLock == .write ? held != .none : mapLock == .read && held == .write
    if waits || owner == Owner.memslot && parked == Owner.memslot {
      throw Refusal(.lockHeld)
    }
  }

  private func owner(of event: Event) -> UInt64 {
    switch event {
    // An access needs the hypervisor's locks only where it faults.
    case .pkvm(.hostAccess), .pkvm(.guestAccess): Owner.host
    case .pkvm: Owner.hypervisor
    case .iommu where ownership.keepsDeviceTables: Owner.hypervisor
    case .addMemslot, .host(.deleteMemslot), .host(.dirtyLog), .host(.getDirtyLog): Owner.memslot
    case .access(_, let vcpu, _, _, _), .context(let vcpu, _, _, _), .invalidate(let vcpu, _),
      .l2Invalidate(let vcpu), .vncr(let vcpu, _):
      Owner.firstVCPU + UInt64(vcpu)
    case .iommu, .rmp(.convert), .rmp(.assign), .rmp(.smash), .realm: Owner.devices
    case .host(.touch), .host(.discard), .host(.unmap), .host(.protect), .host(.hugePages),
      .host(.collapse), .host(.merge), .host(.fork), .host(.idle), .host(.testIdle),
      .host(.eagerSplit), .host(.noHugePages), .run, .wait, .otherVM, .otherProcess, .pause,
      .resume, .dma, .rmp(.hold), .recorded, .failReverseMap:
      Owner.host
    }
  }

  /// How an event needs `mmap_lock` from the beginning. A guest's access takes it when it faults.
  private static func mapLock(of event: Event) -> MapLock {
    switch event {
    case .addMemslot, .host(.unmap), .host(.protect), .host(.hugePages), .host(.merge),
      .host(.fork), .host(.collapse), .host(.deleteMemslot):
      .write
    case .host(.discard), .host(.touch), .iommu(_, .pin): .read
    default: .none
    }
  }
}

extension Work {
  /// Where an event can stop before the task; nil if it cannot.
  fileprivate var pausePlace: (table: TableID, address: UInt64)? {
    switch self {
    case .pkvm(let effect): (effect.place.table, effect.place.address)
    case .mapPinned(let device, _, let run, _, _): (.iommu(device), run)
    case .unmapRuns(let device, let area, let done, _, _) where done < area.size:
      (.iommu(device), area.lowerBound + done)
    default: nil
    }
  }
}
