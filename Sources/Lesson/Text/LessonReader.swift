import Engine
import Inquiry
import Language

extension Lesson {
  /// Reads a lesson's file.
  ///
  /// - Throws: the first mistake.
  package init(parsing bytes: [UInt8], file: String) throws(ScenarioError) {
    var mistakes: [ScenarioError] = []
    self.init(reading: bytes, file: file, &mistakes)
    if let first = mistakes.first { throw first }
  }

  /// Reads a lesson's file, skipping wrong blocks.
  package init(reading bytes: [UInt8], file: String, _ mistakes: inout [ScenarioError]) {
    var reader = LessonReader(file: file)
    reader.read(bytes)
    mistakes += reader.mistakes.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
    self = reader.lesson
  }
}

/// Reads Markdown with blocks: the part between `~~~KIND` and `~~~` is statements, a question, or
/// something that lessons share; everything else is text.
struct LessonReader {
  static let bytesAtMost = 1 << 20

  private(set) var lesson: Lesson
  private(set) var mistakes: [ScenarioError] = []
  /// The text being read.
  private var paragraphs = Paragraphs()

  init(file: String) { lesson = Lesson(file: file) }

  private var file: String { lesson.file }

  private enum Block: String, CaseIterable {
    case lesson, pw, ask, notes, world, belief
  }

