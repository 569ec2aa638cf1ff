import Canvas
import Engine
import Language

/// A rule in a few lines, with its sources.
struct ReferenceCard {
  let title: String
  /// What the rule says.
  let text: [String]
  /// Kernel functions, parts of the architecture, or mail threads.
  let sources: [String]
  /// Words of the glossary.
  let see: [String]

  init(_ title: String, _ text: [String], sources: [String], see: [String]) {
    self.title = title
    self.text = text
    self.sources = sources
    self.see = see
  }

  /// Cards that contain a text, those with it in the title first; all, if it is empty.
  static func search(_ text: some StringProtocol) -> [Convention] {
    let text = text.lowercased()
    if text.isEmpty { return Convention.allCases }
    func isTitled(_ rule: Convention) -> Bool { rule.card.title.lowercased().contains(text) }
    func mentions(_ rule: Convention) -> Bool {
      (rule.card.text + rule.card.sources).contains { $0.lowercased().contains(text) }
    }
    return Convention.allCases.filter(isTitled)
      + Convention.allCases.filter { !isTitled($0) && mentions($0) }
  }
}

extension Convention {
  /// The card of the rule.
  var card: ReferenceCard {
    switch self {
    case .hardwareWalk: .hardwareWalk
    case .hardwareAccessFlag: .hardwareAccessFlag
    case .guestContext: .guestContext
    case .guestInvalidation: .guestInvalidation
    case .stage1Invalidation: .stage1Invalidation
    case .vncr: .vncr
    case .shadowChoice: .shadowChoice
    case .guestWalk: .guestWalk
    case .injection: .injection
    case .addressCheck: .addressCheck
    case .memslots: .memslots
    case .hostAccess: .hostAccess
    case .mappingSize: .mappingSize
    case .retry: .retry
    case .lock: .lock
    case .mapping: .mapping
    case .breakBeforeMake: .breakBeforeMake
    case .relaxing: .relaxing
    case .unmapping: .unmapping
    case .sweeping: .sweeping
    case .writeProtection: .writeProtection
    case .ageing: .ageing
    case .dirtyLogging: .dirtyLogging
    case .recording: .recording
    case .fusing: .fusing
    case .brokenMap: .brokenMap
    case .stage2Off: .stage2Off
    case .lookingUp: .lookingUp
    case .sharedSweep: .sharedSweep
    case .forgetting: .forgetting
    case .vmidAllocation: .vmidAllocation
    case .vmidPinning: .vmidPinning
    case .domainVMID: .domainVMID
    case .pagePinning: .pagePinning
    case .splitting: .splitting
    case .reverseMapTable: .reverseMapTable
    case .realm: .realm
    case .hostPages: .hostPages
    case .copyOnWrite: .copyOnWrite
    case .hostMappings: .hostMappings
    case .collapsing: .collapsing
    case .merging: .merging
    case .hostUse: .hostUse
    case .notifier: .notifier
    case .deviceAccess: .deviceAccess
    case .stalling: .stalling
    case .sharedAddresses: .sharedAddresses
    case .ioTable: .ioTable
    case .deviceInvalidation: .deviceInvalidation
    case .cleaning: .cleaning
    case .failing: .failing
    case .pkvmHost: .pkvmHost
    case .pageOwnership: .pageOwnership
    case .identityMap: .identityMap
    case .sight: .sight
    }
  }
}

extension Document {
  /// The card of a rule, as a document; with a step that follows the rule, the step first.
  init(_ rule: Convention, for step: Step? = nil) {
    self.init()
    let card = rule.card
    add(Line(SafeText(card.title), .title))
    if let step {
      let explanation = step.explanation
      addBlank()
      add(Line("This step: ", .heading).adding(SafeText(explanation.what)))
      if !explanation.why.isEmpty { add(SafeText(explanation.why)) }
      add(SafeText(explanation.source.description), .dim)
    }
    for paragraph in card.text {
      addBlank()
      add(SafeText(paragraph))
    }
    addBlank()
    for source in card.sources { add(Line("Source: ", .dim).adding(SafeText(source))) }
    for word in card.see {
      add(Line("See ", .dim).adding(SafeText(word), .key), to: .term(word))
    }
  }
}
