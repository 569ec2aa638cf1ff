/// Numbers, entries and tables as they appear in sentences.
package enum Phrase {
  package static func address(_ value: UInt64) -> String { "0x" + hex(value) }

  /// A size in the largest unit that divides it.
  package static func size(_ bytes: UInt64) -> String {
    let units = ["", "K", "M", "G", "T"]
    var value = bytes
    var unit = 0
    while value >= 1024, value & 1023 == 0, unit + 1 < units.count {
      value >>= 10
      unit += 1
    }
    return "\(value)\(units[unit])"
  }

  package static func span(_ step: Step) -> String { "\(address(step.address))+\(size(step.size))" }

  package static func access(_ kind: AccessKind) -> String {
    switch kind {
    case .read: "read"
    case .write: "write"
    case .execute: "fetch"
    }
  }

  /// What an access does to its address, as a verb.
  package static func verb(_ kind: AccessKind) -> String {
    switch kind {
    case .read: "reads"
    case .write: "writes"
    case .execute: "fetches"
    }
  }

  /// A noun with its article.
  static func withArticle(_ noun: String) -> String {
    (noun.first.map { "aeiou".contains($0) } ?? false ? "an " : "a ") + noun
  }

  package static func status(_ status: FaultStatus) -> String {
    let name =
      switch status.faultClass {
      case .addressSize: "address size fault"
      case .translation: "translation fault"
      case .accessFlag: "access flag fault"
      case .permission: "permission fault"
      case .external, .externalOnWalk: "external abort"
      case nil: "fault"
      }
    return "\(name), level \(status.level)"
  }

  /// A phrase for an entry.
  ///
  /// - Parameter geometry: of the table; by default that of a table that the machine keeps.
  package static func entry(
    _ entry: Descriptor, level: Int,
    in geometry: Geometry = .stage2(bits: VMConfiguration.physicalBits)
  ) -> String {
    switch geometry.kind(of: entry, at: level) {
    case .invalid: entry.bits == 0 ? "empty" : "invalid, \(address(entry.bits))"
    case .locked: "LOCKED"
    case .unseen: "? not told"
    case .table where !entry.format.knowsPlaces: "table"
    case .table: "table at \(address(entry.address(granuleShift: geometry.granuleShift)))"
    case .block: "block \(leaf(entry, level, geometry))"
    case .page: "page \(leaf(entry, level, geometry))"
    case .reserved: "reserved"
    case .illegalOutput: "\(address(entry.address)), beyond the output size"
    case .annotation(let note): annotation(note, entry)
    }
  }

  private static func leaf(_ entry: Descriptor, _ level: Int, _ geometry: Geometry) -> String {
    (entry.format.knowsOutputs ? address(geometry.output(of: entry, at: level)) : "?") + " "
      + entry.permissions.text
  }

  private static func annotation(_ note: EntryKind.Annotation, _ entry: Descriptor) -> String {
    switch note {
    case .donation:
      switch entry.donation {
      case .hypervisor: return "annotation: the hypervisor's"
      case .guest(let handle, let page):
        return "annotation: a guest's (handle \(address(handle)), IPA \(address(page << 12)))"
      case nil: return "annotation \(address(entry.bits))"
      }
    case .poisoned: return "POISONED: taken back by force"
    case .realm:
      guard let note = entry.realmNote else { return "annotation \(address(entry.bits))" }
      return "RIPAS \(name(of: note.state))" + (note.isAssigned ? ", memory assigned" : "")
    case .unknown: return "annotation \(address(entry.bits))"
    }
  }

  /// The state of a realm's address, as the RMM specification writes it.
  package static func name(of state: RealmState) -> String {
    switch state {
    case .empty: "EMPTY"
    case .ram: "RAM"
    case .destroyed: "DESTROYED"
    }
  }

  /// The name of a table, and of its input addresses.
  package static func table(_ id: TableID?) -> String { id?.phrase ?? "no table" }

  package static func input(_ id: TableID?) -> String { id?.kind.input.name ?? "address" }

  /// The VMID or ASID that tags cached translations.
  package static func context(_ context: TranslationContext) -> String {
    if !context.isStage1 { return "VMID \(context.number)" }
    return "ASID \(context.number), \(context.isPrivate ? "ASET" : "no ASET")"
  }

  package static func device(_ number: Int) -> String {
    number == 0 ? "the device" : "device \(number)"
  }

  /// The device that a step is about.
  static func device(of step: Step) -> String {
    if case .iommu(let number) = step.table { device(number) } else { "the device" }
  }

  /// A count with its noun.
  package static func count(_ number: UInt64, _ one: String, _ many: String) -> String {
    number == 1 ? "1 \(one)" : "\(number) \(many)"
  }
}

extension Permissions {
  /// The permissions in three columns: read, write, and execute at both levels (`X`), at EL1 only (`p`,
  /// privileged) or at EL0 only (`u`).
  package var text: String {
    (read ? "R" : "-") + (write ? "W" : "-") + ["X", "u", "-", "p"][Int(executeNever)]
  }
}
