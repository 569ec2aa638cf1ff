import Canvas
import Engine
import Language

/// Two histories of a session side by side.
extension Model {
  /// Compares the history on the screen with another: one that is named, the one that the list of histories
  /// has selected, else the one that this one began in, or the newest.
  mutating func compareHistories(_ name: String) {
    guard let other = otherHistory(name) else {
      return refuse(
        name.isEmpty || branchIndex(name) != nil
          ? "There is no other history to compare with."
          : "There is no history \(SafeText(name)). \(press(.branches)) for a list.")
    }
    difference = DifferenceView(
      (branches[branch].name.string, session),
      (branches[other].name.string, branches[other].session), width: size.width,
      height: size.height, settings: settings)
  }

  private func otherHistory(_ name: String) -> Int? {
    var index: Int?
    if !name.isEmpty {
      index = branchIndex(name)
    } else if question == .branches, focus == .answer,
      case .branch(let selected)? = detail.target(in: answer), selected != branch
    {
      index = selected
    } else {
      index = branches[branch].origin?.parent ?? branches.count - 1
    }
    return index == branch ? nil : index
  }

  /// Does what a key asks for while two histories are side by side.
  mutating func performInDifference(_ command: Command) -> [Effect] {
    guard var view = difference else { return [] }
    if command.action == .quitNow {
      isFinished = true
      return []
    }
    let effects = view.perform(command.action)
    difference = view.isFinished ? nil : view
    if view.isChosen { jump(to: view.moment) }
    return effects
  }
}
