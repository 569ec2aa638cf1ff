import Canvas
import Engine
import Scenario

/// All that the screen depends on. Input changes it, and a frame is drawn from it; both are pure.
public struct Model {
  /// The history on the screen, at the moment on the screen.
  public internal(set) var session: Session
  /// The same history with more of its future, while that is still being carried out.
  var ahead: Session?
  /// The event that the engine refused, after which nothing more can be shown.
  public internal(set) var failure: ScenarioError?
  /// Which key does what.
  let keyMap: KeyMap
  /// The size of the screen in cells.
  var size: (width: Int, height: Int)

  /// What was done last has changed.
  var changes: Changes
  /// The table panes.
  var views: [Pane: TableView] = [
    .canonical: TableView(), .guest: TableView(), .shadow: TableView(),
  ]
  /// The shadow that is shown where none was chosen.
  var recentShadow = 0
  /// The table that the cursor was last moved in, by a person or by what happened.
  var selected: TableID?
  /// Where else the selected page is.
  var link: Link?
  /// Whether the cursors of the panes are linked.
  var isLinked = true
  /// Whether the cursor follows what happens.
  var isFollowing = true

  /// The pane that keys concern.
  var focus = Pane.canonical
  /// The table that had the focus last.
  var lastTableFocus = Pane.canonical
  /// Whether that pane is shown alone.
  var isMaximised = false
  var arrangement = Arrangement.overview
  var detailLevel: DetailLevel
  var steps = StepsView()
  var detail = DetailView()

  /// What the last key gave to say, until the next one.
  var message: Message?
  /// What is open above the panes.
  var overlay: Overlay?
  /// Whether the program is over.
  public internal(set) var isFinished = false

  /// A model of a session that stands at some moment. What of its history is not carried out yet is
  /// carried out in pieces, while no input comes.
  public init(_ session: Session, width: Int, height: Int, settings: Settings = Settings()) {
    self.session = session
    ahead = session.isComplete ? nil : session
    keyMap = settings.keyMap
    detailLevel = settings.detailLevel
    size = (width, height)
    changes = Changes(in: session.timeline)
    noteMoment()
    settle()
  }

  var timeline: Timeline { session.timeline }
  var machine: Machine { session.timeline.machine }
  var panes: [Pane] { Pane.all(of: machine.configuration) }
}

/// A line for the person, in the place of the keys.
struct Message: Equatable {
  let text: SafeText
  var isRefusal = false
}

/// The pane of micro-steps.
struct StepsView {
  /// The step that was chosen, by its index; nil while the pane follows the moment.
  var cursor: Int?
  /// The first step in sight.
  var top = 0
}

/// The pane of answers.
struct DetailView {
  /// The first line in sight.
  var top = 0
}

/// What is open above the panes.
enum Overlay: Equatable {
  case help(top: Int)
}

/// What the program, and not the model, has to do.
public enum Effect: Equatable, Sendable {
  /// Draw the whole screen anew.
  case redraw
  /// Stop until continued.
  case suspend
}
