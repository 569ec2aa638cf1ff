import Engine

extension Step {
  /// The step in at most two sentences, for a second-year student: what happens, and why, if that needs
  /// no abbreviations or kernel names.
  package var plain: String {
    let why = PlainWords.sentence(PlainWords.first(of: explanation.why))
    return why.isEmpty || !PlainWords.arePlain(why) ? plainFact : plainFact + " " + why
  }

  /// What happens, in one sentence.
  package var plainFact: String { ownFact ?? classFact }

  /// What happens, where the step's class does not say it.
  private var ownFact: String? {
    switch action {
    case .access(.fault(let status, _)):
      "\(Self.obstacle(status.faultClass, to: place)), so the guest stops."
    case .dma(.streamEntry): "The device unit looks up which table translates for the device."
    case .dma(.cached): "The device unit has cached \(place), and reads no table."
    case .dma(.fault(let fault, _)): "\(Self.obstacle(fault, to: place)): the access fails."
    case .dma(.aborted): "No table is set for the device, so its access to \(place) fails."
    case .dma(.waits): "The device's access to \(place) waits."
    case .dma(.stalled): "The device's access to \(place) waits until its fault is handled."
    case .dma(.accessFlagSet): "The device unit marks the page at \(place) as used."
    case .dma(.terminated): "The access that waited fails."
    case .host(.notifierEnd): "The hypervisor hears that the host's change is done."
    case .host(.granuleSignal): "The host process is not given the memory, so its access fails."
    case .host(.signal), .fault(.noVMA), .fault(.hostRefused):
      "The host process has no memory there that permits the access, so the access fails."
    case .fault(.mmioExit): "No memory is there, so the host process plays a device."
    case .realm(.destroyedAccess): "The guest stops: the host took away the memory at \(place)."
    case .tlb(.noCommand): "No device uses the table, so nothing has to be forgotten."
    case .rmp(.rescinded):
      "The guest no longer accepts the memory at \(place) as its own: it will share it."
    case .rmp(.tooSmall):
      "The ownership table has one large entry around \(place), which must be split first."
    case .rmp(.held): "Other uses of the ownership table wait, or may go on."
    case .reverseMap(.eraseFailed): "An entry of the reverse map for \(place) could not be removed."
    case .pause(.armed): "The next event that can stop will stop in the middle."
    case .pause(.unused): "No event came to a place where it can stop."
    case .pause(.parked): "The event stops in the middle, and others may run."
    case .pause(.resumed): "The event that stopped continues."
    default: nil
    }
  }

  /// Why a translation fails.
  private static func obstacle(
    _ fault: FaultStatus.Class?, to place: String
  ) -> String {
    switch fault {
    case .translation: "No entry maps \(place)"
    case .permission: "The entry for \(place) does not permit the access"
    case .accessFlag: "The entry for \(place) is not marked as used"
    case .addressSize: "An entry for \(place) leads beyond all memory"
    case .external, .externalOnWalk: "The memory for \(place) cannot be read, or not be written"
    case nil: "The access to \(place) is not possible"
    }
  }

  private static func obstacle(_ fault: DeviceFault, to place: String) -> String {
    switch fault {
    case .granule, .rmp: "The memory at \(place) belongs to somebody else"
    case .badStreamEntry: "The record about the device is not valid"
    case .translation: obstacle(FaultStatus.Class.translation, to: place)
    case .addressSize: obstacle(FaultStatus.Class.addressSize, to: place)
    case .accessFlag: obstacle(FaultStatus.Class.accessFlag, to: place)
    case .permission: obstacle(FaultStatus.Class.permission, to: place)
    case .conflict: "Two cached translations name \(place)"
    }
  }

