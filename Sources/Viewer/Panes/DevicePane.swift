import Canvas
import Engine
import Inquiry
import Language

/// The table that the SMMU walks for a device.
struct DevicePane: TablePane {
  var pane: Pane { .iommu }
  var region: PaneRegion { .table(rank: 2) }
  /// A disagreement is a sign and a letter.
  var markColumns: Int { 3 }

  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool { hasDevices }

  func table(in model: Model) -> TableID? {
    model.views[pane]?.pinned ?? .iommu(model.machine.attachedDevices.first ?? 0)
  }

  func tables(in model: Model) -> [TableID] { model.machine.attachedDevices.map { .iommu($0) } }

  func name(in model: Model) -> SafeText {
    if case .iommu(let device) = table(in: model) { "IOMMU, device \(device)" } else { "IOMMU" }
  }

  func tableContext(in model: Model) -> [SafeText] {
    guard case .iommu(let device) = table(in: model) else { return [] }
    let machine = model.machine
    var parts: [SafeText] = ["IOVA \(Glyph.right) PA"]
    parts += model.changeCount(of: .iommu(device))
    let entry = machine.streamEntry(ofDevice: device)
    switch entry.kind {
    case .stage1:
      let context = machine.context(ofDevice: device)
      if machine.sharesAddresses(device) {
        parts += [SafeText(Phrase.context(context)), "the VMM's table"]
      } else {
        // An ASID of the SMMU's own in any case.
        parts += ["ASID \(context.number)", domain(of: device, machine)]
      }
    case .stage2:
      parts.append("VMID \(entry.vmid)")
      parts.append(
        entry.root == machine.table(machine.cpuTableID)?.rootAddress
          ? "the CPUs' table" : domain(of: device, machine))
    case .abort: parts.append("not attached")
    case .bypass: parts.append("bypass")
    case .invalid: parts.append("invalid stream table entry")
    }
    return parts
  }

  private func domain(of device: Int, _ machine: Machine) -> SafeText {
    guard let first = machine.domain(ofDevice: device), first != device else { return "its own" }
    return "that of device \(first)"
  }

  var term: String { "IOMMU table" }

  func absence(in model: Model) -> [SafeText] {
    if case .iommu(let device) = table(in: model), model.machine.sharesAddresses(device) {
      return ["Stage 1, by the VMM's own table.", "\(model.key(.tlb)) says what of it is cached."]
    }
    return ["There is no such table."]
  }

  func marks(of row: Row, in model: Model) -> [(SafeText, Role)] {
    guard case .iommu(let device) = table(in: model) else { return [] }
    return model.machine.disagreement(of: EntryRun(row), ofDevice: device).map {
      [(SafeText($0.sign), $0.emphasis.role)]
    } ?? []
  }
}
