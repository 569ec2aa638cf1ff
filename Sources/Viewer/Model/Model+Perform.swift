import Canvas
import Engine
import Inquiry

extension Model {
  /// Carries out an action, or reports why it cannot.
  mutating func perform(_ command: Command) -> [Effect] {
    // A numbered line of the answer can be chosen whatever has the focus.
    let isNumbered = command.action == .choose && !command.argument.isEmpty
    if !isNumbered, let obstacle = obstacle(to: command.action) {
      refuse(obstacle)
      return []
    }
    let argument = command.argument
    switch command.action {
    case .why, .bits, .aliases, .nextTouch, .previousTouch: selectShownRange()
    default: break
    }
    switch command.action {
    case .nextEvent: move { $0.forward() }
    case .previousEvent: move { $0.back() }
    case .nextStep: move { $0.stepForward() }
    case .previousStep: move { $0.stepBack() }
    case .nextMark: goToNamedMoment(forward: true)
    case .previousMark: goToNamedMoment(forward: false)
    case .start: jump(to: Moment(events: 0))
    case .end: jump(to: Moment(events: timeline.events.count))
    case .goTo: argument.isEmpty ? open(.command, "goto ") : goTo(argument)
    case .run: run(forward: true, to: argument)
    case .runBack: run(forward: false, to: argument)
    case .nextTouch: runToTouch(forward: true)
    case .previousTouch: runToTouch(forward: false)
    case .play: play(.event)
    case .playSteps: play(.step)
    case .faster: changeSpeed(faster: true)
    case .slower: if !takeBackGuess() { changeSpeed(faster: false) }
    case .watch: watch(argument)
    case .unwatch: unwatch(argument)
    case .setMark: argument.isEmpty ? awaitLetter(.setMark) : setMark(argument)
    case .goToMark: argument.isEmpty ? awaitLetter(.goToMark) : goToMark(argument)
    case .jumpBack: jump(forward: false)
    case .jumpForward: jump(forward: true)
    case .policy:
      let start = machine.configuration.nested ? "policy revmap=" : "policy "
      argument.isEmpty ? open(.command, start) : switchPolicy(argument)
    case .branch: showBranch(argument)
    case .compare: compareHistories(argument)
    case .nameBranch: nameBranch(argument)
    case .mute: mute(argument)
    case .explain, .why, .preview, .bits, .aliases, .shadows, .tlb, .windows, .owners, .counters,
      .rules, .costs:
      if let question = command.action.facts.question { ask(.question(question)) }
    case .watches: ask(.watches)
    case .marks: ask(.marks)
    case .branches: ask(.branches)
    case .diff: compare(argument)
    case .diffPanes: compareTables(argument)
    case .glossary: openGlossary(argument)
    case .reference: openReference()
    case .detail: setDetail(argument)
    case .search: argument.isEmpty ? open(.search) : search(argument)
    case .nextMatch: findNext(forward: true)
    case .previousMatch: findNext(forward: false)
    case .filter: argument.isEmpty ? open(.filter, filter?.filter.text ?? "") : setFilter(argument)
    case .clearFilter: clearFilter()
    case .pageUp: if !turnPage(forward: false) { moveCursor(.pageUp) }
    case .pageDown: if !turnPage(forward: true) { moveCursor(.pageDown) }
    case .up, .down, .halfPageUp, .halfPageDown, .top, .bottom: moveCursor(command.action)
    case .choose where isNumbered: chooseLine(argument)
    case .left, .right, .choose, .flat, .nextTable, .previousTable:
      focus.operations.perform(command.action, in: &self)
    case .nextPane: focusNext(1)
    case .previousPane: focusNext(-1)
    case .pane: if !countGuess(argument) { focusPane(argument) }
    case .maximise: isMaximised.toggle()
    case .present: isPresenting.toggle()
    case .layout: nextArrangement()
    case .follow: toggleFollowing()
    case .unlink: toggleLink()
    case .help: openHelp(argument)
    case .open: return openOther(argument)
    case .command: open(.command, argument)
    case .mouse:
      usesMouse.toggle()
      say(usesMouse ? "The mouse is on. Hold Shift to select text." : "The mouse is off.")
      return [.mouse(usesMouse)]
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .back: leave()
    case .quit: return quit(argument)
    case .write: return answerReplacement(argument) ?? write(argument)
    case .record: return record(argument)
    case .export: return export(argument)
    case .shot: return shot(argument)
    case .note: note(argument)
    case .here: here()
    case .resumePlay: resumeReplay(argument)
    case .quitNow: isFinished = true
    }
    return []
  }

