import Engine
import Language

/// A person named a moment that a history does not have.
package struct NoMoment: Error, Equatable, Sendable {
  /// What was expected, and what was typed, as a clause.
  package let message: String
}

extension Session {
  /// The moment that a text names, see `moment(named:)`, if the history has it: also as many micro-steps.
  ///
  /// The session stays where it is. With micro-steps the cost is that of two seeks.
  package mutating func existingMoment(named text: String) throws(NoMoment) -> Moment {
    guard let moment = moment(named: text) else { throw NoMoment(message: missing(text)) }
    if moment.steps == 0 { return moment }
    let here = timeline.moment
    seek(to: Moment(events: moment.events + 1))
    let steps = timeline.steps.count
    seek(to: here)
    if moment.steps <= steps { return moment }
    let first = Moment(events: moment.events, steps: 1).name
    let last = Moment(events: moment.events, steps: steps).name
    let range = steps > 1 ? "\(first) to \(last)" : first
    throw NoMoment(
      message:
        "event \(moment.events + 1) has \(count(steps, "micro-step")): expected \(range), not '\(text)'"
    )
  }

  /// Whether a text names a moment, or a chapter, be it there or not.
  package func isMomentName(_ text: String) -> Bool {
    moment(named: text) != nil || Self.chapterPrefixes.contains { text.hasPrefix($0) }
  }

  private func missing(_ text: String) -> String {
    guard let prefix = Self.chapterPrefixes.first(where: { text.hasPrefix($0) }) else {
      return "expected \(momentHelp), not '\(text)'"
    }
    if chapters.isEmpty { return "there are no chapters, so no '\(text)': expected \(momentHelp)" }
    let labels = Spelling.byDistance(from: text.dropFirst(prefix.count), chapters.map(\.label))
    let nearest = labels.prefix(Self.chaptersNamed).map { Self.chapterPrefixes[0] + $0 }
    return "there is no '\(text)'; the nearest of \(count(chapters.count, "chapter")): "
      + nearest.joined(separator: ", ")
  }

  /// How many chapters a message names.
  private static let chaptersNamed = 3
}
