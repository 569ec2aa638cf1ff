import Engine
import Inquiry
import Language

/// Going through time.
extension Model {
  /// Goes to a moment.
  mutating func go(to moment: Moment) {
    session.seek(to: moment)
    momentHasChanged()
  }

  /// Does to the model what a new moment asks for.
  mutating func momentHasChanged() {
    changes = Changes(in: timeline)
    steps.cursor = nil
    for pane in views.keys { views[pane]?.forgetRanges() }
    if !question.isKept { detail = DocumentView() }
    filter?.restart()
    noteMoment()
  }

  /// Shows the tables, and if the cursor follows the place, that the moment concerns.
  mutating func noteMoment() {
    let shadows = concernedShadows
    if let first = shadows.first, !shadows.contains(recentShadow) { recentShadow = first }
    if isFollowing, let (table, address) = concernedPlace { select(address, in: table) }
  }

  /// The micro-steps that were done last: one, or all of the event.
  var lastSteps: ArraySlice<Step> {
    let done = timeline.stepsDone
    return done < timeline.steps.count && done > 0
      ? timeline.steps[done - 1..<done] : timeline.steps[...]
  }

  /// The shadows that something was done with, other than to look for what is not there.
  private var concernedShadows: [Int] {
    var shadows: [Int] = []
    for step in timeline.steps.prefix(timeline.stepsDone) {
      if [.sweep, .wholeShadow, .invalidation, .lookUpMiss].contains(step.stepClass) { continue }
      if case .shadow(let number) = step.table, !shadows.contains(number) {
        shadows.append(number)
      }
    }
    return shadows
  }

  /// The place that the last micro-step, or the event, is about.
  private var concernedPlace: (TableID, UInt64)? {
    guard let event = timeline.currentEvent else { return nil }
    if lastSteps.count == 1, timeline.stepsDone < timeline.steps.count, let step = lastSteps.first {
      return place(of: step)
    }
    switch timeline.events[event] {
    case .access:
      let store = timeline.steps.last(where: \.isStore).flatMap { place(of: $0) }
      return store ?? timeline.steps.last { $0.stepClass == .access }.flatMap { place(of: $0) }
    case .host(let operation): return operation.address.map { (.canonical, $0) }
    case .invalidate(_, .address(let address, _)), .invalidate(_, .range(let address, _, _)):
      return (.shadow(recentShadow), address)
    case .vncr(_, let address): return (.canonical, address)
    case .dma(let device, let address, _): return (.iommu(device), address)
    case .iommu(let device, .map(let range, _, _)), .iommu(let device, .unmap(let range)):
      return (.iommu(device), range.lowerBound)
    case .realm(let operation): return (.canonical, operation.address)
    case .rmp(let operation): return (.canonical, operation.address)
    case .iommu(_, .pin(let range)): return (.canonical, range.lowerBound)
    case .pkvm(.call(let call)): return call.place
    case .pkvm(.hostAccess(_, let address, _)): return (.protectedHost, address)
    case .pkvm(.guestAccess(let guest, _, let address, _)):
      return (.protectedGuest(guest), address)
    case .pkvm(.memory(let range)): return (.protectedHost, range.lowerBound)
    case .pkvm(.createGuest), .pkvm(.tearDownGuest), .pkvm(.snapshot): return nil
    case .addMemslot, .context, .invalidate, .l2Invalidate, .pause, .resume, .failReverseMap, .run,
      .wait, .otherVM, .otherProcess, .iommu:
      return nil
    }
  }

  /// The place that a step is about: for a store to a table of L1's, the entry.
  func place(of step: Step) -> (TableID, UInt64)? {
    if step.facts.subject == .canonical { return (.canonical, step.address) }
    switch step.table {
    case .host:
      return machine.canonicalAddress(ofHost: step.address).map { (.canonical, $0) }
    case .canonical where step.isStore:
      guard let (table, position) = machine.guestEntry(at: step.address) else { fallthrough }
      return (.guest(table.vttbr.vmid), position.address)
    case .canonical, .shadow, .guest, .iommu, .protectedHost, .protectedGuest:
      guard let table = step.table, step.facts.subject == .input else { return nil }
      return (table, step.address)
    case nil: return nil
    }
  }
}

extension HostOperation {
  /// The first canonical IPA that it concerns.
  var address: UInt64? {
    switch self {
    case .touch(let range, _), .discard(let range), .unmap(let range), .protect(let range, _),
      .hugePages(let range, _), .collapse(let range), .merge(let range), .noHugePages(let range):
      range.lowerBound
    case .idle(let address), .testIdle(let address), .dirtyLog(let address, _),
      .getDirtyLog(let address), .deleteMemslot(let address):
      address
    case .fork, .eagerSplit: nil
    }
  }
}
