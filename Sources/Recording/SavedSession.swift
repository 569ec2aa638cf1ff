import Engine
import KernelText
import Language

/// A session as saved in a file: all histories, and the user's notes and choices.
public struct SavedSession: Sendable {
  /// A history. The first is the scenario's; others branch from an earlier one.
  public struct History: Sendable {
    /// Its name, as typed.
    public var name: String
    /// Its origin; nil for the first.
    public var origin: Origin?
    /// Its events. In a session read from a file, the moment is its end.
    public var session: Session
    /// Checks of its tables at the end of chapters, see `TableCheck`; unknown ones are omitted.
    public var tableChecks: [Int: [TableCheck]] = [:]

    /// A history.
    public init(name: String, origin: Origin?, session: Session) {
      self.name = name
      self.origin = origin
      self.session = session
    }
  }

  /// The origin of a history.
  public struct Origin: Equatable, Sendable {
    /// Index of the history with which it shares its beginning.
    public var parent: Int
    /// Number of the parent's events that it shares.
    public var events: Int
    /// Number of the parent's statements that it shares.
    public var statements: Int
    /// Number of its own statements that these are: fewer if some make no sense without a reverse map.
    public var kept: Int
    /// The policy under which it carries them out, as `KEY=VALUE`; nil for the parent's.
    public var policy: String?

    /// An origin.
    ///
    /// - Parameter kept: nil for as many as the parent's.
    public init(
      parent: Int, events: Int, statements: Int, kept: Int? = nil, policy: String? = nil
    ) {
      self.parent = parent
      self.events = events
      self.statements = statements
      self.kept = kept ?? statements
      self.policy = policy
    }
  }

  /// A moment of a history.
  public struct Place: Hashable, Sendable {
    /// Index of the history.
    public var history: Int
    /// The moment in it.
    public var moment: Moment

    /// A place.
    public init(history: Int, moment: Moment) {
      self.history = history
      self.moment = moment
    }
  }

  /// A moment with a letter.
  public struct Mark: Equatable, Sendable {
    /// The letter.
    public var letter: Unicode.Scalar
    /// Its place.
    public var place: Place
    /// The selection there, in the saver's spelling; empty if there was none.
    public var selection: String

    /// A mark.
    public init(letter: Unicode.Scalar, place: Place, selection: String) {
      self.letter = letter
      self.place = place
      self.selection = selection
    }
  }

  /// A text at a moment.
  public struct Note: Hashable, Sendable {
    /// Its place.
    public var place: Place
    /// The text, as typed.
    public var text: String

    /// A note.
    public init(place: Place, text: String) {
      self.place = place
      self.text = text
    }
  }

  /// A choice on the screen: its name, and its value in the saver's spelling.
  public struct Choice: Equatable, Sendable {
    /// Its name: lower-case letters, digits and `-`.
    public var name: String
    /// Its value.
    public var value: String

    /// A choice.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The first history's name until it gets another.
  static let firstName = "main"

  /// All histories, each after its parent; at least one.
  public var histories: [History]
  /// Marks in the order set, each letter once.
  public var marks: [Mark] = []
  /// Notes in the order typed.
  public var notes: [Note] = []
  /// The choices on the screen.
  public var choices: [Choice] = []

  /// A session with these histories and nothing else.
  public init(_ histories: [History]) { self.histories = histories }
}

/// A 32-bit hash of the texts of one table of a machine, including its reverse map. Another version of
/// the program can also compare it, since it covers the kernel's dump format.
public struct TableCheck: Equatable, Sendable {
  /// The table's name.
  public let table: String
  /// FNV-1a of its texts.
  public let value: UInt32

  /// The checks of all tables of a machine that have a dump. O(n) in the tables.
  public static func checks(of machine: Machine) -> [TableCheck] {
    machine.tableIDs.compactMap { id in
      guard var text = KernelDump.text(of: id, in: machine) else { return nil }
      if case .shadow(let number) = id {
        text += ReverseMapDump.text(ofShadow: number, in: machine)
      }
      return TableCheck(table: id.name, value: hash(text))
    }
  }

  /// The names of the tables that differ between two machines, each once: the first's, then those that
  /// only the second has.
  public static func differences(_ first: [TableCheck], _ second: [TableCheck]) -> [String] {
    first.filter { !second.contains($0) }.map(\.table)
      + second.filter { check in !first.contains { $0.table == check.table } }.map(\.table)
  }

  /// The checks at the end of each chapter of a session, and at its end, by the number of events before. The
  /// session stays at its moment. O(n) in the tables for each chapter.
  public static func atChapters(of session: inout Session) -> [Int: [TableCheck]] {
    let moment = session.timeline.moment
    var checks: [Int: [TableCheck]] = [:]
    for end in Set(session.chapters.map(\.end) + [session.timeline.events.count]).sorted() {
      session.seek(to: Moment(events: end))
      checks[end] = Self.checks(of: session.timeline.machine)
    }
    session.seek(to: moment)
    return checks
  }

  private static func hash(_ text: String) -> UInt32 {
    text.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }
}
