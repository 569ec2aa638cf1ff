/// The state of a realm's address (RMM specification, RIPAS).
public enum RealmState: UInt64, Sendable {
  /// Nothing: an access is the realm's own error.
  case empty = 0
  /// Memory.
  case ram = 1
  /// Memory whose contents the host destroyed.
  case destroyed = 2
}

/// An entry of a realm's table (RTT) that is not a table: a leaf, or with V = 0 the RMM's note.
///
///      63                 12 11       7 6   5 4   2  1  0
///     +---------------------+----------+-----+-----+--+--+
///     | address, if assigned|          |RIPAS|HIPAS|  |0 |   HIPAS 0 unassigned, 1 assigned
///     +---------------------+----------+-----+-----+--+--+
///
/// The bits are those of the reference implementation (TF-RMM, s2tt), from memory, not from a capture.
struct RealmEntry {
  let descriptor: Descriptor

  private static let assigned: UInt64 = 1 << 2

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// An address without memory.
  static func unassigned(_ state: RealmState) -> RealmEntry {
    RealmEntry(Descriptor(state.rawValue << 5))
  }

  /// Memory that the realm does not use as such, in another state than RAM.
  static func assigned(_ state: RealmState, _ physical: UInt64) -> RealmEntry {
    RealmEntry(Descriptor(physical | assigned | state.rawValue << 5))
  }

  var isValid: Bool { descriptor.isValid }
  var isAssigned: Bool { isValid || descriptor.bits & Self.assigned != 0 }
  var isAssignedUnused: Bool { isAssigned && !isValid }
  var state: RealmState {
    isValid ? .ram : RealmState(rawValue: descriptor.bits >> 5 & 3) ?? .empty
  }
}

extension Descriptor {
  /// The RMM's note in an entry that is not valid: the state of its addresses, and whether
  /// memory is assigned to them. Nil for other entries.
  public var realmNote: (state: RealmState, isAssigned: Bool)? {
    guard !isValid, bits != 0, bits >> 60 == 0 else { return nil }
    let entry = RealmEntry(self)
    return (entry.state, entry.isAssigned)
  }
}

extension Machine {
  /// A leaf of a realm's memory: readable, writable and executable, with the kernel's memory type.
  static func realmLeaf(_ physical: UInt64, level: Int) -> Descriptor {
    .leaf(
      at: physical, level: level, memAttr: normalMemory,
      permissions: Permissions(read: true, write: true, executeNever: 0), guestLevel: 0)
  }
}
