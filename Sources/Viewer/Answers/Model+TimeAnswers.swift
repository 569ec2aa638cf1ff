import Canvas
import Engine
import Inquiry
import Language

/// The named moments, watches, and other histories.
extension Model {
  var watchesAnswer: Document {
    var document = Document()
    document.add("Running and playing stop at", .title)
    for (index, watch) in watches.enumerated() {
      document.add(
        Line("\(index + 1) ", .key).adding(watch.isOn ? SafeText(.check) + " " : "  ")
          .adding(SafeText(watch.filter.text), watch.isOn ? .text : .dim), to: .watch(index))
    }
    for (index, watch) in usualWatches.enumerated() {
      document.add(
        Line(watch.isOn ? "  \(Glyph.check) " : "    ")
          .adding(SafeText(watch.filter.text), watch.isOn ? .text : .dim)
          .adding("  from the start", .dim), to: .watch(watches.count + index))
    }
    document.addBlank()
    document.add(
      "\(key(.run)) and \(key(.runBack)) run. \(key(.choose)) switches a watch on or off. Playing also stops at "
        + "chapters and marks.", .dim)
    document.add(
      "\(key(.watch)) watches the selected entry, :watch CONDITION anything: "
        + SafeText(Filter.Term.help(for: .events)) + ".", .dim)
    return document
  }

  var marksAnswer: Document {
    var document = Document()
    document.add("Chapters, marks and notes", .title)
    let chapters = session.chapters.map { chapter in
      (
        Moment(events: chapter.end),
        Line(SafeText(chapter.label).padded(to: 10) + " ", .heading)
          .adding(written(chapter, .text))
      )
    }
    let own = marksHere.map { letter, place in
      (
        place.moment,
        Line(("mark \(SafeText(String(letter)))" as SafeText).padded(to: 10) + " ", .changed)
      )
    }
    let texts = notesHere.map { note in
      (
        note.place.moment,
        Line(("note" as SafeText).padded(to: 10) + " ", .changed).adding(SafeText(note.text))
      )
    }
    for (moment, line) in (chapters + own + texts).sorted(by: { $0.0 < $1.0 }).prefix(
      Report.linesAtMost)
    {
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

  /// A moment in its typed form.
  static func name(of moment: Moment) -> SafeText {
    SafeText(moment.name)
  }

  /// All histories, each followed by those that branch from it: their indices and depths.
  private var branchTree: [(index: Int, depth: Int)] {
    var tree: [(index: Int, depth: Int)] = []
    for (index, other) in branches.enumerated() {
      // A history comes before its branches, so its parent is already in the tree.
      let place = tree.firstIndex { $0.index == other.origin?.parent }
      guard let place else {
        tree.append((index, 0))
        continue
      }
      let depth = tree[place].depth
      let end = tree[(place + 1)...].firstIndex { $0.depth <= depth } ?? tree.count
      tree.insert((index, depth + 1), at: end)
    }
    return tree
  }

  var branchesAnswer: Document {
    var document = Document()
    document.add("Histories", .title)
    for (index, depth) in branchTree {
      let other = branches[index]
      let indent = SafeText(repeating: " ", count: 2 * depth)
      var line = Line(index == branch ? SafeText(.selected) : " ", .key)
      line.add((indent + other.name).padded(to: 14) + " ", .heading)
      line.add(("\(other.session.timeline.events.count) events" as SafeText).padded(to: 13))
      let policy = other.session.timeline.machine.configuration.reverseMap
      line.add("revmap=\(SafeText(policy.rawValue)) ", .dim)
      for other in other.session.scenario.changedPolicies where !other.hasPrefix("revmap=") {
        line.add(SafeText(other) + " ", .dim)
      }
      if let origin = other.origin {
        let parent = branches[origin.parent].name
        line.add(
          origin.policy == nil ? "from \(parent) at \(origin.events)" : "the events of \(parent)",
          .dim)
      }
      if other.typed > 0 { line.add("  \(other.typed) typed", .dim) }
      document.add(line, to: .branch(index))
    }
    document.addBlank()
    document.add(
      "An event typed after \(key(.command)) before the end begins a history, in which the later ones "
        + "follow. :mute EVENT begins one without an event. "
        + "\(key(.policy)) shows the same events under another policy. "
        + "\(key(.compare)) shows this history and the selected one side by side; :diff NAME compares the "
        + "table in focus with another history, now.", .dim)
    return document
  }
}
