import Canvas
import Engine

extension EventKind {
  /// How the kind is painted.
  var role: Role {
    switch self {
    case .other, .slot: .eventOther
    case .l1, .context: .eventGuest
    case .l2, .owner: .eventNested
    case .device: .eventDevice
    case .invalidate: .eventInvalidate
    case .host: .eventHost
    }
  }
}
