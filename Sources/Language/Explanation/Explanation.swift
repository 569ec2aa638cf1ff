import Engine

/// A micro-step in words, made from what the step did.
public struct Explanation: Equatable, Sendable {
  /// A verb or noun of at most 10 columns, for the list of steps.
  public let label: String
  /// What was done, in one line.
  public let what: String
  /// Why it is done.
  public let why: String
  /// Where the rule comes from.
  public let source: Source

  init(_ label: String, _ what: String, _ why: String, _ source: Source) {
    self.label = label
    self.what = what
    self.why = why
    self.source = source
  }
}

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

  package static func permissions(_ bits: UInt64) -> String {
    let permissions = Descriptor(bits).permissions
    let execute = ["PX UX", "UX", "", "PX"][permissions.executeNever]
    let parts = [permissions.read ? "R" : "", permissions.write ? "W" : "", execute]
    let text = parts.filter { !$0.isEmpty }.joined(separator: " ")
    return text.isEmpty ? "no permission" : text
  }

  package static func access(_ raw: UInt64) -> String {
    switch AccessKind(rawValue: UInt8(truncatingIfNeeded: raw)) {
    case .write: "write"
    case .execute: "fetch"
    default: "read"
    }
  }

  package static func status(_ code: UInt64) -> String {
    let status = FaultStatus(UInt8(truncatingIfNeeded: code))
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

  /// What an entry is, in one phrase.
  package static func entry(_ bits: UInt64, level: Int) -> String {
    let entry = Descriptor(bits)
    if bits == 0 { return "empty" }
    if entry.isLocked { return "LOCKED" }
    if !entry.isValid { return annotation(entry) }
    if entry.isTable(level) { return "table at \(address(entry.address))" }
    if !entry.isLeaf(level) { return "reserved" }
    let kind = level == Geometry.lastLevel ? "page" : "block"
    return "\(kind) \(address(entry.address)) \(permissions(bits))"
  }

  private static func annotation(_ entry: Descriptor) -> String {
    switch entry.donation {
    case .hypervisor: return "annotation: the hypervisor's"
    case .guest(let handle, let page):
      return "annotation: a guest's (handle \(address(handle)), IPA \(address(page << 12)))"
    case nil where entry == .poisoned: return "POISONED: taken back by force"
    case nil:
      guard let note = entry.realmNote else { return "annotation \(address(entry.bits))" }
      return "RIPAS \(name(of: note.state))" + (note.isAssigned ? ", memory assigned" : "")
    }
  }

  /// What an address is for a realm, as the RMM specification writes it.
  package static func name(of state: RealmState) -> String {
    switch state {
    case .empty: "EMPTY"
    case .ram: "RAM"
    case .destroyed: "DESTROYED"
    }
  }

  /// The name of a table, and of its input addresses.
  package static func table(_ id: TableID?) -> String {
    switch id {
    case .canonical: "the canonical table"
    case .shadow(let number): "shadow \(number)"
    case .guest(let vmid): "L1's table, VMID \(vmid)"
    case .host: "the VMM's table"
    case .iommu(let device): device == 0 ? "the IOMMU table" : "the IOMMU table of device \(device)"
    case .protectedHost: "the host's stage 2"
    case .protectedGuest(let number): "the stage 2 of guest \(number)"
    case nil: "no table"
    }
  }

  package static func input(_ id: TableID?) -> String {
    switch id {
    case .canonical: "canonical IPA"
    case .shadow, .guest: "nested IPA"
    case .host: "VMM address"
    case .iommu: "IOVA"
    case .protectedHost: "PA"
    case .protectedGuest: "IPA"
    case nil: "address"
    }
  }
}
