import Engine
import Language

/// What can be asked about a moment. A question needs a case here and a row in the table below; the rest
/// is the type of its answer.
package enum Question: String, CaseIterable, Sendable {
  case explain, provenance, forecast, entry, aliases, tlb, windows, shadows, owners, counters, rules
  case costs, diff, disagreement, list, count, glossary, unknowns

  /// The facts about the question, as one row of a table.
  package struct Facts: Sendable {
    /// The title of its answer.
    package let title: String
    /// The key that asks it, as spelled; empty if there is none.
    package let key: String
    /// Older names.
    package let also: [String]
    /// What it asks, for help.
    package let summary: String
    /// What it is asked with.
    package let operand: Operand
    /// What it requires to be meaningful.
    package let needs: [Need]
    /// When its answer is updated.
    package let follows: Follows
    /// The type of its answer.
    package let answer: any Answer.Type
    /// The type of its answer about a range of a reverse map; nil if it cannot be asked about one.
    package let rangeAnswer: (any Answer.Type)?

    init(
      _ title: String, key: String = "", also: [String] = [], _ summary: String,
      _ answer: any Answer.Type, ofRange rangeAnswer: (any Answer.Type)? = nil,
      operand: Operand = .nothing, needs: [Need] = [], follows: Follows = .moment
    ) {
      self.title = title
      self.key = key
      self.also = also
      self.summary = summary
      self.answer = answer
      self.rangeAnswer = rangeAnswer
      self.operand = operand
      self.needs = needs
      self.follows = follows
    }
  }

  /// What a question is asked with.
  package enum Operand: Sendable {
    case nothing
    /// An input address of a table.
    case address
    /// A condition on entries; it may be empty.
    case filter
    /// A table, a moment, or another history.
    case other
    /// A word, or several.
    case word

    /// How help spells it.
    package var usage: String? {
      switch self {
      case .nothing: nil
      case .address: "ADDRESS"
      case .filter: "FILTER"
      case .other: "TABLE or MOMENT"
      case .word: "WORD"
      }
    }
  }

  /// A requirement of a question.
  package enum Need: Sendable {
    /// A selected entry.
    case selection
    /// A VM with L2, and so with shadows.
    case nested
    /// A device, used by some event.
    case device
    /// A shadow or a device, so that a policy matters.
    case policy
    /// Memory of different owners.
    case owners
    /// Where entries lead is known.
    case outputs
    /// What happened is known, not only what tables were seen to be.
    case events

    /// Whether a VM meets it; the caller knows whether something is selected.
    package func isMet(
      by configuration: VMConfiguration, hasDevices: @autoclosure () -> Bool
    ) -> Bool {
      switch self {
      case .selection: true
      case .nested: configuration.nested
      case .device: hasDevices()
      case .policy: configuration.nested || hasDevices()
      case .owners: configuration.isolation != .none
      case .outputs: configuration.knowsOutputs
      case .events: !configuration.isSeen
      }
    }

    /// What is missing, as a sentence.
    package var refusal: String {
      switch self {
      case .selection: "Nothing is selected."
      case .nested: "There is no L2, so no shadow: the VM is without nested=on."
      case .device: "There is no device here."
      case .policy: "No policy matters here: there is neither a shadow nor a device."
      case .owners: "All memory is the host's: no policy here tracks owners."
      case .outputs:
        "This cannot be known: the dumps do not tell where entries lead."
      case .events:
        "This cannot be known: tables were seen at some moments, not what happened to them."
      }
    }
  }

  /// What updates an answer that stays on a screen.
  package enum Follows: Sendable {
    /// The moment.
    case moment
    /// The moment and the selection.
    case selection
    /// The moment and the selected micro-step.
    case step
    /// Nothing: it stays as it was when asked.
    case nothing
  }

  /// The table of questions.
  package var facts: Facts {
    switch self {
    case .explain:
      Facts(
        "Explain", key: "i", "what happens here, and why", ExplainAnswer.self, follows: .step)
    case .provenance:
      Facts(
        "Provenance", key: "w", also: ["why"],
        "why is the entry as it is? back to its cause", ProvenanceAnswer.self,
        ofRange: RangeProvenanceAnswer.self, operand: .address, needs: [.selection],
        follows: .nothing)
    case .forecast:
      Facts(
        "Forecast", key: "v", also: ["preview"], "what will the next event change?",
        ForecastAnswer.self)
    case .entry:
      Facts(
        "Entry", key: "t", also: ["bits"], "the entry decoded bit by bit, and how it was composed",
        EntryAnswer.self, ofRange: RangeEntryAnswer.self, operand: .address, needs: [.selection],
        follows: .selection)
    case .aliases:
      Facts(
        "Aliases", key: "a", "where else is the page mapped?", AliasesAnswer.self,
        operand: .address, needs: [.outputs, .selection], follows: .selection)
    case .tlb:
      Facts("TLB", key: "T", "what do the TLBs hold?", TLBAnswer.self, needs: [.events])
    case .windows:
      Facts(
        "DMA windows", key: "V", "what does DMA get, at every micro-step of this event?",
        WindowsAnswer.self, needs: [.device])
    case .shadows:
      Facts(
        "Shadows", key: "L", "which shadows are there?", ShadowsAnswer.self, needs: [.nested])
    case .owners:
      Facts("Owners", key: "O", "who owns the memory?", OwnersAnswer.self, needs: [.owners])
    case .counters:
      Facts(
        "Counters", key: "#", "what was counted so far?", CountersAnswer.self, needs: [.events])
    case .rules:
      Facts("Rules", key: "!", "which rules hold, and what breaks them?", RulesAnswer.self)
    case .costs:
      Facts(
        "Costs", key: "%", "what does each policy cost?", CostsAnswer.self,
        needs: [.events, .policy],
        follows: .nothing)
    case .diff:
      Facts(
        "Differences", key: "d",
        "how does the table differ from another, or from itself at another moment?",
        DifferenceAnswer.self, operand: .other, follows: .nothing)
    case .disagreement:
      Facts(
        "Disagreement", "where does a device's table differ from the CPUs', and may it?",
        DisagreementAnswer.self, needs: [.device])
    case .list:
      Facts(
        "Entries", "which entries of the table meet a condition?", ListAnswer.self,
        operand: .filter)
    case .count:
      Facts(
        "Count", "how many entries meet a condition, table by table?", CountAnswer.self,
        operand: .filter)
    case .glossary:
      Facts(
        "Glossary", key: "K", "what does this word mean?", GlossaryAnswer.self, operand: .word,
        follows: .nothing)
    case .unknowns:
      Facts(
        "Not known", "what do the dumps of a real kernel not show?", UnknownsAnswer.self)
    }
  }

  /// Its name where it is typed.
  package var name: String { rawValue }

  /// The question with a name, also an older name; nil if there is none.
  package init?(name: some StringProtocol) {
    guard
      let question = Self.allCases.first(where: {
        $0.name == name || $0.facts.also.contains { $0 == name }
      })
    else { return nil }
    self = question
  }

  /// Answers the question. The session stays at its moment.
  ///
  /// - Throws: the reason if it has no answer here.
  package func answer(
    about subject: Subject, in session: inout Session
  ) throws(Unanswerable) -> any Answer {
    let facts = facts
    if let missing = facts.needs.first(where: {
      !$0.isMet(by: session.scenario.configuration, hasDevices: session.scenario.hasDevices)
    }) {
      throw Unanswerable(missing.refusal)
    }
    if subject.reverseMap == nil { return try facts.answer.init(about: subject, in: &session) }
    guard let answer = facts.rangeAnswer else {
      throw Unanswerable("\(name) is asked about tables, not about reverse maps.")
    }
    return try answer.init(about: subject, in: &session)
  }
}

/// The answer to a question: a value, which can be written as JSON, and read as text.
package protocol Answer: Encodable, Sendable {
  /// Finds the answer for the session's moment; the session stays there.
  ///
  /// - Throws: the reason if there is none.
  init(about subject: Subject, in session: inout Session) throws(Unanswerable)

  /// The number of passes over all events, for progress reports.
  static func passes(over scenario: Scenario) -> Int

  /// Whether the answer is no: the item was not found, or the condition does not hold.
  var isNo: Bool { get }

  /// The answer as text.
  func report(_ detail: DetailLevel) -> Report
}

extension Answer {
  /// The answer as text for a reader: in detail `plain` without abbreviations and names of functions.
  package func told(_ detail: DetailLevel) -> Report {
    let report = report(detail)
    return detail == .plain ? report.inPlainWords : report
  }

  package static func passes(over scenario: Scenario) -> Int { 1 }
  package var isNo: Bool { false }
}
