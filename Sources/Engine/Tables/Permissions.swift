/// What a leaf permits: S2AP and XN.
public struct Permissions: Hashable, Sendable {
  /// S2AP[0].
  public var read: Bool
  /// S2AP[1].
  public var write: Bool
  /// XN[1:0]: 0 executable at EL1 and EL0, 1 at EL0 only, 2 nowhere, 3 at EL1 only.
  public var executeNever: UInt8

  /// These permissions; `executeNever` is 0 to 3.
  public init(read: Bool, write: Bool, executeNever: UInt8) {
    self.read = read
    self.write = write
    self.executeNever = executeNever
  }

  /// Whether EL1, and EL0, may execute; read permission is not needed for that.
  public var executeEL1: Bool { executeNever == 0 || executeNever == 3 }
  var executeEL0: Bool { executeNever < 2 }

  /// The bits of a descriptor.
  package var bits: UInt64 {
    (read ? Descriptor.read : 0) | (write ? Descriptor.write : 0) | UInt64(executeNever) << 53
  }

  /// Whether these permissions include one that `other` lacks.
  func exceed(_ other: Permissions) -> Bool {
    read && !other.read || write && !other.write || executeEL1 && !other.executeEL1
      || executeEL0 && !other.executeEL0
  }

  /// Whether an access from EL1 is permitted.
  public func allow(_ access: AccessKind) -> Bool {
    switch access {
    case .read: read
    case .write: write
    case .execute: executeEL1
    }
  }
}

/// A load, a store or an instruction fetch.
public enum AccessKind: UInt8, Sendable {
  /// A load.
  case read
  /// A store.
  case write
  /// An instruction fetch.
  case execute
}
