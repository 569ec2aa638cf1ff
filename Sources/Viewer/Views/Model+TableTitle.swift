import Canvas
import Engine
import Language

extension Model {
  /// The title of a pane: its number, what it shows, and for a table its context.
  func title(of pane: Pane, width: Int) -> SafeText {
    let number = (panes.firstIndex(of: pane) ?? 0) + 1
    var title: SafeText = "\(number) \(name(of: pane))"
    // What does not fit as a whole is left out.
    for part in context(of: pane) where title.columns + 2 + part.columns <= width {
      title += "  " + part
    }
    return title
  }

  func name(of pane: Pane) -> SafeText {
    switch pane {
    case .canonical: tableID(of: pane) == .protectedHost ? "Host" : "Canonical"
    case .guest: if case .guest(let vmid) = tableID(of: pane) { "Guest \(vmid)" } else { "Guest" }
    case .shadow:
      switch tableID(of: pane) {
      case .shadow(let number): "Shadow \(number)"
      case .protectedGuest(let number): "Guest \(number)"
      default: machine.configuration.nested ? "Shadow" : "Guest"
      }
    case .steps: "Steps"
    case .iommu:
      if case .iommu(let device) = tableID(of: pane) { "IOMMU, device \(device)" } else { "IOMMU" }
    case .reverseMap: "Reverse map"
    case .detail: question.title
    }
  }

  /// What else a title says, the most important first.
  private func context(of pane: Pane) -> [SafeText] {
    var parts: [SafeText] = []
    if pane.isTable, let filter { parts.append("only \(SafeText(filter.filter.text))") }
    switch pane {
    case .canonical where tableID(of: pane) == .protectedHost:
      parts.append("PA \(Glyph.right) PA")
      parts += changeCount(of: .protectedHost)
      parts.append("\(machine.configuration.ipaBits) bits")
    case .canonical:
      parts.append("IPA \(Glyph.right) PA")
      parts += changeCount(of: .canonical)
      if let vmid = machine.table(.canonical)?.vmid, vmid > 0 { parts.append("VMID \(vmid)") }
      parts.append("\(machine.configuration.ipaBits) bits")
    case .guest:
      guard let table = guestTable else { return ["nIPA \(Glyph.right) IPA"] }
      parts.append("nIPA \(Glyph.right) IPA")
      parts += changeCount(of: .guest(table.vttbr.vmid))
      parts.append("root \(hex: table.root)")
      parts.append(SafeText(Self.granule(table.vtcr)))
      parts.append("VTCR \(hex: table.vtcr.bits)")
    case .shadow where !machine.configuration.nested:
      guard case .protectedGuest(let number) = tableID(of: pane),
        let guest = machine.protectedGuest(number)
      else { return parts }
      parts.append("IPA \(Glyph.right) PA")
      parts += changeCount(of: .protectedGuest(number))
      parts.append(guest.isProtected ? "protected" : "plain")
      if guest.isDying { parts.append("dying") }
    case .shadow:
      guard case .shadow(let number) = tableID(of: pane) else { return parts }
      let context = machine.shadowContext(number)
      parts.append("nIPA \(Glyph.right) PA")
      parts += changeCount(of: .shadow(number))
      if !context.isValid {
        parts.append("unused")
      } else {
        if context.pendingUnmap { parts.append("pending unmap") }
        if !context.stage2Enabled { parts.append("s2 off") }
        parts.append("for VMID \(context.vttbr >> 48)")
        if context.vmid > 0 { parts.append("VMID \(context.vmid)") }
        parts.append("VTTBR \(hex: context.vttbr)")
        parts.append("VTCR \(hex: context.vtcr)")
      }
    case .steps:
      if !timeline.steps.isEmpty { parts.append("\(timeline.stepsDone)/\(timeline.steps.count)") }
      parts += changes.cost.parts
    case .iommu:
      guard case .iommu(let device) = tableID(of: pane) else { return parts }
      parts.append("IOVA \(Glyph.right) PA")
      parts += changeCount(of: .iommu(device))
      let entry = machine.streamEntry(ofDevice: device)
      switch entry.configuration {
      case .stage1:
        parts.append(SafeText(Phrase.context(machine.context(ofDevice: device))))
        parts.append("the VMM's table")
      case .stage2:
        parts.append("VMID \(entry.vmid)")
        parts.append(
          entry.root == machine.table(machine.cpuTableID)?.rootAddress
            ? "the CPUs' table" : "its own")
      case .abort: parts.append("not attached")
      case .bypass: parts.append("bypass")
      case .invalid: parts.append("invalid stream table entry")
      }
    case .reverseMap:
      parts.append("shadow \(mappedShadow)")
      parts.append("IPA \(Glyph.right) nIPA")
      parts.append("revmap=\(SafeText(machine.configuration.reverseMap.rawValue))")
    case .detail: break
    }
    return parts
  }

  /// How many entries of a table were changed by what was done last.
  private func changeCount(of table: TableID) -> [SafeText] {
    changes.counts[table].map { ["\(Glyph.changed)\($0)"] } ?? []
  }

  private static func granule(_ vtcr: VTCR) -> String {
    "\(1 << (vtcr.granuleShift - 10))K"
  }
}
