import Canvas
import Engine
import Inquiry

/// Availability of actions.
extension Model {
  /// Why an action is unavailable now, and what would enable it; nil if it is available.
  func obstacle(to action: Action) -> SafeText? {
    if let question = action.facts.question, let obstacle = obstacle(to: question) {
      return obstacle
    }
    switch action {
    case .nextEvent, .nextStep, .end, .preview:
      guard ahead == nil, timeline.moment.events == timeline.events.count else { return nil }
      return timeline.events.isEmpty
        ? "There is no event yet. \(press(.command)) to type one."
        : "End of the history. \(press(.previousEvent)) to go back, \(quoted(.command)) to type an event."
    case .play, .playSteps:
      return playback.isPlaying ? nil : obstacle(to: .nextEvent)
    case .run: return obstacle(to: .nextEvent)
    case .previousEvent, .previousStep, .start, .runBack:
      return timeline.moment == Moment(events: 0)
        ? "Start of the history. \(press(.nextEvent)) to go on." : nil
    case .nextTouch, .previousTouch:
      return obstacleToSelection(action) ?? obstacle(to: action == .nextTouch ? .run : .runBack)
    case .why, .bits, .aliases: return obstacleToSelection(action)
    case .unwatch:
      return watches.isEmpty
        ? "Nothing is watched. \(press(.watch)) to watch the selected entry." : nil
    case .goToMark:
      return marks.isEmpty
        ? "No moment has a mark. \(press(.setMark, "a letter")) to set one." : nil
    case .jumpBack: return jumps.index > 0 ? nil : "There is no earlier place to go back to."
    case .jumpForward:
      return jumps.index < jumps.places.count
        ? nil : "There is no later place to go forward to. \(press(.jumpBack)) to go back."
    case .policy: return obstacle(to: Question.costs)
    case .compare:
      return branches.count > 1
        ? nil
        : "There is one history. \(press(.policy)) for the same events under another policy, or type an "
          + "event before the end."
    case .windows:
      return timeline.currentEvent == nil
        ? "Nothing has happened yet. \(press(.nextEvent)) to go to an event." : nil
    case .nextMatch, .previousMatch:
      return searched.isEmpty ? "Nothing was searched for. \(press(.search)) to search." : nil
    case .clearFilter:
      return filter == nil ? "All entries are shown. \(press(.filter)) to filter them." : nil
    case .left, .right, .choose, .flat, .nextTable, .previousTable:
      return focus.operations.obstacle(to: action, in: self)
    case .diffPanes:
      return focus.isTable || selected != nil
        ? nil : "Select a table first. \(press(.nextPane)) to go to one."
    case .diff:
      return lastTable.isTable && tableID(of: lastTable) == nil ? "There is no table here." : nil
    case .resumePlay:
      return replay == nil ? "No recording is played. `pagewalk play FILE` plays one." : nil
    case .reference:
      return currentStep == nil
        ? "No step is selected. \(press(.nextEvent)) to go to an event." : nil
    default: return nil
    }
  }

  /// What the VM lacks for a question; nil if nothing.
  private func obstacle(to question: Question) -> SafeText? {
    let missing = question.facts.needs.first {
      !$0.isMet(by: machine.configuration, hasDevices: branches[branch].hasDevices)
    }
    guard let missing else { return nil }
    let help: SafeText =
      missing == .device
      ? " \(press(.command)) and enter `iommu attach` to attach one." : ""
    return SafeText(missing.refusal) + help
  }

  /// Why an action on the selection is unavailable now.
  private func obstacleToSelection(_ action: Action) -> SafeText? {
    if focus == .reverseMap || isRangeSelected {
      return ReverseMapPane().obstacle(to: action, in: self)
    }
    return link == nil ? noSelection : nil
  }

  var noSelection: SafeText {
    "Nothing is selected. \(press(.nextPane)) to go to a table, \(quoted(.down)) to select an entry."
  }

  /// How to ask for an action, as the beginning of a sentence: `Press "."`, or without a key its name.
  ///
  /// - Parameter argument: the text that must follow it.
  func press(_ action: Action, _ argument: SafeText = "") -> SafeText {
    guard let key = keyMap.keys(for: action).first else {
      return "Type \":\(SafeText(action.rawValue))" + (argument.isEmpty ? "\"" : " \(argument)\"")
    }
    return "Press \"\(key.shortName)\"" + (argument.isEmpty ? "" : " and \(argument)")
  }

  /// The first key of an action, or its name, in quotation marks.
  func quoted(_ action: Action) -> SafeText { "\"\(key(action))\"" }

  /// The first key of an action as displayed, or its name for the command line.
  func key(_ action: Action) -> SafeText { keyMap.name(of: action) }
}