  /// What happens, by the step's class.
  private var classFact: String {
    switch stepClass {
    case .access: "\(accessor) \(place)."
    case .deviceAccess: "\(device) uses \(place)."
    case .walk: walkFact
    case .data: dataFact
    case .fault: "The access to \(place) is not permitted by an entry, so the guest stops."
    case .deviceFault: "The device's access to \(place) is not permitted by an entry."
    case .injection: "The hypervisor gives the guest an exception."
    case .setting: told ?? "A setting of the machine changes."
    case .choice: choiceFact
    case .trigger: told ?? "The host changes memory that a guest may use."
    case .lookUp: "The reverse map says which nested address leads to \(place)."
    case .lookUpMiss: "The reverse map has nothing about \(place)."
    case .lookUpFailure: "The reverse map cannot say which nested addresses lead to \(place)."
    case .record: "The reverse map takes note of \(place)."
    case .recordLost: "The reverse map can no longer say which nested addresses lead to \(place)."
    case .mapState: told ?? "The reverse map changes as a whole, or in part."
    case .leafMade: "In \(tableWords), \(place) gets an entry\(target)."
    case .leafRemoved: "In \(tableWords), \(place) loses its entry."
    case .leafRelaxed: "In \(tableWords), the entry for \(place) permits more: one may \(verbs) it."
    case .leafWeakened:
      "In \(tableWords), the entry for \(place) is weakened, so that the next access is noticed."
    case .accessFlag: "In \(tableWords), the entry for \(place) is marked as used."
    case .entryBroken: "In \(tableWords), the entry for \(place) is taken out to be replaced."
    case .entryReplaced: "In \(tableWords), the entry for \(place) is replaced in one store."
    case .tableMade: "In \(tableWords), the entry for \(place) now points to a table."
    case .tableRemoved: "In \(tableWords), a table at \(place) is empty and is taken out."
    case .tableAllocated: "A page is taken for a new table."
    case .tableFilled: "A new table is filled before anybody can see it."
    case .tableFreed: "The page of a table is given back."
    case .cleaning: "Entries are written from the processors' caches to memory."
    case .guestEntry: "The guest changes an entry of its own table."
    case .sweep: "Entries for addresses from \(place) on will be removed from \(tableWords)."
    case .plan: planFact
    case .wholeShadow: "All entries of \(tableWords) will be removed."
    case .invalidation: "The processors forget translations that they have cached."
    case .deviceInvalidation: "Cached device translations will be invalidated."
    case .wait: "The processor waits until that is done."
    case .hostPage: told ?? "The host gives the guest's process a page of memory, or another one."
    case .hostMapping: told ?? "The host changes a table of its own process."
    case .hostArea: told ?? "The host changes what its process may do with some memory."
    case .ageing: told ?? "The host finds out whether memory is in use."
    case .lock: lockFact
    case .pause: told ?? "The event is paused or resumed."
    case .seen: "A list of \(tableWords) was read at \(place): this is what it says."
    case .ownership: told ?? "Who may use a page is looked up, or changes."
    case .pinning: told ?? "A page is pinned so that it stays where it is, or is released."
    case .identifier:
      told ?? "A number that tells cached translations apart is taken, kept or given back."
    case .retry: told ?? "The access is tried again."
    case .remark: "Nothing has to change."
    case .refusal: refusalFact
    }
  }

  /// The step's ordinary sentence, if it works without abbreviations.
  private var told: String? {
    let text = PlainWords.sentence(explanation.what) + "."
    return PlainWords.arePlain(text) && !text.contains(": ") ? text : nil
  }

  /// What is not done, and to what.
  private var refusalFact: String {
    switch action {
    case .domain(.areaCut):
      return "Only a part of the memory pinned at \(place) was named, so it stays pinned."
    case .domain(.partialUnmap):
      return "The entry for \(place) covers more than was named, so it stays."
    case .domain(.unmapUnaligned): return "What was named at \(place) is not made of whole pages."
    case .domain(.unmapStopped):
      return "From \(place) on nothing can be removed, so the removal ends."
    case .rmp(.overlap): return "The memory at \(place) already has an owner, so it gets no other."
    case .realm(.granuleFault): return "The host is kept from memory that is not its own any more."
    case .end(.failed(let error, _)):
      let why = error.plainReason
      return table == nil || address == 0
        ? "The request fails: \(why)." : "The request fails at \(place): \(why)."
    default: return told ?? "The request about \(place) is refused."
    }
  }

