import Canvas
import Engine
import Inquiry
import Language
import Recording

/// A history, with a name. The first is what was opened; others began at a moment of one that was there.
struct Branch {
  /// Where a branch began: in which other one, and after how many events; or under which other policy.
  typealias Origin = SavedSession.Origin

  var name: SafeText
  /// The history, at the moment at which it was looked at last.
  var session: Session
  var origin: Origin?
  /// What has been found about rules that do not hold.
  var audit = Audit()

  /// Whether there are devices in it.
  var hasDevices: Bool
  /// Events of it that were typed and are in no file.
  var typed = 0

  init(name: SafeText, session: Session, origin: Origin?, typed: Int = 0) {
    self.name = name
    self.session = session
    self.origin = origin
    self.typed = typed
    hasDevices = session.scenario.hasDevices
  }
}
