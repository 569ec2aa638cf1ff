import Canvas
import Engine
import Foundation
import Language
import Lesson
import Synchronization

@testable import Viewer

/// A viewer as a person uses it: keys go in, frames come out.
struct Screen {
  var model: Model
  private(set) var effects: [Effect] = []

  /// Files that were opened. To carry out their events and to check all rules after each is most of what a
  /// test has to do, and it is the same for all.
  private static let opened = Mutex<[String: Screen]>([:])

  /// Opens a file of the assets at a size.
  init(_ path: String = "scenarios/nested/three-tables.pw", _ width: Int = 120, _ height: Int = 40)
    throws
  {
    self = try Self.opened.withLock { opened in
      if let screen = opened[path] { return screen }
      let screen = try Screen(bytes: Self.bytes(path), file: path, 120, 40)
      opened[path] = screen
      return screen
    }
    input(.resize(width: width, height: height))
  }

  /// Opens a scenario that is given by its statements, in a nested VM.
  init(statements: String, _ width: Int = 120, _ height: Int = 40) throws {
    let text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\n" + statements
    try self.init(bytes: [UInt8](text.utf8), file: "test.pw", width, height)
  }

  init(bytes: [UInt8], file: String, _ width: Int, _ height: Int) throws {
    var session = Session(try Scenario(parsing: bytes, file: file))
    try session.finish()
    session.seek(to: Moment(events: 0))
    self.init(session, width, height)
  }

  init(_ session: Session, _ width: Int, _ height: Int) {
    model = Model(session, width: width, height: height)
    model.finishWork()
  }

  /// A lesson of the program, at a place of it; before a class on a projector.
  init(
    lesson id: String, from place: String? = nil, isForClass: Bool = false, _ width: Int,
    _ height: Int
  ) throws {
    guard let lesson = Library.shipped.lesson(id) else { fatalError("no lesson \(id)") }
    var settings = Settings()
    settings.isPresenting = isForClass
    model = Model(
      lesson: try Player(lesson, in: .shipped, from: place, day: 1, isForClass: isForClass),
      asksClass: isForClass, width: width, height: height, settings: settings)
    model.finishWork()
  }

  /// What is in a file of the assets.
  static func bytes(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: assets.appending(path: path)))
  }

  static let assets = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "assets")

  /// Presses keys, given by their spellings with blanks between them. What stands in `‹...›` is typed, each
  /// character a key.
  mutating func press(_ keys: String) {
    for input in Self.inputs(keys) { self.input(input) }
  }

  /// The inputs that `press` makes of its text.
  static func inputs(_ keys: String) -> [Input] {
    keys.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "‹" || $0 == "›" })
      .enumerated().flatMap { index, part -> [Input] in
        if index % 2 == 1 { return part.unicodeScalars.map { .key(Key(typed: $0)) } }
        return part.split(separator: " ").map { spelling in
          guard let key = Key(spelling: String(spelling)) else {
            fatalError("no key is spelled \(spelling)")
          }
          return .key(key)
        }
      }
  }

  mutating func input(_ input: Input) {
    effects += model.update(input)
    model.finishWork()
  }

  /// The rows of a table pane from its top on, for a high screen.
  func rows(of pane: some TablePane) -> [Row] {
    guard let rows = pane.rows(in: model) else { return [] }
    return model.views[pane.pane]?.visible(rows, height: 40) ?? []
  }

  var frame: Surface { model.frame() }
  var text: String { frame.text }
  var lines: [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
  var lastLine: String { lines[frame.height - 1] }
}
