import Canvas

/// What the pane of answers is asked.
enum Question: String, CaseIterable {
  /// What happened last, and why.
  case why
  /// What is the selected entry: its walk, its bits, where it comes from.
  case entry
  /// Why is the selected entry as it is?
  case provenance
  /// What will the next event change?
  case forecast
  /// Where else is the selected page?
  case aliases
  /// What does the TLB hold?
  case tlb
  /// What does DMA get while the event is carried out?
  case windows
  /// Which shadows are there?
  case shadows
  /// Whose is the memory?
  case owners
  /// What has been counted?
  case counters
  /// Which rules hold?
  case rules
  /// What does each policy cost?
  case costs
  /// At what does running stop?
  case watches
  /// Which moments have a name, and where was one before?
  case marks
  /// Which histories are there?
  case branches
  /// In what do two tables, or moments, differ?
  case differences

  /// Its title in the pane.
  var title: SafeText {
    switch self {
    case .why: "Why"
    case .entry: "Entry"
    case .provenance: "Where from"
    case .forecast: "Next"
    case .aliases: "Aliases"
    case .tlb: "TLB"
    case .windows: "DMA windows"
    case .shadows: "Shadows"
    case .owners: "Owners"
    case .counters: "Counters"
    case .rules: "Rules"
    case .costs: "Costs"
    case .watches: "Watches"
    case .marks: "Marks"
    case .branches: "Histories"
    case .differences: "Differences"
    }
  }

  /// Whether one goes into the answer, rather than on with what it is about.
  var takesFocus: Bool { self != .why && self != .entry }

  /// Whether the answer is for the moment at which it was asked, and stays while one follows it.
  var isKept: Bool {
    switch self {
    case .provenance, .costs, .differences: true
    default: false
    }
  }
}
