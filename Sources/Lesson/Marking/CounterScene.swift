import Language

/// A counter-scene that was carried out: what happened, what a misconception expects, and what is true.
package struct CounterScene: Sendable {
  package let belief: Belief
  /// The scene before the statements that refute it, and after them.
  package let before: Stage
  package let after: Stage
  /// The actual state, contrary to the misconception; nil if that is right, and so not a misconception.
  package let refutation: String?

  /// Carries out a counter-scene.
  ///
  /// - Throws: the first mistake in it.
  package init(_ belief: Belief, in library: Library) throws(ScenarioError) {
    self.belief = belief
    let file = belief.file
    var stage: Stage?
    try belief.scene.play(on: &stage, in: library, file: file)
    guard var after = stage, let believed = belief.believed else {
      throw belief.id.error("expected 'world: NAME' and 'believed: TRUTH'", in: file)
    }
    before = after
    after.beginRun()
    for statement in belief.run { try after.carryOut(statement, file: file) }
    self.after = after
    refutation = try believed.failure(on: after, file: file)
  }

  package var happenings: [Stage.Happening] { Array(after.run) }
}
