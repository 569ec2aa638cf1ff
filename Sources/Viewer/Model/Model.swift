import Canvas
import Engine
import Inquiry
import Language
import Recording

/// All that the screen depends on. `update` changes it as an input asks for, `frame` draws it.
///
/// Both depend on nothing else, and change nothing else. What they share with copies of the model is
/// memory that is copied when it is written to, and `FoundRanges`, which no frame depends on.
public struct Model {
  // What is looked at.

  /// All histories. The first is what was opened.
  var branches: [Branch]
  /// Index of the history on the screen.
  var branch = 0
  /// The history on the screen, at the moment on the screen.
  public internal(set) var session: Session {
    get { branches[branch].session }
    _modify { yield &branches[branch].session }
  }
  /// The same history with more of its future, while that is still being carried out.
  var ahead: Session?
  /// Number of events that it will have then, if none of them is refused.
  var eventsAhead: Int
  /// The event that the engine refused, after which nothing more can be shown.
  public internal(set) var failure: ScenarioError?

  // Time.

  /// How old tables are that are looked at while they change, in words for their titles.
  public var ages: [TableID: SafeText] = [:]
  /// What was done last has changed.
  var changes: Changes
  /// What a person watches, and what is watched from the start: running and playing stop there.
  var watches: [Watch] = []
  var usualWatches = Watch.usual
  /// The run to the next stop that is under way.
  var run: Run?
  /// Moments with a mark, by its letter, and the letter of the newest.
  var marks: [Unicode.Scalar: Place] = [:]
  var newestMark: Unicode.Scalar?
  /// Texts at moments.
  var notes: [SavedSession.Note] = []
  /// What was made when all of it was in a file.
  var savedWork = OwnWork()
  /// Whether there is a file of the session, and not only of its scenario.
  var isKept = false
  /// Where one was before jumps.
  var jumps = Jumps()
  var playback = Playback()
  /// What is replayed, if a recording is.
  var replay: Replay?

  // Tables.

  /// The table panes.
  var views: [Pane: TableView] = [
    .canonical: TableView(), .guest: TableView(), .shadow: TableView(), .iommu: TableView(),
  ]
  /// The shadow that is shown where none was chosen.
  var recentShadow = 0
  /// The table that the cursor was last moved in, by a person or by what happened.
  var selected: TableID?
  /// Whether a range of the reverse map is selected, and its first page in the table.
  var isRangeSelected = false
  /// Where else the selected page is.
  var link: Link?
  /// What places of pages are found in.
  var inverse = InverseIndexes()
  /// Whether the cursors of the panes are linked.
  var isLinked = true
  /// Whether the cursor follows what happens.
  var isFollowing = true
  /// The entries that tables are narrowed to.
  var filter: EntryFilter?
  /// What was searched for last, and whether it is marked where it is in sight.
  var searched = ""
  var marksMatches = false

  // Panes.

  /// The size of the screen in cells.
  public internal(set) var size: (width: Int, height: Int)
  /// The pane that keys concern.
  var focus = Pane.canonical
  /// Where everything is on the screen, as it was when the last input was done.
  var layout = Layout()
  /// The table that had the focus last.
  var lastTableFocus = Pane.canonical
  /// The pane that had the focus before an answer took it.
  var focusBefore: Pane?
  /// Whether that pane is shown alone.
  var isMaximised = false
  var arrangement = Arrangement.overview
  /// Whether the layout is that for a projector.
  var isPresenting: Bool
  /// How much is said at once.
  public internal(set) var detailLevel: DetailLevel
  var steps = StepsView()
  /// What the pane of answers is asked, its answer, and where one is in it.
  var question = Topic.question(.explain)
  /// The lesson that is played, if one is.
  var lesson: LessonView?
  /// What was typed after the question, the answer as a value, and what it depends on.
  var asked = ""
  var value: (any Answer)?
  var answered: AnsweredFor?
  var answer = Document()
  var detail = DocumentView()
  /// Where one is in the pane of the reverse map.
  var reverseMap = ReverseMapView()

