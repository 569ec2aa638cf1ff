@testable import Engine

/// The state of a machine, looked up piece by piece from its roots, as a reader would: what the fingerprint
/// must agree with, and is not made from.
///
/// Each row is its length, a kind, keys, and a value. Where a frame, a node or a record lies is in none.
struct InspectedState: Hashable {
  private var rows: [UInt64] = []

  init(_ machine: Machine) {
    addTables(of: machine)
    addTLBs(of: machine)
    addContexts(of: machine)
    addVMIDs(of: machine)
    addHost(of: machine)
    addContents(of: machine)
    addDevices(of: machine)
    addOwners(of: machine)
    addPaused(of: machine)
  }

  private mutating func add(_ kind: UInt64, _ words: UInt64...) { add(kind, words) }

  private mutating func add(_ kind: UInt64, _ words: [UInt64]) {
    rows.append(UInt64(words.count))
    rows.append(kind)
    rows += words
  }

  private mutating func add(_ kind: UInt64, _ entry: RangeEntry) {
    add(kind, entry.range.lowerBound, entry.range.upperBound, entry.payload)
  }

  // MARK: Tables

  private mutating func addTables(of machine: Machine) {
    var tables: [Table] =
      [machine.hostTable]
      + (0...machine.configuration.shadows).map {
        machine.table(of: machine.mmu($0))
      }
    tables += machine.protectedTables
    if machine.configuration.isolation.pkvm == nil { tables += machine.ownDomainTables }
    if let identity = machine.identityTable { tables.append(identity) }
    for (number, table) in tables.enumerated() {
      addEntries(of: TableReader(table, in: machine), UInt64(number))
    }
  }

  private mutating func addEntries(of reader: TableReader, _ table: UInt64) {
    var pages = [reader.root]
    while let page = pages.popLast() {
      for index in 0..<page.count where page[index].bits != 0 {
        let child = reader.child(of: index, in: page)
        if let child { pages.append(child) }
        let bits = page[index].bits
        add(
          1, table, UInt64(page.level), page.address(of: index),
          child == nil ? bits : bits & ~Descriptor.addressMask)
      }
    }
  }

  private mutating func addTLBs(of machine: Machine) {
    for entry in machine.tlbEntries {
      addEntry(entry, 2, place: entry.slot - machine.layout.tlb.base)
    }
    for entry in machine.iotlbEntries {
      addEntry(entry, 3, place: entry.slot - machine.iotlb.base)
    }
  }

  private mutating func addEntry(_ entry: TLB.Entry, _ kind: UInt64, place: Int) {
    add(kind, UInt64(place), entry.context.bits, entry.address, entry.descriptor.bits)
  }

  // MARK: Contexts

  private mutating func addContexts(of machine: Machine) {
    for number in 0..<machine.configuration.vcpus {
      let vcpu = machine.vcpu(number)
      for field: VCPU.Field in [.vttbr, .vtcr, .hcr, .vncr, .vncrPage] {
        add(4, UInt64(number), UInt64(field.rawValue), machine[vcpu, field])
      }
    }
    for index in 0...machine.configuration.shadows {
      let mmu = machine.mmu(index)
      let fields: [MMU.Field] = [
        .vmid, .vttbr, .vtcr, .stage2Enabled, .pendingUnmap, .broken, .sweeps, .pins,
      ]
      for field in fields { add(5, UInt64(index), UInt64(field.rawValue), machine[mmu, field]) }
      for (kind, tree) in [(6, mmu.reverseMap), (7, mmu.directMap)] as [(UInt64, RangeTree)] {
        for entry in machine.memory.entries(in: Machine.allAddresses, of: tree) {
          add(kind, [UInt64(index), entry.range.lowerBound, entry.range.upperBound, entry.payload])
        }
      }
    }
    for register: Machine.Register in [
      .invalidateInProgress, .nextShadow, .splitChunk, .failInsertions, .failErasures,
    ] { add(8, UInt64(register.rawValue), machine[register]) }
  }

  private mutating func addVMIDs(of machine: Machine) {
    let vmids = machine.layout.vmids
    for field: VMIDAllocator.Field in [.generation, .index, .pinnedCount] {
      add(9, UInt64(field.rawValue), machine.memory.load(field, of: vmids))
    }
    for cpu in 0..<vmids.cpus {
      for field in VMIDAllocator.CPUField.allCases {
        add(
          10, UInt64(cpu), UInt64(field.rawValue), machine.memory.load(vmids.slot(field, of: cpu)))
      }
    }
    for map: VMIDAllocator.Map in [.taken, .pinned] {
      for vmid in 0..<vmids.count where machine.memory.isSet(vmid, in: map, of: vmids) {
        add(11, UInt64(map.rawValue), vmid)
      }
    }
    for holder in machine.otherVMs {
      add(12, holder.number, machine[idOf: holder], machine[pinsOf: holder])
    }
    add(13, machine[.processASID])
  }

