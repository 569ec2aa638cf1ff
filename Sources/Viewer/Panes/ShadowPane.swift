import Canvas
import Engine

/// One of the shadow tables; under pKVM a guest's table.
struct ShadowPane: TablePane {
  var pane: Pane { .shadow }
  var region: PaneRegion { .table(rank: 0) }

  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool {
    configuration.nested || configuration.isolation.pkvm != nil
  }

  func table(in model: Model) -> TableID? {
    model.views[pane]?.pinned
      ?? (model.machine.configuration.nested
        ? .shadow(model.recentShadow) : recentProtectedGuest(in: model))
  }

  func tables(in model: Model) -> [TableID] {
    (0..<model.machine.configuration.shadows).map { .shadow($0) }
      + model.machine.protectedGuests.map { .protectedGuest($0.number) }
  }

  /// The guest of pKVM that the current event concerns, or the first.
  private func recentProtectedGuest(in model: Model) -> TableID? {
    let guests = model.timeline.steps.compactMap { step -> TableID? in
      if case .protectedGuest = step.table { step.table } else { nil }
    }
    return guests.last ?? model.machine.protectedGuests.first.map { .protectedGuest($0.number) }
  }

  func name(in model: Model) -> SafeText {
    switch table(in: model) {
    case .shadow(let number): "Shadow \(number)"
    case .protectedGuest(let number): "Guest \(number)"
    default: model.machine.configuration.nested ? "Shadow" : "Guest"
    }
  }

  func tableContext(in model: Model) -> [SafeText] {
    switch table(in: model) {
    case .shadow(let number): context(ofShadow: number, in: model)
    case .protectedGuest(let number): context(ofGuest: number, in: model)
    default: []
    }
  }

  private func context(ofShadow number: Int, in model: Model) -> [SafeText] {
    let context = model.machine.shadowContext(number)
    var parts: [SafeText] = ["nIPA \(Glyph.right) PA"]
    parts += model.changeCount(of: .shadow(number))
    if !context.isValid {
      return parts + [model.machine.configuration.isSeen ? "unused or not told" : "unused"]
    }
    if context.pendingUnmap { parts.append("pending unmap") }
    if !context.stage2Enabled { parts.append("s2 off") }
    if context.vmid > 0 { parts.append("VMID \(context.vmid)") }
    parts.append("L1's VMID \(context.vttbr >> 48)")
    return parts + ["VTTBR \(hex: context.vttbr)", "VTCR \(hex: context.vtcr)"]
  }

  private func context(ofGuest number: Int, in model: Model) -> [SafeText] {
    guard let guest = model.machine.protectedGuest(number) else { return [] }
    return ["IPA \(Glyph.right) PA"] + model.changeCount(of: .protectedGuest(number))
      + [guest.isProtected ? "protected" : "plain"] + (guest.isDying ? ["dying"] : [])
  }

  var term: String { "shadow table" }

  func marks(of row: Row, in model: Model) -> [(SafeText, Role)] {
    guard case .shadow(let number) = table(in: model),
      model.machine.isStale(row.descriptor, at: row.address, level: row.level, inShadow: number)
    else { return [] }
    return [(SafeText(.stale), .stale)]
  }
}
