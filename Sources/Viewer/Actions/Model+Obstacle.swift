import Canvas
import Engine

/// What can be asked for now.
extension Model {
  /// Why an action can do nothing now, and what would enable it; nil if it can.
  func obstacle(to action: Action) -> SafeText? {
    switch action {
    case .nextEvent, .nextStep, .end, .preview:
      guard ahead == nil, timeline.moment.events == timeline.events.count else { return nil }
      return timeline.events.isEmpty
        ? "Nothing will happen: there is no event. \(key(.command)) types one."
        : "This is the end. \(key(.previousEvent)) goes back, \(key(.command)) types an event."
    case .play:
      return playback.isPlaying ? nil : obstacle(to: .nextEvent)
    case .run: return obstacle(to: .nextEvent)
    case .previousEvent, .previousStep, .start, .runBack:
      return timeline.moment == Moment(events: 0)
        ? "This is the start. \(key(.nextEvent)) goes forward." : nil
    case .nextTouch, .previousTouch:
      if link == nil { return noSelection }
      return obstacle(to: action == .nextTouch ? .run : .runBack)
    case .why, .bits, .aliases: return link == nil ? noSelection : nil
    case .unwatch: return watches.isEmpty ? "Nothing is watched. \(key(.watch)) watches." : nil
    case .goToMark:
      return marks.isEmpty ? "No moment has a mark. \(key(.setMark)) and a letter marks one." : nil
    case .jumpBack: return jumps.index > 0 ? nil : "You have come from nowhere else."
    case .jumpForward:
      return jumps.index < jumps.places.count
        ? nil : "You have not gone back. \(key(.jumpBack)) goes back."
    case .policy, .costs:
      return machine.configuration.nested || branches[branch].hasDevices
        ? nil : "No policy matters here: there is neither a shadow nor a device."
    case .shadows:
      return machine.configuration.nested
        ? nil : "There is no L2, so no shadow. A VM with nested=on has shadows."
    case .windows:
      if !branches[branch].hasDevices {
        return "There is no device here. `iommu attach` after \(key(.command)) attaches one."
      }
      return timeline.currentEvent == nil
        ? "Nothing has happened yet. \(key(.nextEvent)) goes to an event." : nil
    case .owners:
      return machine.configuration.isolation != .none
        ? nil : "All memory is the host's: no policy here keeps account of owners."
    case .nextMatch, .previousMatch:
      return searched.isEmpty ? "Nothing was searched for. \(key(.search)) searches." : nil
    case .clearFilter:
      return filter == nil ? "All entries are shown. \(key(.filter)) narrows them." : nil
    case .left, .right, .choose, .flat, .nextTable, .previousTable:
      return focus.operations.obstacle(to: action, in: self)
    case .diffPanes:
      return focus.isTable || selected != nil
        ? nil : "Select a table first, with \(key(.nextPane))."
    case .diff:
      return lastTable.isTable && tableID(of: lastTable) == nil ? "There is no table here." : nil
    case .reference:
      return currentStep == nil ? "No step is selected. \(key(.nextEvent)) goes to an event." : nil
    default: return nil
    }
  }

  var noSelection: SafeText {
    "Nothing is selected. \(key(.nextPane)) goes to a table, \(key(.down)) to an entry."
  }

  /// The first key of an action as it is shown, or its name for the command line.
  func key(_ action: Action) -> SafeText {
    keyMap.keys(for: action).first.map(\.shortName) ?? ":" + SafeText(action.rawValue)
  }
}
