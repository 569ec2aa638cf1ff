import Engine

/// The text of Linux's stage-2 page table dump (`arch/arm64/mm/ptdump.c`, `arch/arm64/kvm/ptdump.c`,
/// 7.3): runs of entries of the same level with the same attributes, one row each.
public struct KernelDump {
  /// The text so far, as the kernel would have written it.
  public private(set) var text: String
  private var run: (start: UInt64, level: Int, attributes: Descriptor)?

  /// The bits that distinguish adjacent rows.
  private static let mask =
    Descriptor.valid | Descriptor.tableOrPage | Descriptor.read | Descriptor.write
    | Descriptor.accessed | Descriptor.executeNeverMask

  private init(header: String) {
    text = header + "---[ Guest IPA ]---\n"
  }

  /// Adds an entry that is not a table. One at which a walk faults although V is set, which the kernel
  /// never writes, is shown as not valid.
  private mutating func note(_ entry: TableEntry) {
    // Of what no dump told there is no row to write.
    if entry.descriptor.isUnseen {
      finish(at: entry.address)
      run = nil
      return
    }
    let isIllegal = entry.descriptor.isValid && !entry.isLeaf
    let attributes = Descriptor(
      entry.descriptor.bits & Self.mask
        & ~(isIllegal ? Descriptor.valid | Descriptor.tableOrPage : 0), entry.descriptor.format)
    if let run {
      if run.level == entry.level && run.attributes == attributes { return }
      flush(run, to: entry.address)
    }
    run = (entry.address, entry.level, attributes)
  }

  private mutating func flush(
    _ run: (start: UInt64, level: Int, attributes: Descriptor), to end: UInt64
  ) {
    text += DumpRow.text(run.start..<end, run.level, run.attributes) + "\n"
  }

  private mutating func finish(at end: UInt64) {
    if let run { flush(run, to: end) }
  }

  /// The text of a stage-2 table, or nil if there is none. A shadow has L1's registers in a line above,
  /// and no text at all while it is not in use; one of L1's tables is written as L1's own kernel would.
  public static func text(of id: TableID, in machine: Machine) -> String? {
    if let guest = machine.guestTable(id) { return text(of: guest, in: machine) }
    guard id.kind != .vmmStage1, let table = machine.table(id) else { return nil }
    var header = ""
    if case .shadow(let number) = id {
      let context = machine.shadowContext(number)
      guard context.isValid else { return "" }
      header = """
        VTCR: 0x\(hex(context.vtcr, 16)) VTTBR: 0x\(hex(context.vttbr, 16)) \
        s2: \(context.stage2Enabled ? "enabled" : "disabled")

        """
    }
    var dump = KernelDump(header: header)
    machine.visit(.leaf, of: table) { dump.note($0) }
    dump.finish(at: table.geometry.inputSize)
    return dump.text
  }

  /// The text of a table that L1 keeps.
  public static func text(of guest: GuestTable, in machine: Machine) -> String {
    var dump = KernelDump(header: "")
    machine.visit(.leaf, of: guest) { dump.note($0) }
    dump.finish(at: guest.geometry.inputSize)
    return dump.text
  }

  /// The debugfs file `ipa_range`.
  public static func ipaRange(of machine: Machine) -> String {
    let bits = String(machine.configuration.ipaBits)
    return String(repeating: " ", count: max(0, 2 - bits.count)) + bits + "\n"
  }

  /// The debugfs file `stage2_levels`.
  public static func levels(of machine: Machine) -> String {
    guard let table = machine.table(.canonical) else { return "" }
    return "\(4 - table.geometry.startLevel)\n"
  }
}
