import Canvas
import Engine
import Inquiry

/// A condition at which running stops.
struct Watch: Equatable {
  let filter: Filter
  var isOn = true

  /// What running stops at when nobody has said anything else.
  static let usual = "violation or inject or full-unmap or unknown or broken"
}
