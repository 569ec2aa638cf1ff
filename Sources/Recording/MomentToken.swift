import Engine
import Language

/// A moment of a scenario as a word to send to others: `9c41d2f0@14.3+revmap=v2`.
///
/// It holds a checksum of the events before it, so that a different scenario is detected.
public struct MomentToken: Equatable, Sendable {
  /// CRC-32C of the VM and of the events up to the moment, as printed statements.
  public let check: UInt32
  /// The moment.
  public let moment: Moment
  /// The policies that replace the scenario's own, as `KEY=VALUE`.
  public let policies: [String]

  /// The token in its typed form.
  public var text: String {
    "\(hex(UInt64(check), 8))@\(moment.name)" + policies.map { "+" + $0 }.joined()
  }

  /// Reads what `text` writes; nil for another text.
  public init?(_ text: some StringProtocol) {
    let parts = String(text).split(separator: "+").map(String.init)
    let place = (parts.first ?? "").split(separator: "@")
    guard place.count == 2, place[0].utf8.count == 8, let check = UInt32(place[0], radix: 16),
      let moment = Moment(name: place[1])
    else { return nil }
    self.check = check
    self.moment = moment
    policies = Array(parts.dropFirst())
  }

  fileprivate init(check: UInt32, moment: Moment, policies: [String]) {
    self.check = check
    self.moment = moment
    self.policies = policies
  }
}

extension Session {
  /// The token of the moment. O(n) in the events before it.
  public var token: MomentToken {
    let moment = timeline.moment
    return MomentToken(
      check: check(of: moment), moment: moment, policies: scenario.changedPolicies)
  }

  /// Whether a token names a moment of this history, under any policy.
  public func has(_ token: MomentToken) -> Bool {
    let last = token.moment.events + (token.moment.steps > 0 ? 1 : 0)
    return last <= timeline.events.count && check(of: token.moment) == token.check
  }

  private func check(of moment: Moment) -> UInt32 {
    let configuration = scenario.configuration
    var sum = CRC32C()
    sum.add(
      "\(configuration.ipaBits) \(configuration.vcpus) \(configuration.nested)\n".utf8)
    let events = moment.events + (moment.steps > 0 ? 1 : 0)
    for event in timeline.events[..<min(events, timeline.events.count)] {
      sum.add((event.statement + "\n").utf8)
    }
    return sum.value
  }
}
