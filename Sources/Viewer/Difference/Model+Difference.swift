import Canvas
import Engine
import Language

/// Two histories of a session side by side.
extension Model {
  /// Compares the history on the screen with another: the named one, the one selected in the list of
  /// histories, else this one's parent, or the newest.
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

  /// Carries out a key's command while two histories are side by side.
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
