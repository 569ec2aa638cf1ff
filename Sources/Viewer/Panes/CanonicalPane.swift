import Canvas
import Engine

/// The VM's table; under pKVM the host's.
struct CanonicalPane: TablePane {
  var pane: Pane { .canonical }
  var region: PaneRegion { .table(rank: 1) }

  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool { true }

  func table(in model: Model) -> TableID? { model.machine.cpuTableID }

  func name(in model: Model) -> SafeText {
    table(in: model) == .pkvmHost ? "Host" : "Canonical"
  }

  func tableContext(in model: Model) -> [SafeText] {
    let machine = model.machine
    let isHost = table(in: model) == .pkvmHost
    var parts: [SafeText] = [isHost ? "PA \(Glyph.right) PA" : "IPA \(Glyph.right) PA"]
    parts += model.changeCount(of: isHost ? .pkvmHost : .canonical)
    if !isHost, let vmid = machine.table(.canonical)?.vmid, vmid > 0 {
      parts.append("VMID \(vmid)")
    }
    return parts + ["\(machine.configuration.ipaBits) bits"]
  }

  var term: String { "canonical table" }

  /// Of a real kernel's VM no slots are known.
  func inputEnd(of rows: Rows, in model: Model) -> UInt64 {
    max(model.memorySlotsEnd, model.machine.configuration.isRecorded ? rows.last?.address ?? 0 : 0)
  }

  /// Whether a device has another page there.
  func marks(of row: Row, in model: Model) -> [(SafeText, Role)] {
    let machine = model.machine
    return machine.attachedDevices.contains { machine.disagrees(row, with: $0) }
      ? [(SafeText(.mismatch), .mismatch)] : []
  }
}

extension Machine {
  /// Whether the page pinned for a device at an end of a row differs from the one that the row maps.
  fileprivate func disagrees(_ row: Row, with device: Int) -> Bool {
    let last = row.entrySize * UInt64(row.count) - Page.size
    return [0, last].contains { offset in
      pinnedPage(at: row.address + offset, device: device)
        .map { $0 != row.descriptor.address + offset } ?? false
    }
  }
}
