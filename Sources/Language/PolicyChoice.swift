import Engine

/// The policies for carrying out a scenario: a reverse map by name, or `KEY=VALUE` as in `policy`
/// statements, joined by `+`.
public struct PolicyChoice: Sendable {
  /// The text.
  public let name: String
  /// The reverse map, if chosen by name.
  public let reverseMap: ReverseMapVersion?
  private let settings: [String]

  /// Reads a choice.
  ///
  /// - Throws: what was expected instead.
  public init(_ text: String) throws(ScenarioError) {
    name = text
    reverseMap = ReverseMapVersion(rawValue: text)
    settings =
      reverseMap.map { ["revmap=\($0.rawValue)"] }
      ?? text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    _ = try applied(to: Scenario(file: text))
  }

  /// A reverse map.
  public init(_ policy: ReverseMapVersion) {
    name = policy.rawValue
    reverseMap = policy
    settings = ["revmap=\(policy.rawValue)"]
  }

  /// The choices worth comparing for a scenario: reverse maps if its VM is nested or it has no devices,
  /// else every value of each policy that it sets. If that leaves none, whether unmaps wait for the SMMU.
  public static func choices(for scenario: Scenario) -> [PolicyChoice] {
    if scenario.configuration.nested || !scenario.hasDevices {
      return ReverseMapVersion.allCases.map { PolicyChoice($0) }
    }
    let set = Policy.all.filter { scenario.policies.contains("\($0.key)") }
      .map { $0.alternatives(for: scenario) }.filter { $0.count > 1 }
    return (set.isEmpty ? [["iommu-sync=on", "iommu-sync=off"]] : set).joined()
      .map { PolicyChoice(setting: $0) }
  }

  private init(setting: String) {
    name = setting
    reverseMap = nil
    settings = [setting]
  }

  /// The same events under it.
  package func applied(to scenario: Scenario) throws(ScenarioError) -> Scenario {
    var scenario = scenario
    for setting in settings { scenario = try scenario.under(policy: setting) }
    return scenario
  }
}
