import Engine
import Inquiry
import Language

extension Player {
  /// The current item, as text.
  package var page: Report {
    pieces.reduce(into: Report()) { page, piece in
      for line in piece.lines { page.add(line.text, indent: line.indent) }
    }
  }

  /// The current item in pieces: a teacher may pause after each.
  package var pieces: [Report] {
    switch phase {
    case .reading: return paragraphs
    case .asking:
      var report = Report()
      addQuestion(to: &report)
      return [report]
    case .marked(let guess, let mark):
      var report = Report()
      addOutcome(guess, mark, to: &report)
      return [report]
    case .refuting(let scene, _): return pieces(of: scene)
    case .over:
      var report = Report()
      addEnd(to: &report)
      return [report]
    }
  }

  /// The title: the lesson, and the progress in it.
  package var title: String {
    guard let current else { return shown.first?.lesson.title ?? "" }
    return "\(current.lesson.title)  \(position + 1)/\(shown.count)"
  }

  /// The statements that have run since the previous item, for readers who cannot see them run.
  package var sceneBefore: [String] {
    guard let current else { return [] }
    let scenes = current.lesson.items[..<current.index].reversed().prefix { $0.id == nil }
    return scenes.reversed().flatMap { item -> [String] in
      if case .scene(let scene) = item { scene.lines(in: library) } else { [] }
    }
  }

  /// A text: its heading is with its first paragraph.
  private var paragraphs: [Report] {
    guard case .text(let text)? = current?.item else { return [] }
    if text.prose.isEmpty { return [Report(text.heading, .title)] }
    return text.prose.enumerated().map { index, prose in
      var report = Report()
      if index == 0 { report.add(text.heading, .title) }
      if !prose.isItem { report.addBlank() }
      report.add(prose.line, indent: prose.isItem ? 2 : 0)
      return report
    }
  }

  /// The question without its choices and hints.
  package var question: Report {
    var report = Report()
    addWords(to: &report)
    return report
  }

  private func addQuestion(to report: inout Report) {
    guard let exercise else { return }
    addWords(to: &report)
    if exercise.kind != .repair {
      if !exercise.options.isEmpty { report.addBlank() }
      for (index, option) in exercise.options.enumerated() {
        report.add(
          Report.Text("\(Exercise.letter(index))  ", .key).appending(Prose(option).line), indent: 3)
      }
    }
    for hint in hintLines { report.add(hint.line) }
  }

  private func addWords(to report: inout Report) {
    guard let exercise else { return }
    report.add(Prose(exercise.question).line, indent: 0)
    if exercise.kind == .repair {
      report.addBlank()
      for (index, line) in exercise.run.enumerated() {
        report.add(Report.Text("\(index + 1)  ", .key).adding(line.text), indent: 3)
      }
    } else {
      for line in exercise.run { report.add(Report.Text("> ", .dim).adding(line.text)) }
    }
  }

  private func addOutcome(_ guess: Guess?, _ mark: Mark, to report: inout Report) {
    guard let exercise else { return }
    if !exercise.run.isEmpty || !exercise.runStays {
      add(mark.happenings, to: &report)
      report.addBlank()
    }
    if let guess {
      report.add(
        Report.Text("Guess: ", .heading).appending(exercise.inWords(guess)), indent: 2)
    }
    report.add(
      Report.Text("Outcome: ", .heading).appending(exercise.inWords(mark.key)), indent: 2)
    for note in mark.notes { report.add(Report.Text("- ").adding(note), indent: 2) }
    report.addBlank()
    let verdict =
      guess == nil
      ? Report.Text()
      : mark.isTooMuch
        ? Report.Text("It does it, and more than it had to. ", .warning)
        : mark.isRight ? Report.Text("Right. ", .valid) : Report.Text("Not so. ", .warning)
    report.add(verdict.appending(Prose(exercise.after).line), indent: 0)
  }

  /// A misconception, and the place of its refutation; then the refutation.
  private func pieces(of scene: CounterScene) -> [Report] {
    var belief = Report()
    belief.add(Report.Text("You may think: ", .heading).adding(scene.belief.belief), indent: 0)
    belief.addBlank()
    belief.add("Elsewhere, this shows that it is not so:", .dim)
    for line in scene.belief.scene.statements { belief.add("  " + line.text, .dim) }
    var refutation = Report()
    add(scene.happenings, to: &refutation)
    if let believed = scene.belief.believed, let found = scene.refutation {
      refutation.addBlank()
      refutation.add(Report.Text("Then: ", .heading).adding(believed.source.text), indent: 2)
      refutation.add(Report.Text("But: ", .heading).adding(found), indent: 2)
    }
    refutation.addBlank()
    refutation.add(Prose(scene.belief.right).line, indent: 0)
    if !scene.belief.seen.isEmpty {
      refutation.add("seen: " + scene.belief.seen, .dim)
    }
    return [belief, refutation]
  }

  private func add(_ happenings: [Stage.Happening], to report: inout Report) {
    for happening in happenings {
      report.add(Report.Text("> ", .dim).adding(happening.statement, .title))
      let words = happening.outcome.isEmpty ? happening.sentence : happening.outcome
      report.add("  " + words, .dim)
    }
  }

  private func addEnd(to report: inout Report) {
    report.add("Done.", .title)
    if score.all > 0 { report.add("\(score.right) of \(score.all) answers were right.") }
    if keepsPlace {
      report.add("What was asked comes again: pagewalk review, from tomorrow on.")
    }
  }
}

extension Player.Hint {
  /// The hint as a line.
  package var line: Report.Text {
    isStep ? Report.Text("  " + text, .dim) : Report.Text("Hint: ", .heading).adding(text)
  }
}

extension Prose {
  /// The text, with its parts styled.
  package var line: Report.Text {
    var text = Report.Text(isItem ? "- " : "")
    for part in parts {
      switch part.style {
      case .plain: text.add(part.text)
      case .term: text.add(part.text, .title)
      case .code: text.add(part.text, .address)
      }
    }
    return text
  }
}

extension Report.Text {
  func appending(_ other: Report.Text) -> Report.Text {
    other.parts.reduce(self) { $0.adding($1.text, $1.emphasis) }
  }
}

extension Exercise {
  /// An answer in its typed form, with the words of its choices.
  func inWords(_ guess: Guess) -> Report.Text {
    var text = Report.Text(guess.text(for: self), .key)
    switch (task, guess) {
    case (.choose(let choices), .choices(let chosen)):
      for index in chosen.sorted() {
        text = text.adding("  ").appending(Prose(choices[index].text).line)
      }
    case (.find, .statements(let statements)):
      text.add("  " + statements.joined(separator: "; "))
    default: break
    }
    return text
  }
}
