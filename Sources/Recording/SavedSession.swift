import Engine
import KernelText
import Language

/// A session as it is kept in a file: all histories, and what a person noted and chose.
public struct SavedSession: Sendable {
  /// A history. The first is that of the scenario; others begin in one that stands before them.
  public struct History: Sendable {
    /// Its name, as it was typed.
    public var name: String
    /// Where it begins; nil of the first.
    public var origin: Origin?
    /// What happened in it. In a session that was read, the moment is its end.
    public var session: Session
    /// Checks of its tables at the end of chapters, see `TableCheck`; those that are not known are left out.
    public var tableChecks: [Int: [TableCheck]] = [:]

    /// A history.
    public init(name: String, origin: Origin?, session: Session) {
      self.name = name
      self.origin = origin
      self.session = session
    }
  }

  /// Where a history begins.
  public struct Origin: Equatable, Sendable {
    /// Index of the history that it shares its beginning with.
    public var parent: Int
    /// Events of the parent that it shares.
    public var events: Int
    /// Statements of the parent that it shares.
    public var statements: Int
    /// Statements of its own that these are: fewer where without a reverse map some make no sense.
    public var kept: Int
    /// The policy under which it carries them out, as `KEY=VALUE`; nil for the same.
    public var policy: String?

    /// A beginning.
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
    /// Where it is.
    public var place: Place
    /// What was selected there, as whoever keeps it spells that; empty if nothing was.
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
    /// Where it stands.
    public var place: Place
    /// The text, as it was typed.
    public var text: String

    /// A note.
    public init(place: Place, text: String) {
      self.place = place
      self.text = text
    }
  }

  /// A choice on the screen: its name, and its value as whoever keeps it spells that.
  public struct Choice: Equatable, Sendable {
    /// Its name: small letters, digits and `-`.
    public var name: String
    /// Its value.
    public var value: String

    /// A choice.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// What the first history is called until it gets another name.
  static let firstName = "main"

  /// All histories, each after the one that it begins in; at least one.
  public var histories: [History]
  /// Marks in the order in which they were set, each letter once.
  public var marks: [Mark] = []
  /// Notes in the order in which they were typed.
  public var notes: [Note] = []
  /// What was chosen on the screen.
  public var choices: [Choice] = []

  /// A session with these histories and nothing else.
  public init(_ histories: [History]) { self.histories = histories }
}

/// The texts of one table of a machine, its reverse map with it, in 32 bits: what another version of the
/// program can compare as well, since it is of the dumps that the kernel writes.
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

  /// The names of tables that two machines do not have alike, each once: those of the first, then those that
  /// the second has alone.
  public static func differences(_ first: [TableCheck], _ second: [TableCheck]) -> [String] {
    first.filter { !second.contains($0) }.map(\.table)
      + second.filter { check in !first.contains { $0.table == check.table } }.map(\.table)
  }

  /// The checks at the end of each chapter of a session, and at its end, by the number of events before. The
  /// session stays at its moment. O(n) in the tables, for each chapter.
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
