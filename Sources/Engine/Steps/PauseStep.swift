/// An event is paused midway, and resumes.
package enum PauseStep: StepFamily {
  /// The next event that can be stopped at or above an address will stop there.
  case armed
  /// No event reached such a place, and the pause is disarmed.
  case unused
  /// The event stops before an address of the step's table, and may drop `mmu_lock` to do so.
  case parked(dropsLock: Bool)
  /// The paused event resumes.
  case resumed

  package var facts: Step.Facts {
    switch self {
    case .armed, .unused, .resumed: Step.Facts(.pause, .sweeping, .none)
    case .parked: Step.Facts(.pause, .sweeping)
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .armed:
      Explanation(
        "pause", "the next event that can stop at or above \(step.at) stops there",
        "Other events can then run in between.", .project("pause"))
    case .unused:
      Explanation(
        "resume", "no event reached a place where it can stop: the pause is cancelled",
        "A sweep can stop at a border between gigabytes; a device's event or a hypercall, between two actions.",
        .project("pause"))
    case .parked(dropsLock: true):
      Explanation(
        "drop lock", "mmu_lock is dropped before \(step.at) of \(Phrase.table(step.table))",
        "A long walk lets others run: a vCPU may fault, or an unmap may start.",
        .mmu("cond_resched_rwlock_write"))
    case .parked(dropsLock: false):
      Explanation(
        "stop", "the event stops before \(step.at) of \(Phrase.table(step.table))",
        "Everything else continues; a DMA now sees the tables as they are.",
        .project("pause"))
    case .resumed:
      Explanation(
        "resume", "the paused event continues where it stopped",
        "What it has seen may have changed.", .project("resume"))
    }
  }
}
