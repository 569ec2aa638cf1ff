import Canvas
import Engine
import Language

extension Model {
  /// What the current event is, what the micro-step is that is looked at, and why.
  var explanation: Document {
    guard let event = timeline.currentEvent else { return welcome }
    var document = Document()
    document.add(SafeText(timeline.events[event].sentence).capitalized, .title)
    if timeline.stepsDone == timeline.steps.count {
      if case .access = timeline.events[event] {
        document.add(SafeText(machine.lastOutcome.sentence))
      }
      if let nothing = nothingChanged(in: event) { document.add(nothing, .warning) }
    }
    document.addBlank()
    if let index = currentStep, timeline.steps.indices.contains(index) {
      let explanation = timeline.steps[index].explanation
      document.add(
        Line("\(index + 1) ", .dim).adding(SafeText(explanation.label), .heading)
          .adding("  " + SafeText(explanation.what)))
      let why = reason(ofStep: index, in: timeline.steps)
      if !why.isEmpty { document.add(why) }
      if detailLevel != .plain { document.add(SafeText(explanation.source.description), .dim) }
      if detailLevel == .bits { addWords(ofStep: index, to: &document) }
    }
    if detailLevel != .plain {
      document.addBlank()
      document.add(Line("cost  ", .dim).adding(changes.cost.summary))
    }
    if isChapterCut {
      document.addBlank()
      document.add(Line("in  ", .dim).adding(chapter))
    }
    return document
  }

  /// Why a micro-step was done.
  func reason(ofStep index: Int, in steps: [Step]) -> SafeText {
    let step = steps[index]
    // What a whole shadow goes for is in the steps before: what a map said, or that there is none.
    if step.has(.fullUnmap),
      let start = steps[..<index].lastIndex(where: { $0.stepClass == .trigger }),
      steps[start].action == .host(.notifierStart) || steps[start].action == .slot(.deleted),
      !steps[start..<index].contains(where: { $0.table == step.table && $0.isLookUp })
    {
      return
        "Nothing records which nested addresses lead to that memory, so all of the shadow goes."
    }
    return SafeText(step.explanation.why)
  }

  /// That an event has changed no table, and why; nil if it has.
  private func nothingChanged(in event: Int) -> SafeText? {
    guard changes.counts.isEmpty, changes.removed.isEmpty else { return nil }
    let reason = timeline.steps.last { $0.stepClass == .remark }.map {
      SafeText($0.explanation.why)
    }
    let ending: SafeText =
      reason.map { $0.isEmpty ? "" : " " + $0 }
      ?? (timeline.steps.contains {
        if case .access(.translated) = $0.action { true } else { false }
      }
        ? " The walk found what the access needs." : "")
    return "No table changed." + ending
  }

  /// Words that are shown of a step at most.
  private static let wordsAtMost = 64

  /// The words that a step has stored.
  private func addWords(ofStep index: Int, to document: inout Document) {
    guard index < timeline.stepsDone else { return }
    let stores = timeline.stores(ofStep: index)
    for store in stores.prefix(Self.wordsAtMost) {
      let (slot, before) = machine.memory.journalEntry(store)
      document.add(
        Line("\(hex: Memory.address(ofSlot: slot))  ", .address)
          .adding("\(hex: before) \(Glyph.right) \(hex: machine.memory.load(slot))"))
    }
    if stores.count > Self.wordsAtMost {
      document.add("\(stores.count - Self.wordsAtMost) more words", .dim)
    }
  }

  /// What is said before anything has happened.
  private var welcome: Document {
    let configuration = session.scenario.configuration
    var document = Document()
    if !session.scenario.title.isEmpty {
      document.add(SafeText(session.scenario.title), .title)
      document.addBlank()
    }
    let vcpus: SafeText = configuration.vcpus == 1 ? "1 vCPU" : "\(configuration.vcpus) vCPUs"
    document.add(
      "A VM with \(configuration.ipaBits) bits of IPA, \(vcpus), "
        + (configuration.nested
          ? "nested: \(configuration.shadows) shadow tables." : "not nested."))
    document.add(
      ahead == nil
        ? "\(eventCount) events in \(session.chapters.count) chapters lie ahead."
        : "\(eventCount) events lie ahead.")
    document.addBlank()
    for (action, what) in [
      (.nextEvent, "the first event"), (.nextStep, "its first micro-step"),
      (.nextMark, "the first chapter"), (.end, "the end"), (.help, "all keys"),
    ] as [(Action, SafeText)] {
      document.add(Line(" " + key(action) + "  ", .key).adding(what))
    }
    return document
  }
}
