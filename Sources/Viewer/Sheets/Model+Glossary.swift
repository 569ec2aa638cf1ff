import Engine
import Language

extension Pane {
  /// The word of the glossary for what the pane shows.
  var term: String {
    switch self {
    case .canonical: "canonical table"
    case .guest: "guest table"
    case .shadow: "shadow table"
    case .iommu: "IOMMU table"
    case .reverseMap: "reverse map"
    case .steps: "micro-step"
    case .detail: "why"
    }
  }
}

extension Model {
  /// The word of the glossary that the cursor is on: what the step does, what the pane shows.
  var termAtCursor: String {
    switch focus {
    case .steps, .detail:
      guard let index = currentStep, timeline.steps.indices.contains(index), question == .why else {
        return question.title.string
      }
      return timeline.steps[index].explanation.label
    default: return focus.term
    }
  }
}