  private var walkFact: String {
    switch action {
    case .access(.translated(let physical)), .dma(.translated(let physical, _)):
      return "\(place.capitalized) leads to physical address \(Phrase.address(physical))."
    case .access(.cached): return "The processor has cached \(place), and reads no table."
    default: break
    }
    if level >= 0 {
      return "The entry of level \(level) for \(place) is read from \(tableWords)."
    }
    return facts.subject == .none
      ? told ?? "A record about the device is read." : "A translation of \(place) is cached."
  }

  private var planFact: String {
    if case .guest = action { return "What the guest invalidates takes several instructions." }
    return "In \(tableWords), the entry for \(place) is to be changed."
  }

  private var lockFact: String {
    if case .fault(.unlocked) = action { return "The lock of the tables is dropped." }
    return "The lock of the tables is taken."
  }

  private var choiceFact: String {
    if case .fault(.sizeChosen) = action { return "The hypervisor chooses the size of the entry." }
    return told ?? "The hypervisor decides how to go on."
  }

  /// Who makes an access, and how.
  private var accessor: String {
    guard case .access(.enter(let kind, let guest)) = action else { return "A processor uses" }
    let who = guest == .l1 ? "The guest" : "The nested guest"
    return switch kind {
    case .read: "\(who) reads"
    case .write: "\(who) writes"
    case .execute: "\(who) executes code at"
    }
  }

  private var device: String {
    if case .iommu(let number) = table, number > 0 { "Device \(number)" } else { "The device" }
  }

  private var dataFact: String {
    switch action {
    case .dma(.loaded(let value, let physical)):
      "The device reads the value \(Phrase.address(value)) at physical address \(Phrase.address(physical))."
    case .dma(.stored(_, let physical)):
      "The device's data is written at physical address \(Phrase.address(physical))."
    case .access(.loaded(let value, let physical)):
      "The value \(Phrase.address(value)) is read at physical address \(Phrase.address(physical))."
    case .access(.stored(let value, let physical)):
      "The value \(Phrase.address(value)) is written at physical address \(Phrase.address(physical))."
    case .access(.fetched(let physical)):
      "An instruction is read at physical address \(Phrase.address(physical))."
    case .host(.stored(let page)):
      "The host process writes to the page at physical address \(Phrase.address(page))."
    case .host(.loaded(let page)):
      "The host process reads the page at physical address \(Phrase.address(page))."
    default: told ?? "The processor reads or writes \(place)."
    }
  }

  /// The output and permissions of a new entry.
  private var target: String {
    guard let result, result.isValid else { return "" }
    return " that leads to physical address \(Phrase.address(result.address)), "
      + result.permissions.purpose
  }

  private var verbs: String { result?.permissions.verbs ?? "use" }

  /// The address that the step concerns.
  private var place: String {
    let input = facts.subject == .canonical ? .canonicalIPA : table?.kind.input
    return (input.map { PlainWords.expand($0.name) } ?? "address") + " \(Phrase.address(address))"
  }

  /// The table that the step concerns.
  private var tableWords: String { table?.plainPhrase ?? "a table" }
}

extension KernelError {
  /// Why a call ends in it, as a clause.
  fileprivate var plainReason: String {
    switch self {
    case .eperm: "the memory is not in a state that allows it"
    case .enoent: "what was named does not exist there"
    case .e2big: "the entry there is larger than a page"
    case .eagain: "something else is in progress there"
    case .enomem: "no memory is left for it"
    case .efault: "the address cannot be used"
    case .ebusy: "it is in use"
    case .eexist: "something is there already"
    case .einval: "the address or the size does not fit"
    case .enospc: "no number is free"
    case .erange: "the address is larger than the table can hold"
    case .ehwpoison: "the host took the page back by force"
    case .rmiInput: "the page is not in a state that allows it"
    case .rmiTable: "the table has no such entry"
    }
  }
}
