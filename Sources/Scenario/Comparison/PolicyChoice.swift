import Engine

/// What a scenario is to be carried out under: a reverse map by its name, or what statements `policy` would
/// say, `KEY=VALUE`, joined by `+`.
public struct PolicyChoice: Sendable {
  /// The text.
  public let name: String
  /// The reverse map, if it is one by name.
  public let reverseMap: ReverseMapPolicyName?
  private let settings: [String]

  /// Reads a choice.
  ///
  /// - Throws: what was expected instead.
  public init(_ text: String) throws(ScenarioError) {
    name = text
    reverseMap = ReverseMapPolicyName(rawValue: text)
    settings =
      reverseMap.map { ["revmap=\($0.rawValue)"] }
      ?? text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    _ = try applied(to: Scenario(file: text))
  }

  /// A reverse map.
  public init(_ policy: ReverseMapPolicyName) {
    name = policy.rawValue
    reverseMap = policy
    settings = ["revmap=\(policy.rawValue)"]
  }

  /// The same events under it.
  func applied(to scenario: Scenario) throws(ScenarioError) -> Scenario {
    var scenario = scenario
    for setting in settings { scenario = try scenario.under(policy: setting) }
    return scenario
  }
}