  mutating func read(_ bytes: [UInt8]) {
    guard bytes.count <= Self.bytesAtMost else {
      return note(SourceLine("").error("expected a file of at most 1M", in: file))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return note(SourceLine("").error("expected UTF-8", in: file))
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var index = 0
    while index < lines.count {
      let line = SourceLine(lines[index].trimmed, line: index + 1)
      index += 1
      guard line.text.hasPrefix("~~~") else {
        readText(line)
        continue
      }
      endParagraph()
      var body: [SourceLine] = []
      while index < lines.count, !lines[index].hasPrefix("~~~") {
        let raw = lines[index]
        let indent = raw.prefix { $0 == " " || $0 == "\t" }.utf8.count
        body.append(SourceLine(raw.trimmed, line: index + 1, column: indent + 1))
        index += 1
      }
      if index == lines.count {
        note(line.error("expected '~~~' after the block that begins here", in: file))
      }
      index += 1
      do throws(ScenarioError) {
        try readBlock(line.dropping(3), body)
      } catch {
        note(error)
      }
    }
    endParagraph()
    if !lesson.isCollection, lesson.title.isEmpty {
      note(SourceLine("").error("expected '# TITLE' before anything else", in: file))
    }
  }

  private mutating func note(_ error: ScenarioError) { mistakes.append(error) }

  // MARK: Text

  private mutating func readText(_ line: SourceLine) {
    if line.text.hasPrefix("<!--"), line.text.hasSuffix("-->") { return endParagraph() }
    if line.text.hasPrefix("# ") {
      endParagraph()
      lesson.title = line.dropping(2).text
    } else if line.text.hasPrefix("## ") {
      endParagraph()
      let heading = line.dropping(3)
      let screen = TextScreen(heading: heading.text, source: heading)
      if lesson.index(of: screen.id) != nil {
        note(heading.error("expected another heading: '\(screen.id)' is there already", in: file))
      }
      lesson.items.append(.text(screen))
    } else if line.text.hasPrefix("#") || line.text.hasPrefix("```") {
      note(
        line.error(
          "expected text, '# TITLE', '## HEADING' or a block: "
            + Block.allCases.map { "~~~\($0.rawValue)" }.joined(separator: " "), in: file))
    } else {
      paragraphs.add(line)
    }
  }

  private mutating func endParagraph() {
    let prose = paragraphs.take()
    guard case .text(var screen)? = lesson.items.last else {
      // Text under no heading is only for readers of the file, like that of a collection.
      return
    }
    screen.prose += prose
    lesson.items[lesson.items.count - 1] = .text(screen)
  }

  // MARK: Blocks

  private mutating func readBlock(_ head: SourceLine, _ body: [SourceLine]) throws(ScenarioError) {
    let words = head.words
    guard let kind = words.first, let block = Block(rawValue: kind.text) else {
      throw head.error(
        "expected a kind of block: " + Block.allCases.map(\.rawValue).joined(separator: " "),
        in: file)
    }
    let operands = Array(words.dropFirst())
    switch block {
    case .lesson: try readHead(body)
    case .pw: lesson.items.append(.scene(try scene(operands, body)))
    case .ask: try readExercise(head, operands, body)
    case .notes: try readNotes(head, operands, body)
    case .world:
      guard let name = operands.first, operands.count == 1 else {
        throw head.error("expected '~~~world NAME'", in: file)
      }
      lesson.worlds[name.text] = world(body)
    case .belief:
      guard let id = operands.first, operands.count == 1 else {
        throw head.error("expected '~~~belief ID'", in: file)
      }
      if lesson.beliefs[id.text] != nil {
        throw id.error("expected another id: '\(id.text)' is there already", in: file)
      }
      lesson.beliefs[id.text] = try belief(id, Keyed(body, in: file))
    }
  }

  private mutating func readHead(_ body: [SourceLine]) throws(ScenarioError) {
    for line in body where !line.text.isEmpty {
      let (key, rest) = line.keyed ?? ("", line)
      switch key {
      case "id":
        guard Self.isID(rest.text) else {
          throw rest.error("expected an id of letters, digits and hyphens", in: file)
        }
        lesson.id = rest.text
      case "needs": lesson.needs = rest.words
      default: throw line.error("expected 'id: NAME' or 'needs: NAME ...'", in: file)
      }
    }
  }

  /// Notes belong to the text or the question above them.
  private mutating func readNotes(
    _ head: SourceLine, _ operands: [SourceLine], _ body: [SourceLine]
  ) throws(ScenarioError) {
    if let operand = operands.first { throw operand.error("expected '~~~notes'", in: file) }
    guard let id = lesson.items.compactMap(\.id).last else {
      throw head.error("expected a text or a question above notes", in: file)
    }
    var paragraphs = Paragraphs()
    for line in body { paragraphs.add(line) }
    lesson.notes[id, default: TeacherNotes(source: head, prose: [])].prose += paragraphs.take()
  }

  static func isID(_ text: String) -> Bool {
    !text.isEmpty
      && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
  }

  private func world(_ body: [SourceLine]) -> World {
    World(
      file: file, line: body.first?.line ?? 1, text: body.map { $0.text + "\n" }.joined())
  }

  private func scene(
    _ operands: [SourceLine], _ body: [SourceLine]
  ) throws(ScenarioError) -> Scene {
    var scene = Scene()
    let statements = body.filter { !$0.text.isEmpty && !$0.text.hasPrefix("#") }
    if let name = operands.first {
      scene.start = .world(name, policies: Array(operands.dropFirst()))
      scene.statements = statements
    } else if statements.first?.text.hasPrefix("pagewalk ") ?? false {
      scene.start = .own(world(body))
    } else {
      scene.statements = statements
    }
    return scene
  }

  private func belief(_ id: SourceLine, _ keyed: Keyed) throws(ScenarioError) -> Belief {
    var belief = Belief(id: id, file: file)
    belief.belief = keyed.text
    for (key, value) in keyed.entries {
      switch key {
      case .right: belief.right = value.text
      case .seen: belief.seen = value.text
      case .world:
        let words = value.words
        guard let name = words.first else { throw value.error("expected a world", in: file) }
        belief.scene.start = .world(name, policies: Array(words.dropFirst()))
      case .given: belief.scene.statements.append(value)
      case .run: belief.run.append(value)
      case .believed: belief.believed = try Truth(value, file: file)
      case .true: belief.actual.append(try Truth(value, file: file))
      case .choice, .belief, .hint, .after, .answer, .wrong, .step, .goal, .solution, .only, .least,
        .from:
        throw value.error(keyed.unexpected(key, "a misconception"), in: file)
      }
    }
    return belief
  }

  private mutating func readExercise(
    _ head: SourceLine, _ operands: [SourceLine], _ body: [SourceLine]
  ) throws(ScenarioError) {
    guard operands.count == 2, let kind = Exercise.Kind(rawValue: operands[0].text),
      Self.isID(operands[1].text)
    else {
      throw head.error(
        "expected '~~~ask KIND ID', with a kind of: "
          + Exercise.Kind.allCases.map(\.rawValue).joined(separator: " "), in: file)
    }
    if lesson.index(of: operands[1].text) != nil {
      throw operands[1].error(
        "expected another id: '\(operands[1].text)' is there already", in: file)
    }
    lesson.items.append(
      .exercise(
        try ExerciseReader(file: file).exercise(
          kind, operands[1], try Keyed(body, in: file), lesson: lesson.id)))
  }
}

extension SourceLine {
  /// Its words, each with its place.
  var words: [SourceLine] {
    text.split(separator: " ").map { word in
      let offset = text[..<word.startIndex].utf8.count
      return SourceLine(word, line: line, column: column + offset)
    }
  }

