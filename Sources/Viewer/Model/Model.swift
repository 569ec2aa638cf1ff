import Canvas
import Engine
import Inquiry
import Language
import Recording

/// All that the screen depends on. `update` changes it by an input, `frame` draws it.
///
/// Both depend on nothing else, and change nothing else. Copies of the model share only copy-on-write
/// memory, and `FoundRanges`, on which no frame depends.
public struct Model {
  // The subject.

  /// All histories. The first is the opened one.
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
  /// What the last event or micro-step changed.
  var changes: Changes { didSet { makeExtraRows() } }
  /// The rows of removed and future entries, by table.
  var extraRows: [TableID: [Row]] = [:]
  /// The user's watches, and those set from the start: running and playing stop there.
  var watches: [Watch] = []
  var usualWatches = Watch.usual
  /// The run to the next stop that is under way.
  var run: Run?
  /// Moments with a mark, by its letter, and the letter of the newest.
  var marks: [Unicode.Scalar: Place] = [:]
  var newestMark: Unicode.Scalar?
  /// Texts at moments.
  var notes: [SavedSession.Note] = []
  /// The user's work when it was last saved.
  var savedWork = OwnWork()
  /// Whether there is a session file, not only a scenario file.
  var isKept = false
  /// Whether a recording takes all work as it is done.
  public var isRecorded = false
  /// The places left by jumps.
  var jumps = Jumps()
  var playback = Playback()
  /// The replay, if a recording is played.
  var replay: Replay?

  // Tables.

  /// The table panes.
  var views = Dictionary(
    uniqueKeysWithValues: Pane.allCases.filter(\.isTable).map { ($0, TableView()) })
  /// The shadow shown if none was chosen.
  var recentShadow = 0
  /// The table in which the cursor was last moved, by the user or by events.
  var selected: TableID?
  /// Whether a range of the reverse map is selected, and its first page in the table.
  var isRangeSelected = false
  /// The other places of the selected page.
  var link: Link?
  /// The indexes for finding places of pages.
  var inverse = InverseIndexes()
  /// Whether the cursors of the panes are linked.
  var isLinked = true
  /// Whether the cursor follows events.
  var isFollowing = true
  /// The filter of the tables' entries.
  var filter: EntryFilter?
  /// The last searched text, and whether its visible matches are marked.
  var searched = ""
  var marksMatches = false

  // Panes.

  /// The size of the screen in cells.
  public internal(set) var size: (width: Int, height: Int)
  /// The pane that receives keys.
  var focus = Pane.canonical
  /// The layout of the screen after the last input.
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
  /// The level of detail.
  public internal(set) var detailLevel: DetailLevel
  var steps = StepsView()
  /// The question of the answer pane, its answer, and the position in it.
  var question = Topic.question(.explain)
  /// The lesson that is played, if one is.
  var lesson: LessonView?
  /// The text typed after the question, the answer as a value, and its dependencies.
  var asked = ""
  var value: (any Answer)? {
    didSet { if oldValue is ForecastAnswer || value is ForecastAnswer { makeExtraRows() } }
  }
  var answered: AnsweredFor?
  var answer = Document()
  var detail = DocumentView()
  /// The position in the reverse map's pane.
  var reverseMap = ReverseMapView()

  // Input.

  /// The keys of all actions.
  let keyMap: KeyMap
  var usesMouse: Bool
  /// The file and moment at the last close.
  let lastPlace: LastTime.Place?
  /// A file with unsaved work from the last time.
  var unsaved: String?
  /// The line being typed.
  var prompt: Prompt?
  /// Lines typed before, the newest last.
  var typed: [Prompt.Kind: [String]] = [:]
  /// The action whose argument is the next key.
  var pending: Action?
  /// A request to replace an existing file, until the next key confirms or cancels it.
  var replacement: FileWish?
  /// The message of the last key, until the next one.
  var message: Message?
  /// Number of typed events that are in no file.
  var typedEvents: Int { branches.reduce(0) { $0 + $1.typed } }
  /// The sheet open above the panes.
  var sheet: Sheet?
  /// Two histories side by side, instead of all panes.
  var difference: DifferenceView?
  /// The mistakes in the file's current version, which is not the one shown.
  var mistakes: [ScenarioError] = []
  /// Whether the file that was opened is not there any more.
  var isFileMissing = false
  /// Whether the program should end.
  public internal(set) var isFinished = false

  /// A model of a session at some moment. The rest of its history is carried out in pieces, while no
  /// input comes.
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
    makeExtraRows()
    savedWork = ownWork
    noteMoment()
    if ahead == nil { sayLeftOut() }
    if settings.showsStart {
      openStart()
    } else if unsaved != nil {
      say("Work was not saved when pagewalk ended by force. \(press(.open)) to recover it.")
    }
    settle()
  }

  /// The user's settings, including later choices.
  var settings: Settings {
    Settings(
      keyMap: keyMap, detailLevel: detailLevel, usesMouse: usesMouse, lastPlace: lastPlace,
      isPresenting: isPresenting)
  }

  /// A model of another session, for the same person.
  ///
  /// - Parameter saved: the saved session, if there is one.
  public func opening(_ session: Session, saved: SavedSession? = nil) -> Model {
    saved.map { Model($0, width: size.width, height: size.height, settings: settings) }
      ?? Model(session, width: size.width, height: size.height, settings: settings)
  }

  /// The last moment visited in the opened history.
  public var momentOfMain: String { branches[0].session.timeline.moment.name }

  /// Whether a line is being typed, so that Ctrl-C cancels the line, not the program.
  public var isTyping: Bool { prompt != nil }

  var timeline: Timeline { session.timeline }
  var machine: Machine { session.timeline.machine }
  var panes: [Pane] {
    Pane.all(of: machine.configuration, hasDevices: branches[branch].hasDevices)
  }
}

/// A message line, shown instead of the keys.
struct Message: Equatable {
  let text: SafeText
  var isRefusal = false
}

/// An effect that the program, not the model, must carry out.
public enum Effect: Equatable, Sendable {
  /// Draw the whole screen anew.
  case redraw
  /// Stop until continued.
  case suspend
  /// Let the terminal report the mouse, or not.
  case mouse(Bool)
  /// Open something else: a file, or a scenario of the program; at a moment as it is typed, or at the start.
  case open(String, at: String?)
  /// Do something with a file, and report the result with `Model.answer`.
  case file(FileWish)
  /// Remove a file with unsaved work.
  case discard(String)
  /// Play a lesson, by its id.
  case learn(String)
}
