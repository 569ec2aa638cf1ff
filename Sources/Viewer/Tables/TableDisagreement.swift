import Canvas
import Engine
import Language

/// In what an entry of a device's table differs from the CPUs' table at the same addresses.
struct TableDisagreement: Equatable {
  enum Kind: Equatable {
    /// The device must not reach the memory: its owner is another.
    case foreign
    /// They lead to different memory.
    case memory(UInt64)
    /// The CPUs' table maps nothing there.
    case presence
    case permission(Permissions)
    case size(UInt64)
    /// Memory type, or shareability.
    case attribute
  }

  let kind: Kind
  /// The first input address at which it is so.
  let address: UInt64
  /// Whether that is against a rule.
  let isForbidden: Bool

  /// The sign in a row: `!` for what must not be, `≠` for what may, and a letter for the kind.
  var sign: SafeText {
    let letter: SafeText =
      switch kind {
      case .foreign: "f"
      case .memory: "o"
      case .presence: "m"
      case .permission: "p"
      case .size: "s"
      case .attribute: "a"
      }
    return SafeText(isForbidden ? .mismatch : .differs) + letter
  }

  /// What must not be comes first, and last what is so wherever the CPUs have not been yet.
  fileprivate var gravity: Int { isForbidden ? 3 : kind == .presence ? 1 : 2 }

  var role: Role { isForbidden ? .mismatch : .dim }

  /// What it is, and why it may be or must not.
  var sentence: SafeText {
    switch kind {
    case .foreign:
      "\(hex: address) leads to memory whose owner is not the device's: that must not be."
    case .memory(let output) where isForbidden:
      "The CPUs' table leads from \(hex: address) to other memory, \(hex: output), although the page is pinned: the device "
        + "and the CPUs must use the same."
    case .memory(let output):
      "The CPUs' table leads from \(hex: address) to other memory, \(hex: output). That may be: nothing pins the page here."
    case .presence:
      "The CPUs' table maps nothing at \(hex: address). That may be: it is filled by faults, a device's beforehand."
    case .permission(let permissions):
      "The CPUs' table permits \(permissions.text) at \(hex: address). That may be: each table has permissions of its own."
    case .size(let size):
      "The CPUs' table has entries of \(SafeText(Phrase.size(size))) at \(hex: address). That may be: each table "
        + "chooses sizes of its own."
    case .attribute:
      "The CPUs' table has another memory type at \(hex: address). That may be: the device's DMA has its own."
    }
  }
}

extension Machine {
  /// The gravest of what a device's entries differ in from the CPUs' table, among at most 64 pieces that are
  /// mapped alike; nil if it is the CPUs' own table, or in nothing.
  func disagreement(of row: Row, ofDevice device: Int) -> TableDisagreement? {
    guard row.descriptor.isLeaf(row.level), let canonical = table(cpuTableID),
      let table = table(.iommu(device)), table.rootAddress != canonical.rootAddress
    else { return nil }
    var found: TableDisagreement?
    var address = row.address
    for _ in 0..<Self.piecesAtMost where address < row.end {
      let output = row.descriptor.address + (address - row.address)
      let leaf = Leaf(
        output: output, size: row.entrySize, permissions: row.descriptor.permissions,
        attributes: row.descriptor.attributes)
      let (other, end) = canonicalLeaf(at: address, in: canonical)
      let next = disagreement(of: leaf, at: address, device: device, with: other)
      if let next, next.gravity > found?.gravity ?? 0 { found = next }
      address = max(end, address + 4096)
    }
    return found
  }

  private static let piecesAtMost = 64

  /// What of a leaf is compared.
  private struct Leaf {
    let output: UInt64
    let size: UInt64
    let permissions: Permissions
    let attributes: UInt64
  }

  /// The CPUs' leaf at an address, if there is one, and where the entry that the walk ends at ends.
  private func canonicalLeaf(at address: UInt64, in table: Table) -> (Leaf?, end: UInt64) {
    guard address < table.geometry.inputSize else { return (nil, .max) }
    let end = walk(address, in: table)
    let size = table.geometry.size(end.level)
    let start = address & ~(size - 1)
    guard end.descriptor.isLeaf(end.level) else { return (nil, start + size) }
    return (
      Leaf(
        output: end.descriptor.address + (address - start), size: size,
        permissions: end.descriptor.permissions, attributes: end.descriptor.attributes),
      start + size
    )
  }

  private func disagreement(
    of leaf: Leaf, at address: UInt64, device: Int, with other: Leaf?
  ) -> TableDisagreement? {
    if !mayReach(leaf.output, device: device) {
      return TableDisagreement(kind: .foreign, address: address, isForbidden: true)
    }
    guard let other else {
      return TableDisagreement(kind: .presence, address: address, isForbidden: false)
    }
    let kind: TableDisagreement.Kind
    if other.output != leaf.output {
      let isPinned = pinnedPage(at: address, device: device) != nil
      return TableDisagreement(kind: .memory(other.output), address: address, isForbidden: isPinned)
    } else if other.permissions != leaf.permissions {
      kind = .permission(other.permissions)
    } else if other.size != leaf.size {
      kind = .size(other.size)
    } else if other.attributes != leaf.attributes {
      kind = .attribute
    } else {
      return nil
    }
    return TableDisagreement(kind: kind, address: address, isForbidden: false)
  }
}

extension Descriptor {
  /// Memory type and shareability.
  fileprivate var attributes: UInt64 { bits & (Self.memAttrMask | Self.innerShareable) }
}
