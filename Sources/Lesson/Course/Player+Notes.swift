import Inquiry
import Language

extension Player {
  /// The teacher's view while a class sees the page: the lesson's notes, for a question its answer and
  /// the misconceptions behind wrong ones, and the next item. For a single learner there are no answers.
  package var notes: Report {
    var report = Report()
    guard let current, let id = current.item.id else { return report }
    for prose in current.lesson.notes[id]?.prose ?? [] {
      report.add(prose.line, indent: prose.isItem ? 2 : 0)
    }
    if let exercise { addAnswers(to: exercise, &report) }
    if shown.indices.contains(position + 1) {
      if !report.lines.isEmpty { report.addBlank() }
      report.add(Report.Text("Next: ", .heading).appending(shown[position + 1].title), indent: 2)
    }
    return report
  }

  /// Adds the answer, and the misconceptions behind other answers.
  private func addAnswers(to exercise: Exercise, _ report: inout Report) {
    if !report.lines.isEmpty { report.addBlank() }
    if let key {
      report.add(Report.Text("Answer: ", .heading).appending(exercise.inWords(key)), indent: 2)
      report.add(Prose(exercise.after).line, indent: 2)
      let wrongs = exercise.wrongAnswers(but: key)
      for (index, wrong) in wrongs.enumerated() {
        // A misconception behind several answers is shown once.
        guard let belief = library.beliefs[wrong.belief],
          !wrongs[..<index].contains(where: { $0.belief == wrong.belief })
        else { continue }
        let answers = wrongs.filter { $0.belief == wrong.belief }.map(\.answer)
        report.add(
          Report.Text("- \(answers.joined(separator: ", ")): ", .key).adding(belief.belief + " ")
            .adding("But: ", .heading)
            .adding(belief.right), indent: 2)
      }
    }
  }
}

extension Player.Shown {
  /// The item as a line: a heading, or a question.
  fileprivate var title: Report.Text {
    switch item {
    case .text(let text): Report.Text(text.heading)
    case .exercise(let exercise): Prose(exercise.question).line
    case .scene: Report.Text()
    }
  }
}

extension Exercise {
  /// Wrong answers in their typed form, each with its misconception: for choices, those not in the key.
  fileprivate func wrongAnswers(but key: Guess) -> [(answer: String, belief: String)] {
    switch (task, key) {
    case (.choose(let choices), .choices(let right)), (.tick(let choices), .choices(let right)):
      return choices.enumerated().compactMap { index, choice in
        guard !right.contains(index), let belief = choice.belief?.text else { return nil }
        return (Self.letter(index), belief)
      }
    default:
      let foreseen = wrongs.map { (answer: $0.answer.text, belief: $0.belief.text) }
      return foreseen
        + (belief.map { [(answer: foreseen.isEmpty ? "any other" : "others", belief: $0.text)] }
          ?? [])
    }
  }
}