  // MARK: The host

  private mutating func addHost(of machine: Machine) {
    for slot in machine.memslots {
      add(
        14, machine[slot, .id], machine[slot, .ipa], machine[slot, .size], machine[slot, .hva],
        machine[slot, .backing], machine[slot, .flags])
      addElements(
        15, machine[slot, .id], of: machine.dirtyBitmap(of: slot), machine.memory)
    }
    for entry in machine.memory.entries(in: Machine.allAddresses, of: machine.vmaTree) {
      add(16, entry)
    }
    for entry in machine.memory.entries(in: Machine.allAddresses, of: machine.noHugePagesTree) {
      add(17, entry)
    }
  }

  private mutating func addElements(
    _ kind: UInt64, _ array: UInt64, of elements: SparseArray, _ memory: Memory,
    where counts: (UInt64) -> Bool = { _ in true }
  ) {
    var index: UInt64 = 0
    while let next = elements.firstIndex(in: index..<SparseArray.capacity, of: memory) {
      if counts(next) { add(kind, array, next, elements.load(next, from: memory)) }
      index = next + 1
    }
  }

  private mutating func addContents(of machine: Machine) {
    var page = Machine.pagesBase
    while page < machine.hostPagesEnd {
      defer { page += 4096 }
      guard Machine.contentsSlot(ofPage: page, in: machine.memory) != nil else {
        // Nothing was ever stored in the 256 pages that share a frame of the array.
        page |= 0xf_f000
        continue
      }
      let contents = PageContents(of: page, in: machine)
      if contents.pattern != 0 { add(18, page, contents.pattern) }
      for place in contents.places {
        let difference = contents.difference(at: place, in: machine.memory)
        if difference != 0 { add(19, page, UInt64(place), difference) }
      }
    }
  }

  // MARK: Devices

  private mutating func addDevices(of machine: Machine) {
    let arrays: [(UInt64, Machine.Register)] = [
      (1, .smmuVMIDs), (2, .otherDevices), (3, .pinCounts), (4, .otherASIDs),
    ]
    for (number, register) in arrays {
      addElements(20, number, of: Self.array(register), machine.memory)
    }
    add(21, machine[.dmaStalled], machine[.commandCount])
    if !machine.hasSMMU { return }
    for device in 0..<SMMU.devices {
      let entry = machine.streamEntry(ofDevice: device)
      let isStage1 = entry.kind == .stage1
      add(
        22, UInt64(device), entry.words[0] & (isStage1 ? ~Descriptor.addressMask : ~0),
        entry.words[1], entry.words[2], machine[device, .inputBits], machine[device, .context],
        machine[device, .domain], machine[device, .isOwn],
        machine.contextDescriptor(ofDevice: device).control)
      for pinned in machine.pinned(in: 0..<1 << 48, of: device) {
        add(23, UInt64(device), pinned.iova, pinned.page, UInt64(pinned.level))
      }
      let areas = machine.memory.entries(
        in: Machine.allAddresses, of: machine.pinnedAreas(of: device))
      for area in areas { add(24, UInt64(device), area.range.lowerBound, area.range.upperBound) }
    }
    for command in machine.queuedInvalidations {
      add(25, command.range.lowerBound, command.range.upperBound, command.context.bits)
    }
  }

  /// An array by its root; its number plays no part in reading.
  private static func array(_ register: Machine.Register) -> SparseArray {
    SparseArray(root: register.slot, .smmuVMIDs)
  }

  // MARK: Owners

  private mutating func addOwners(of machine: Machine) {
    for (number, register) in [(1, .rmp), (2, .vmemmap), (3, .granules)]
      as [(UInt64, Machine.Register)]
    {
      addElements(26, number, of: Self.array(register), machine.memory) {
        register != .granules || $0 >= Machine.pagesBase >> 12
      }
    }
    if machine.configuration.isolation.pkvm == nil { return }
    for region in machine.hostMemory { add(27, region.lowerBound, region.upperBound) }
    for guest in machine.protectedGuests {
      add(28, UInt64(guest.number), guest.isProtected ? 1 : 0, guest.isDying ? 1 : 0)
    }
    add(29, machine[pkvm: .forwards], machine.hostTableCount)
  }

  private mutating func addPaused(of machine: Machine) {
    add(30, machine[.pauseAt], machine[.parkedOwner], machine[.parkedLock])
    for task in machine.parkedTaskList { add(31, task.words) }
    // By number: see `Fingerprint`.
    addElements(32, 0, of: Self.array(.uncleaned), machine.memory)
  }
}
