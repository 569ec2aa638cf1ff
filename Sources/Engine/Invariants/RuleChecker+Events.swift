/// Rules about the last event only: the leaves that it made, or its invalidation.
extension RuleChecker {
  func momentaryViolations(
    _ machine: Machine, after stores: Range<Int>
  ) -> [(place: BrokenPlaces.Place, violation: Violation)] {
    var made: [Int] = []
    var contexts: [MMU] = []
    var hasLocks = false
    var hasCoverage = false
    for store in stores {
      let (slot, value) = machine.memory.journalEntry(store)
      let role = frames[slot / Memory.frameWords]
      switch role.kind {
      case .table:
        if value & Descriptor.valid == 0, role.number > 0, numbers.isContext(Int(role.number)) {
          made.append(slot)
        }
      case .registers:
        switch slot {
        case Machine.Register.coveredShadows.slot: hasCoverage = true
        case Machine.Register.unlockedRecords.slot, Machine.Register.sleepingRecords.slot:
          hasLocks = true
        default: break
        }
      case .contexts:
        let place = slot - machine.layout.mmus
        let index = place / MMU.Field.count
        if index > 0, index <= numbers.shadows,
          MMU.contextFields.contains(where: { $0.rawValue == place % MMU.Field.count }),
          !contexts.contains(machine.mmu(index))
        {
          contexts.append(machine.mmu(index))
        }
      default: break
      }
    }
    var found: [(BrokenPlaces.Place, Violation)] = []
    made.sort()
    var last = -1
    for slot in made where slot != last {
      last = slot
      guard let (leaf, number) = leaf(at: slot, machine.memory),
        machine.isMadeWrong(leaf, of: machine.mmu(number), stores, pages)
      else { continue }
      let table = machine.mmu(number).tableID
      found.append(
        (
          BrokenPlaces.Place(part: .leaves, group: number, address: leaf.address, rank: 1),
          Violation(invariant: .shadowComposition, table: table, address: leaf.address)
        ))
    }
    func add(_ violations: [Violation], _ part: BrokenPlaces.Part) {
      for (rank, violation) in violations.enumerated() {
        found.append((BrokenPlaces.Place(part: part, rank: rank), violation))
      }
    }
    if hasLocks { add(machine.lockViolations(after: stores), .locks) }
    if hasCoverage { add(machine.coverageViolations(after: stores), .coverage) }
    if !contexts.isEmpty {
      contexts.sort { $0.index < $1.index }
      let made = Set(made)
      add(contexts.flatMap { machine.recyclingViolations(of: $0, made: made) }, .recycling)
    }
    return found
  }
}
