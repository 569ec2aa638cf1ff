extension Step {
  /// The facts about a kind of micro-step, without its operands.
  package struct Facts: Equatable, Sendable {
    /// Its class, for those who follow tables, costs, causes or windows.
    package let stepClass: Class
    /// The rule that it follows, which has a card.
    package let convention: Convention
    /// What its address refers to.
    package let subject: Subject
    /// How much it says about its event, from 0 to 4.
    package let weight: Int

    init(_ stepClass: Class, _ convention: Convention, _ subject: Subject = .input, weight: Int = 0)
    {
      self.stepClass = stepClass
      self.convention = convention
      self.subject = subject
      self.weight = weight
    }
  }

  /// What the address of a step refers to.
  package enum Subject: Sendable {
    /// An input address of the step's table.
    case input
    /// A canonical IPA, although the table is a shadow: the step is about its reverse map.
    case canonical
    /// Nothing: the step is about a whole table, a context, or no table at all.
    case none
  }

  /// Classes of micro-steps, for code that handles steps of many kinds.
  package enum Class: CaseIterable, Sendable {
    /// An access of a CPU, or of a device, begins.
    case access, deviceAccess
    /// An entry is read, or a translation found, by hardware or in software.
    case walk
    /// Data is loaded or stored, or an instruction fetched.
    case data
    /// A walk of a CPU, or a DMA, ends in a fault.
    case fault, deviceFault
    /// An exception is injected into the guest.
    case injection
    /// A change of registers, SMMU records, slots, and anything else that determines translation.
    case setting
    /// KVM decides how a fault is handled.
    case choice
    /// The cause of an unmap.
    case trigger
    /// A reverse map knows the nested IPA, has nothing, or cannot tell.
    case lookUp, lookUpMiss, lookUpFailure
    /// An entry of a reverse map is stored, or kept; or the nested IPA is lost.
    case record, recordLost
    /// The state of a whole reverse map, or its future failures.
    case mapState
    /// A leaf is installed, removed, gains permissions, or loses some.
    case leafMade, leafRemoved, leafRelaxed, leafWeakened
    /// A leaf's access flag is set.
    case accessFlag
    /// An entry is broken before a new one is made.
    case entryBroken
    /// An entry replaces another in one store.
    case entryReplaced
    /// A table is linked, or unlinked.
    case tableMade, tableRemoved
    /// A table page is allocated, filled before it is visible, or freed.
    case tableAllocated, tableFilled, tableFreed
    /// Entries become visible to a walker that does not snoop caches.
    case cleaning
    /// An entry in L1's memory changes.
    case guestEntry
    /// A range is to be unmapped, mapped or relaxed.
    case sweep, plan
    /// A whole shadow is to be unmapped.
    case wholeShadow
    /// The CPUs' TLBs, or the SMMU's, drop entries; or the kernel waits for that.
    case invalidation, deviceInvalidation, wait
    /// The VMM gets a page; its table changes otherwise; its VMAs change.
    case hostPage, hostMapping, hostArea
    /// Access and idle flags of the host are read or cleared.
    case ageing
    /// A lock is taken or dropped, or an event paused.
    case lock, pause
    /// What an entry is was seen, or not told: nobody knows since when.
    case seen
    /// Who may use a page changes.
    case ownership
    /// A page is pinned, or unpinned.
    case pinning
    /// A VMID or ASID is taken, kept or released.
    case identifier
    /// Something is retried.
    case retry
    /// Why nothing changes.
    case remark
    /// A call fails, or does less than was asked for.
    case refusal
  }
}

/// The rules that micro-steps follow. Each has a card.
package enum Convention: String, CaseIterable, Sendable {
  // A guest runs.
  case hardwareWalk, hardwareAccessFlag, guestContext, guestInvalidation, stage1Invalidation, vncr
  // KVM handles a fault.
  case shadowChoice, guestWalk, injection, addressCheck, memslots, hostAccess, mappingSize, retry,
    lock
  // Tables change.
  case mapping, breakBeforeMake, relaxing, unmapping, sweeping, writeProtection, ageing,
    dirtyLogging
  // The reverse map.
  case recording, fusing, brokenMap, stage2Off, lookingUp, sharedSweep, forgetting
  // VMIDs.
  case vmidAllocation, vmidPinning, domainVMID
  // The host's memory.
  case notifier, hostPages, copyOnWrite, hostMappings, collapsing, merging, hostUse
  // Devices.
  case deviceAccess, stalling, sharedAddresses, ioTable, deviceInvalidation, cleaning, pagePinning,
    splitting, reverseMapTable, realm, pkvmHost, pageOwnership, identityMap, failing
  // What was seen.
  case sight
}
