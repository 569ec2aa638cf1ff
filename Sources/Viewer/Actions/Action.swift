/// A user action: by a key, or by its name on the command line.
public enum Action: String, CaseIterable, Sendable {
  // Time.
  case nextEvent = "next-event"
  case previousEvent = "previous-event"
  case nextStep = "next-step"
  case previousStep = "previous-step"
  case nextMark = "next-mark"
  case previousMark = "previous-mark"
  case start
  case end
  case goTo = "goto"
  case run
  case runBack = "run-back"
  case nextTouch = "next-touch"
  case previousTouch = "previous-touch"
  case play
  case playSteps = "play-steps"
  case faster
  case slower
  case watch
  case unwatch
  case setMark = "mark"
  case goToMark = "go-to-mark"
  case jumpBack = "jump-back"
  case jumpForward = "jump-forward"

  // What if.
  case policy
  case branch
  case compare
  case nameBranch = "name"
  case mute

  // The session.
  case write
  case note
  case record
  case export
  case shot
  case here
  case resumePlay = "resume-play"

  // Answers.
  case explain
  case why
  case preview
  case bits
  case aliases
  case shadows
  case tlb
  case windows
  case owners
  case counters
  case rules
  case costs
  case watches
  case marks
  case branches
  case diff
  case diffPanes = "diff-panes"
  case glossary
  case reference
  case detail

  // Finding.
  case search
  case nextMatch = "next-match"
  case previousMatch = "previous-match"
  case filter
  case clearFilter = "clear-filter"

  // Moving.
  case up
  case down
  case left
  case right
  case halfPageUp = "half-page-up"
  case halfPageDown = "half-page-down"
  case pageUp = "page-up"
  case pageDown = "page-down"
  case top
  case bottom
  case choose

  // Panes.
  case nextPane = "next-pane"
  case previousPane = "previous-pane"
  case pane
  case nextTable = "next-table"
  case previousTable = "previous-table"
  case maximise
  case layout
  case present
  case flat
  case follow
  case unlink

  // The program.
  case help
  case open
  case command
  case mouse
  case redraw
  case suspend
  case back
  case quit
  case quitNow = "quit-now"
}

/// An action with its argument.
public struct Command: Hashable, Sendable {
  /// The action.
  public var action: Action
  /// The action's argument; empty if there is none.
  public var argument: String

  /// A command.
  public init(_ action: Action, _ argument: String = "") {
    self.action = action
    self.argument = argument
  }
}