  /// Selects the range shown in the reverse map's pane, if it is the subject and was not chosen yet.
  private mutating func selectShownRange() {
    guard let range = selectedRange, !(link?.ipa.map { range.canonical.contains($0) } ?? false)
    else {
      return
    }
    ReverseMapPane().select(range, in: &self)
  }

  /// Moves the cursor of the pane in focus.
  private mutating func moveCursor(_ action: Action) {
    let page = page
    guard let movement = action.movement(page: page - 1, half: page / 2) else { return }
    focus.operations.move(movement, in: &self)
  }

  /// Rows per page of the pane in focus.
  private var page: Int {
    let operations = focus.operations
    return operations.inside(self).map { operations.rowCount(height: $0.height, in: self) } ?? 1
  }

  /// Moves in time by one step of some kind.
  private mutating func move(_ step: (inout Timeline) -> Bool) {
    if session.move(step) { momentHasChanged() }
  }

  /// Lets the program open something else, or lists what there is. Refuses if unsaved work would be lost.
  private mutating func openOther(_ name: String) -> [Effect] {
    if hasUnsaved {
      refuse("\(unsavedAre) in no file and would be lost. Type \":write FILE\", or quit first.")
    } else if name.isEmpty {
      openStart()
    } else {
      return [.open(name, at: nil)]
    }
    return []
  }

  /// Closes what is open, one thing at a time.
  mutating func leave() {
    if let run {
      endRun(run)
      say("Search stopped.")
    } else if playback.isPlaying {
      pause()
    } else if question != home {
      ask(home)
      if let pane = focusBefore { setFocus(pane) }
      focusBefore = nil
    } else if marksMatches {
      marksMatches = false
    } else if isMaximised {
      isMaximised = false
    }
  }

  private mutating func focusNext(_ direction: Int) {
    let panes = self.panes
    guard let index = panes.firstIndex(of: focus) else { return }
    setFocus(panes[(index + direction + panes.count) % panes.count])
  }

  private mutating func focusPane(_ number: String) {
    guard let number = Int(number), panes.indices.contains(number - 1) else {
      return refuse("There are panes 1 to \(panes.count).")
    }
    setFocus(panes[number - 1])
  }

  mutating func setFocus(_ pane: Pane) {
    focus = pane
    pane.operations.takeFocus(in: &self)
  }

  private mutating func nextArrangement() {
    let all = Arrangement.allCases
    let index = all.firstIndex(of: arrangement) ?? 0
    arrangement = all[(index + 1) % all.count]
    isMaximised = false
    say("Layout: \(SafeText(arrangement.rawValue))")
  }

  private mutating func toggleFollowing() {
    isFollowing.toggle()
    if isFollowing { noteMoment() }
    say(isFollowing ? "The cursor follows the events." : "The cursor stays where it is.")
  }

  private mutating func toggleLink() {
    isLinked.toggle()
    say(isLinked ? "The panes' cursors are linked." : "Each pane has its own cursor.")
  }

  private mutating func setDetail(_ name: String) {
    let all = DetailLevel.allCases
    if name.isEmpty {
      let index = all.firstIndex(of: detailLevel) ?? 0
      detailLevel = all[(index + 1) % all.count]
    } else if let level = DetailLevel(rawValue: name) {
      detailLevel = level
    } else {
      return refuse("Expected one of \(SafeText(DetailLevel.names)).")
    }
    say("Detail: \(SafeText(detailLevel.rawValue)).")
  }

  /// The next key is the argument of an action.
  private mutating func awaitLetter(_ action: Action) {
    pending = action
    say(action == .setMark ? "Mark this moment as (letter):" : "Go to mark (letter):")
  }
}
