import Canvas
import Engine
import Inquiry
import Language
import Recording

/// A history, with a name. The first is the opened one; others branch from a moment of an earlier one.
struct Branch {
  /// The origin of a branch: its parent, and the number of events; or the other policy.
  typealias Origin = SavedSession.Origin

  var name: SafeText
  /// The history, at the moment last viewed.
  var session: Session
  var origin: Origin?
  /// The findings about broken rules.
  var audit = Audit()

  /// Whether it has devices.
  var hasDevices: Bool
  /// Number of its typed events that are in no file.
  var typed = 0

  init(name: SafeText, session: Session, origin: Origin?, typed: Int = 0) {
    self.name = name
    self.session = session
    self.origin = origin
    self.typed = typed
    hasDevices = session.scenario.hasDevices
  }
}
