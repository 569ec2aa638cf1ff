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

  /// How an event holds the lock of the VMM's address space (`mmap_lock`), or that of one VMA instead.
  enum MapLock: UInt64 {
    case none, read, write
    /// The lock of one VMA, for reading (`vma_start_read`): `mmap_lock` is free.
    case area

    /// The lock and its mode, if held.
    var held: [(HeldLock.Lock, HeldLock.Mode)] {
      switch self {
      case .none: []
      case .read: [(.map, .read)]
      case .write: [(.map, .write)]
      case .area: [(.area, .read)]
      }
    }
  }

  /// The lock, and of its writer the lowest address of the VMAs that it locks one after the other
  /// (`vma_start_write`); they stay locked until it drops `mmap_lock`.
  struct HeldMapLock {
    var mode = MapLock.none
    /// A multiple of 4 KiB.
    var start: UInt64 = 0

    init(_ mode: MapLock = .none, from start: UInt64 = 0) {
      self.mode = mode
      self.start = start
    }

    /// As `parkedLock` holds it.
    init(word: UInt64) { self.init(.decoded(word.pageOffset), from: word.page) }
    var word: UInt64 { mode == .none ? 0 : start | mode.rawValue }
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
    if isNotifying {
      self[.parkedLock] = (mapLock.mode == .none ? HeldMapLock(.read) : mapLock).word
    }
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
    mapLock = parkedLock
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
      ? Self.locks(of: self[.parkedOwner]) + parkedLock.mode.held : []
  }

  /// The locks that an event holds from its beginning to its end.
  func locks(of event: Event) -> [(HeldLock.Lock, HeldLock.Mode)] {
    Self.locks(of: owner(of: event)) + mapLock(of: event).mode.held
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

  /// How the paused event holds `mmap_lock`.
  private var parkedLock: HeldMapLock { HeldMapLock(word: self[.parkedLock]) }

  /// Whether the paused event holds `mmap_lock` for writing, so that no fault can look up a VMA.
  var isMapLocked: Bool { parkedLock.mode == .write }

  /// Refuses an event that would wait for the paused one: on its vCPU, or on a lock that it holds.
  mutating func requireNoConflict(_ event: Event) throws(Refusal) {
    owner = owner(of: event)
    // Only an event that may be paused, or that meets a paused one, needs its lock: to find it, VMAs are looked up.
    mapLock = isPaused || self[.pauseAt] != 0 ? mapLock(of: event) : HeldMapLock()
    guard isPaused else { return }
    let parked = self[.parkedOwner]
    if owner == parked, [Owner.devices, Owner.hypervisor].contains(owner) {
      throw Refusal(.lockHeld)
    }
    if owner == parked, let vcpu = parkedVCPU {
      throw Refusal(.vcpuPaused(vcpu), operand: .vcpu)
    }
    let waitsForLock = waitsForMapLock(event) || owner == Owner.memslot && parked == Owner.memslot
    // A new slot's memory is mapped first.
    if case .addMemslot = event, waitsForLock { throw Refusal(.lockHeld) }
    // `kvm_swap_active_memslots` waits for `mn_active_invalidate_count`.
    if self[.invalidateInProgress] != 0, swapsMemslots(event) { throw Refusal(.invalidationActive) }
    if waitsForLock { throw Refusal(.lockHeld) }
  }

  /// Whether an event puts another set of slots in place of the one in use.
  private func swapsMemslots(_ event: Event) -> Bool {
    switch event {
    case .addMemslot, .host(.deleteMemslot): true
    // Without a change the call returns at once.
    case .host(.dirtyLog(let ipa, let on)): usableMemslot(at: ipa).map(isLogging) == !on
    default: false
    }
  }

  /// Whether an event has to wait for the lock of the address space, or of a VMA, that the paused one holds.
  private func waitsForMapLock(_ event: Event) -> Bool {
    let held = parkedLock
    switch (mapLock.mode, held.mode) {
    case (.none, _), (_, .none), (.read, .read), (.read, .area), (.area, .read), (.area, .area):
      return false
    case (.read, .write), (.write, .read), (.write, .write): return true
    case (.area, .write):
      // The writer has locked the VMAs from its first one to the one that it is at.
      guard let notified = parkedNotification else { return true }
      return vma(at: mapLock.start).map {
        $0.range.upperBound > held.start && $0.range.lowerBound < notified.upperBound
      } ?? true
    case (.write, .area):
      guard let area = vma(at: held.start)?.range else { return true }
      switch event {
      case .host(.unmap(let range)), .host(.protect(let range, _)),
        .host(.hugePages(let range, _)), .host(.merge(let range)), .host(.collapse(let range)):
        guard let changed = try? hostRange(range) else { return false }
        // A neighbour may become one VMA with what changes (`vma_modify_flags`).
        return changed.lowerBound <= area.upperBound && area.lowerBound <= changed.upperBound
      case .host(.fork): return true
      // A new slot's memory has a VMA of its own.
      default: return false
      }
    }
  }

  /// The VMM's addresses of the notification in which the paused event is; nil if it is in none.
  private var parkedNotification: Range<UInt64>? {
    parkedTaskList.last { if case .endInvalidation = $0 { true } else { false } }
      .flatMap { if case .endInvalidation(let range) = $0 { range } else { nil } }
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
  private func mapLock(of event: Event) -> HeldMapLock {
    switch event {
    case .host(.unmap(let range)), .host(.protect(let range, _)), .host(.hugePages(let range, _)),
      .host(.merge(let range)), .host(.collapse(let range)):
      return HeldMapLock(.write, from: (try? hostRange(range))?.lowerBound ?? 0)
    case .addMemslot, .host(.fork), .host(.deleteMemslot): return HeldMapLock(.write)
    case .host(.discard(let range)): return areaLock(range)
    // A page fault, by VMA where that has its anon_vma (`vmf_anon_prepare`).
    case .host(.touch(let range, let write)): return areaLock(range, preparing: write)
    case .iommu(_, .pin): return HeldMapLock(.read)
    default: return HeldMapLock()
    }
  }

  /// The lock of the one VMA behind a range of IPAs; `mmap_lock` if there are several, or an anon_vma must be
  /// made (`try_vma_read_lock`, `is_vma_lock_sufficient`).
  private func areaLock(_ ipa: Range<UInt64>, preparing: Bool = false) -> HeldMapLock {
    guard let range = try? hostRange(ipa), let area = vma(at: range.lowerBound),
      range.upperBound <= area.range.upperBound, !preparing || area.flags.contains(.anonymous)
    else { return HeldMapLock(.read) }
    return HeldMapLock(.area, from: range.lowerBound)
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
