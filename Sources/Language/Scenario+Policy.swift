import Engine

extension Scenario {
  /// The same events under another reverse map. Without a reverse map nothing of it can fail, so `revmap
  /// fail` statements are left out.
  public func under(_ policy: ReverseMapVersion) -> Scenario {
    under("revmap=\(policy.name)") { $0.reverseMap = policy }
  }

  private func under(_ setting: String, _ change: Policy.Change) -> Scenario {
    var other = self
    other.own = own ?? configuration
    other.changedPolicies.append(setting)
    change(&other.configuration)
    if other.configuration.reverseMap == .none {
      other.statements = statements.filtered {
        if case .event(.failReverseMap) = $0.kind { false } else { true }
      }
    }
    return other
  }

  /// The file's own policies that differ from this one's, as `KEY=VALUE`: the file's texts were written
  /// for them. Empty under its own policy.
  public var ownPolicy: [String] {
    own.map { own in Policy.all.compactMap { $0.difference(of: own, from: configuration) } } ?? []
  }

  /// The same events under the policy `KEY=VALUE`, as a `policy` statement would set it.
  ///
  /// - Throws: what was expected instead.
  public func under(policy text: String) throws(ScenarioError) -> Scenario {
    let head = "policy "
    do throws(Mistake) {
      guard case .policy(let setting) = try StatementReader.statement(of: head + text).0 else {
        return self
      }
      return under(text, setting.change)
    } catch {
      throw ScenarioError(
        file: text, line: 1, column: max(1, error.offset - head.utf8.count + 1),
        message: error.message)
    }
  }
}
