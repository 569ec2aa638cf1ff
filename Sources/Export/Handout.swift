import Canvas
import Engine
import Inquiry
import Language
import Lesson

/// A lesson to read away from the program: its texts, scenes and questions in order, the tables after
/// each, and the engine's answer to each question.
package struct Handout {
  /// A piece of it.
  enum Block {
    case heading(String)
    case paragraph(Prose)
    /// Statements, or literal lines.
    case code([String])
    /// Choices, each with its letter.
    case choices([String])
    /// Parts to look up, or to see only after thinking: tables, hints, and the answer.
    case hidden(String, [Block])
  }

  let title: String
  private(set) var blocks: [Block] = []

  /// The forms in which it can be written.
  package enum Form: String, CaseIterable, Sendable {
    case markdown, html
  }

  /// A handout of a lesson.
  ///
  /// - Parameter hasNotes: whether it is for a teacher, with the lesson's notes.
  /// - Throws: a mistake of the lesson.
  package init(
    _ lesson: Lesson, in library: Library, hasNotes: Bool = false
  ) throws(ScenarioError) {
    title = lesson.title
    var stage: Stage?
    var number = 0
    for item in lesson.items {
      switch item {
      case .text(let text):
        blocks.append(.heading(text.heading))
        blocks += text.prose.map { .paragraph($0) }
        if hasNotes { addNotes(lesson.notes[text.id]) }
      case .scene(let scene):
        try scene.play(on: &stage, in: library, file: lesson.file)
        blocks.append(.code(scene.lines(in: library)))
        if let stage, let tables = Self.tables(of: stage) {
          blocks.append(.hidden("Tables", [tables]))
        }
      case .exercise(let exercise):
        guard let found = stage else { continue }
        number += 1
        let marker = try Marker(exercise, on: found, file: lesson.file)
        if exercise.runStays { stage = marker.after }
        try add(marker, number)
        if hasNotes { addNotes(lesson.notes[exercise.id]) }
      }
    }
  }

  private mutating func addNotes(_ notes: TeacherNotes?) {
    if let notes { blocks.append(.hidden("Notes", notes.prose.map { .paragraph($0) })) }
  }

  /// The entries of all tables, as `list` prints them; nil if there are none.
  private static func tables(of stage: Stage) -> Block? {
    var session = stage.session
    guard let list = try? ListAnswer(about: Subject(), in: &session), !list.rows.isEmpty else {
      return nil
    }
    return .code(list.report(.engineer).lines.map(\.text.string))
  }

  private mutating func add(_ marker: Marker, _ number: Int) throws(ScenarioError) {
    let exercise = marker.exercise
    blocks.append(.heading("Question \(number)"))
    blocks.append(.paragraph(Prose(exercise.question)))
    switch exercise.task {
    case .repair:
      blocks.append(.code(exercise.run.enumerated().map { "\($0 + 1)  \($1.text)" }))
    case .choose, .tick, .number, .point, .order, .write, .find:
      if !exercise.run.isEmpty { blocks.append(.code(exercise.run.map(\.text))) }
      if !exercise.options.isEmpty { blocks.append(.choices(exercise.options)) }
    }
    let key = try marker.key()
    let mark = try marker.mark(key)
    blocks.append(.hidden("Hints", exercise.hints.map { .paragraph(Prose($0)) }))
    var answer: [Block] = [.paragraph(Prose("Answer: \(key.text(for: exercise))"))]
    let lines = mark.happenings.flatMap { happening in
      [happening.statement] + (happening.outcome.isEmpty ? [] : ["  " + happening.outcome])
    }
    if !exercise.run.isEmpty || !exercise.runStays { answer.append(.code(lines)) }
    answer.append(.paragraph(Prose(exercise.after)))
    if !exercise.run.isEmpty, exercise.runStays, let tables = Self.tables(of: marker.after) {
      answer.append(.paragraph(Prose("Then the tables hold:")))
      answer.append(tables)
    }
    blocks.append(.hidden("Answer", answer))
  }
}

// MARK: - Markdown

extension Handout {
  /// The handout as text.
  package func text(as form: Form) -> String {
    switch form {
    case .markdown: markdown
    case .html: html
    }
  }

  /// As Markdown, with hints and answers at the end.
  private var markdown: String {
    var text = "# \(title)\n"
    var answers = ""
    var question = ""
    for block in blocks {
      if case .heading(let heading) = block { question = heading }
      if case .hidden(let summary, let parts) = block {
        answers += "\n### \(question): \(summary.lowercased())\n" + Self.markdown(parts)
      } else {
        text += Self.markdown([block])
      }
    }
    return text + "\n## Hints and answers\n" + answers
  }

  private static func markdown(_ blocks: [Block]) -> String {
    blocks.map { block in
      switch block {
      case .heading(let heading): "\n## \(heading)\n"
      case .paragraph(let prose):
        (prose.isItem ? "- " : "\n") + prose.parts.map(\.markdown).joined() + "\n"
      case .code(let lines): "\n~~~\n" + lines.map { $0 + "\n" }.joined() + "~~~\n"
      case .choices(let choices):
        "\n"
          + choices.enumerated().map { "- \(Exercise.letter($0)): \($1)\n" }.joined()
      case .hidden: ""
      }
    }.joined()
  }

  // MARK: HTML

  /// As one self-contained page, with hints and answers folded.
  private var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Self.escaped(title))</title>
    <style>
    body { max-width: 42em; margin: 2em auto; padding: 0 1em; font: 1.1em/1.5 sans-serif; }
    pre { padding: 0.6em; overflow-x: auto; border: 1px solid; }
    details { margin: 0.6em 0; }
    @media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } }
    </style>
    </head>
    <body>
    <h1>\(Self.escaped(title))</h1>
    \(Self.html(blocks))</body>
    </html>

    """
  }

  private static func html(_ blocks: [Block]) -> String {
    blocks.map { block in
      switch block {
      case .heading(let heading): "<h2>\(escaped(heading))</h2>\n"
      case .paragraph(let prose):
        "<p>\((prose.isItem ? "• " : "") + prose.parts.map(html).joined())</p>\n"
      case .code(let lines): "<pre>\(lines.map(escaped).joined(separator: "\n"))</pre>\n"
      case .choices(let choices):
        "<ol type=\"a\">\n"
          + choices.map { "<li>\(Prose($0).parts.map(html).joined())</li>\n" }.joined() + "</ol>\n"
      case .hidden(let summary, let parts):
        "<details><summary>\(escaped(summary))</summary>\n\(html(parts))</details>\n"
      }
    }.joined()
  }

  private static func html(_ part: Prose.Part) -> String {
    switch part.style {
    case .plain: escaped(part.text)
    case .term: "<strong>\(escaped(part.text))</strong>"
    case .code: "<code>\(escaped(part.text))</code>"
    }
  }

  private static func escaped(_ text: String) -> String { Surface.escaped(SafeText(text).string) }
}

extension Prose.Part {
  fileprivate var markdown: String {
    switch style {
    case .plain: text
    case .term: "**\(text)**"
    case .code: "`\(text)`"
    }
  }
}
