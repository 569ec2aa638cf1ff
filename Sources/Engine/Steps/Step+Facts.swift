extension Step {
  /// What is known of a kind of micro-step without its operands.
  package struct Facts: Equatable, Sendable {
    /// What it is for whoever follows tables, costs, causes or windows.
    package let stepClass: Class
    /// The rule that it follows, of which there is a card.
    package let convention: Convention
    /// What its address is.
    package let subject: Subject
    /// How much it tells of its event, from 0 to 4.
    package let weight: Int

    init(_ stepClass: Class, _ convention: Convention, _ subject: Subject = .input, weight: Int = 0)
    {
      self.stepClass = stepClass
      self.convention = convention
      self.subject = subject
      self.weight = weight
    }
  }

  /// What the address of a step is.
  package enum Subject: Sendable {
    /// An input address of the step's table.
    case input
    /// A canonical IPA, although the table is a shadow: the step is about its reverse map.
    case canonical
    /// Nothing: the step is about all of a table, a context, or no table at all.
    case none
  }

  /// Classes of micro-steps. Whoever looks at steps of many kinds looks at these.
  package enum Class: CaseIterable, Sendable {
    /// An access of a CPU, or of a device, begins.
    case access, deviceAccess
    /// An entry is read, or a translation found, by hardware or in software.
    case walk
    /// Data is loaded or stored, or an instruction fetched.
    case data
    /// A walk of a CPU, or a DMA, ends in a fault.
    case fault, deviceFault
    /// The guest is given an exception.
    case injection
    /// Registers, records of the SMMU, slots, and whatever else says how it is translated.
    case setting
    /// KVM decides how a fault is handled.
    case choice
    /// Where an unmap comes from.
    case trigger
    /// A reverse map knows the nested IPA, has nothing, or cannot tell.
    case lookUp, lookUpMiss, lookUpFailure
    /// An entry of a reverse map is stored, or kept; or the nested IPA is lost.
    case record, recordLost
    /// All of a reverse map, or how it will fare.
    case mapState
    /// A leaf is made, removed, gets more permissions, or loses some.
    case leafMade, leafRemoved, leafRelaxed, leafWeakened
    /// A leaf's access flag is set.
    case accessFlag
    /// An entry is broken, to be made anew.
    case entryBroken
    /// An entry takes another's place in one store.
    case entryReplaced
    /// A table is linked, or unlinked.
    case tableMade, tableRemoved
    /// A page for a table is taken, filled before anybody sees it, or given back.
    case tableAllocated, tableFilled, tableFreed
    /// Entries become visible to a walker that does not look into caches.
    case cleaning
    /// An entry in L1's memory changes.
    case guestEntry
    /// A range is to be unmapped, mapped or relaxed.
    case sweep, plan
    /// All of a shadow is to be unmapped.
    case wholeShadow
    /// CPUs' TLBs, or the SMMU's, forget; or it is waited for that.
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
    /// A VMID or ASID is taken, kept or given back.
    case identifier
    /// Something is tried again.
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