  /// The key and the rest, if it has the form `KEY: REST`.
  var keyed: (key: String, rest: SourceLine)? {
    let key = text.prefix { $0.isLetter }
    guard !key.isEmpty, text.dropFirst(key.count).first == ":" else { return nil }
    return (String(key), dropping(key.count + 1))
  }
}

/// Paragraphs and items of lists, line by line.
private struct Paragraphs {
  private var prose: [Prose] = []
  private var text = ""
  private var isItem = false

  /// Adds a line: `- ` begins an item, an empty line ends the current one.
  mutating func add(_ line: SourceLine) {
    if line.text.isEmpty { return end() }
    if line.text.hasPrefix("- ") {
      end()
      isItem = true
      text = line.dropping(2).text
    } else {
      text += (text.isEmpty ? "" : " ") + line.text
    }
  }

  private mutating func end() {
    if !text.isEmpty { prose.append(Prose(text, isItem: isItem)) }
    (text, isItem) = ("", false)
  }

  /// Takes what was read, and starts over.
  mutating func take() -> [Prose] {
    end()
    defer { prose = [] }
    return prose
  }
}

/// The lines of a block: a text, and then lines that begin with a key.
struct Keyed {
  /// The kind of a line. The raw value is its beginning.
  enum Key: String, CaseIterable {
    case run = ">"
    case choice = "-"
    case `true`, belief, hint, after, answer, wrong, step, goal, solution, only, least, from
    case right, seen, world, given, believed
  }

  /// The text before the first key.
  private(set) var text = ""
  private(set) var entries: [(key: Key, value: SourceLine)] = []

  /// Texts may continue on the next line; statements do not.
  private static let wrapped: Set<Key> = [.choice, .hint, .after, .right, .seen]

  init(_ lines: [SourceLine], in file: String) throws(ScenarioError) {
    for line in lines where !line.text.isEmpty {
      if line.text.hasPrefix("> ") {
        entries.append((.run, line.dropping(2)))
      } else if line.text.hasPrefix("- ") {
        entries.append((.choice, line.dropping(2)))
      } else if let (name, rest) = line.keyed, let key = Key(rawValue: name), key != .run {
        entries.append((key, rest))
      } else if let last = entries.last {
        guard Self.wrapped.contains(last.key) else {
          throw line.error(
            "expected '> STATEMENT', '- CHOICE' or 'KEY: ...' with a key of: "
              + Key.allCases.dropFirst(2).map(\.rawValue).joined(separator: " "), in: file)
        }
        let value = last.value
        entries[entries.count - 1].value = SourceLine(
          value.text + " " + line.text, line: value.line, column: value.column)
      } else {
        text += (text.isEmpty ? "" : " ") + line.text
      }
    }
  }

  func unexpected(_ key: Key, _ what: String) -> String {
    "\(what) has no '\(key.rawValue)'; see assets/lessons.md"
  }
}
