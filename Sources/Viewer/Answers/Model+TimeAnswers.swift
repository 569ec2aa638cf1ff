import Canvas
import Engine
import Inquiry
import Language

/// Where one can go in time, and other histories.
extension Model {
  var watchesAnswer: Document {
    var document = Document()
    document.add("Running stops at", .title)
    for (index, watch) in watches.enumerated() {
      document.add(
        Line("\(index + 1) ", .key).adding(watch.isOn ? SafeText(.check) + " " : "  ")
          .adding(SafeText(watch.filter.text), watch.isOn ? .text : .dim), to: .watch(index))
    }
    if watches.isEmpty {
      document.add("  \(SafeText(Watch.usual))")
      document.add("which is usual while nothing else is watched.", .dim)
    }
    document.addBlank()
    document.add(
      "\(key(.run)) and \(key(.runBack)) run. \(key(.choose)) switches a watch on or off.", .dim)
    document.add(
      "\(key(.watch)) watches the selected entry, :watch CONDITION anything: "
        + Filter.Term.help(for: .events) + ".", .dim)
    return document
  }

  var marksAnswer: Document {
    var document = Document()
    document.add("Chapters and marks", .title)
    let chapters = session.chapters.map { chapter in
      (
        Moment(events: chapter.end),
        Line(SafeText(chapter.label).padded(to: 10) + " ", .heading)
          .adding(SafeText(chapter.text))
      )
    }
    let own = marks.filter { $0.value.branch == branch }.map { letter, place in
      (
        place.moment,
        Line(("mark \(SafeText(String(letter)))" as SafeText).padded(to: 10) + " ", .changed)
      )
    }
    for (moment, line) in (chapters + own).sorted(by: { $0.0 < $1.0 }).prefix(Self.linesAtMost) {
      let isHere = moment == timeline.moment
      document.add(
        Line(isHere ? SafeText(.selected) : " ", .key)
          .adding(Self.name(of: moment).padded(to: 8, .right) + " ", .dim)
          .adding(line), to: .moment(moment), indent: 21)
    }
    let others = jumps.places.filter { $0.branch == branch }
    if !others.isEmpty {
      document.addBlank()
      document.add("You were at", .title)
      for place in others.suffix(20).reversed() {
        document.add(
          Line(" " + Self.name(of: place.moment).padded(to: 8, .right)),
          to: .moment(place.moment))
      }
    }
    return document
  }

  /// A moment as it is typed.
  static func name(of moment: Moment) -> SafeText {
    moment.steps > 0 ? "\(moment.events).\(moment.steps)" : "\(moment.events)"
  }

  var branchesAnswer: Document {
    var document = Document()
    document.add("Histories", .title)
    for (index, other) in branches.enumerated() {
      var line = Line(index == branch ? SafeText(.selected) : " ", .key)
      line.add(other.name.padded(to: 12) + " ", .heading)
      line.add(("\(other.session.timeline.events.count) events" as SafeText).padded(to: 13))
      let policy = other.session.timeline.machine.configuration.reverseMap
      line.add("revmap=\(SafeText(policy.rawValue)) ", .dim)
      if let origin = other.origin {
        let parent = branches[origin.branch].name
        line.add(
          origin.events.map { "from \(parent) at \($0)" } ?? "the events of \(parent)", .dim)
      }
      document.add(line, to: .branch(index))
    }
    document.addBlank()
    document.add(
      "An event typed after \(key(.command)) before the end begins a history. "
        + "\(key(.policy)) shows the same events under another policy. "
        + ":diff NAME compares the table in focus with another history, now.", .dim)
    return document
  }

  /// What each policy costs for these events.
  mutating func costs() -> Document {
    var document = Document()
    let events = timeline.events.count
    guard events <= Self.eventsForCosts else {
      document.add("Counting \(events) events six times would take long here.")
      document.add("`pagewalk compare FILE` does it on the command line.", .dim)
      return document
    }
    let costs = session.scenario.costs(under: PolicyChoice.choices(for: session.scenario))
    let columns = CostColumn.columns(for: costs)
    let figures = costs.map { cost in columns.map { SafeText($0.figure(cost)) } }
    let names = columns.map { SafeText($0.name) }
    let widths = columns.indices.map { column in
      (figures + [names]).map { $0[column].columns }.max() ?? 0
    }
    func cells(_ texts: [SafeText], _ role: Role) -> [Line] {
      zip(texts, widths).map { Line("  " + $0.padded(to: $1, .right), role) }
    }
    let first = (costs.map { SafeText($0.policy).columns } + [6]).max() ?? 6
    document.add("The same events under each policy", .title)
    document.add(
      row: Line(("policy" as SafeText).padded(to: first), .heading), cells: cells(names, .heading))
    document.heads = document.items.count
    for (cost, texts) in zip(costs, figures) {
      let policy = SafeText(cost.policy).padded(to: first)
      document.add(row: Line(policy, cost.isInForce ? .key : .text), cells: cells(texts, .text))
      for breach in cost.violations {
        document.add(
          Line("  \(Glyph.mismatch) ", .mismatch)
            .adding("breaks \(SafeText(breach.rule)) at event \(breach.event)", .warning))
      }
      if let stopped = cost.stopped { document.add("  stops: \(SafeText(stopped))", .error) }
    }
    document.addBlank()
    for column in columns {
      document.add(
        Line(SafeText(column.name).padded(to: 10), .heading).adding(SafeText(column.meaning), .dim),
        indent: 10)
    }
    return document
  }

  /// Events for which costs are counted while a person waits.
  private static let eventsForCosts = 3_000
}