  // Input.

  /// Which key does what.
  let keyMap: KeyMap
  var usesMouse: Bool
  /// What was open when the screen closed last.
  let lastPlace: LastTime.Place?
  /// A file with what was not saved the last time.
  var unsaved: String?
  /// The line that is being typed.
  var prompt: Prompt?
  /// Lines that were typed before, the newest last.
  var typed: [Prompt.Kind: [String]] = [:]
  /// The action that the next key is an argument of.
  var pending: Action?
  /// What is wanted of a file that is there, until the next key says whether it may be replaced.
  var replacement: FileWish?
  /// What the last key gave to say, until the next one.
  var message: Message?
  /// Events that were typed and are in no file.
  var typedEvents: Int { branches.reduce(0) { $0 + $1.typed } }
  /// What is open above the panes.
  var sheet: Sheet?
  /// Two histories side by side, in the place of all panes.
  var difference: DifferenceView?
  /// What is wrong with the file as it is now, which is not what is shown.
  var mistakes: [ScenarioError] = []
  /// Whether the program is over.
  public internal(set) var isFinished = false

  /// A model of a session that stands at some moment. What of its history is not carried out yet is
  /// carried out in pieces, while no input comes.
  public init(_ session: Session, width: Int, height: Int, settings: Settings = Settings()) {
    branches = [Branch(name: "main", session: session, origin: nil)]
    ahead = session.isComplete ? nil : session
    eventsAhead = session.isComplete ? 0 : session.scenario.eventCount
    keyMap = settings.keyMap
    detailLevel = settings.detailLevel
    usesMouse = settings.usesMouse
    lastPlace = settings.lastPlace
    unsaved = settings.unsaved
    isPresenting = settings.isPresenting
    size = (min(width, Rect.limit), min(height, Rect.limit))
    changes = Changes(in: session)
    savedWork = ownWork
    noteMoment()
    if settings.showsStart { openStart() }
    settle()
  }

  /// What the person has chosen, with what was chosen since.
  var settings: Settings {
    Settings(
      keyMap: keyMap, detailLevel: detailLevel, usesMouse: usesMouse, lastPlace: lastPlace,
      isPresenting: isPresenting)
  }

  /// A model of another session, for the same person.
  ///
  /// - Parameter saved: the session as it was kept, if it was.
  public func opening(_ session: Session, saved: SavedSession? = nil) -> Model {
    saved.map { Model($0, width: size.width, height: size.height, settings: settings) }
      ?? Model(session, width: size.width, height: size.height, settings: settings)
  }

  /// The moment of the history that was opened, in which one was last.
  public var momentOfMain: String { branches[0].session.timeline.moment.name }

  /// Whether a line is being typed, so that Ctrl-C leaves the line and not the program.
  public var isTyping: Bool { prompt != nil }

  var timeline: Timeline { session.timeline }
  var machine: Machine { session.timeline.machine }
  var panes: [Pane] {
    Pane.all(of: machine.configuration, hasDevices: branches[branch].hasDevices)
  }
}

/// A line for the person, in the place of the keys.
struct Message: Equatable {
  let text: SafeText
  var isRefusal = false
}

/// What the program, and not the model, has to do.
public enum Effect: Equatable, Sendable {
  /// Draw the whole screen anew.
  case redraw
  /// Stop until continued.
  case suspend
  /// Let the terminal report the mouse, or not.
  case mouse(Bool)
  /// Open something else: a file, or a scenario of the program; at a moment as it is typed, or at the start.
  case open(String, at: String?)
  /// Do something with a file, and say what became of it by `Model.answer`.
  case file(FileWish)
  /// Remove what was not saved the last time.
  case discard(String)
  /// Play a lesson, by its id.
  case learn(String)
}
