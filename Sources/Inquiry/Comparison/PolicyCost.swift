import Engine
import Language

/// The cost of a scenario's events under one policy, and the rules that they break.
public struct PolicyCost: Equatable, Sendable, Encodable {
  /// A rule that an event breaks for the first time.
  public struct Breach: Equatable, Sendable, Encodable {
    /// The rule's name.
    public let rule: String
    /// Number of the event, from 1.
    public let event: Int
    /// Line of the event's statement, from 1; nil if it is in no file.
    public let line: Int?
  }

  /// Name of the policy.
  public let policy: String
  /// Whether it is the scenario's own policy.
  public internal(set) var isInForce = false
  /// Notifier invalidations that concerned the VM.
  public internal(set) var notifiers = 0
  /// Unmaps of a whole shadow, for any reason.
  public internal(set) var fullUnmaps = 0
  /// Shadow leaves that notifiers and the deletion of slots removed.
  public internal(set) var leavesRemoved = 0
  /// Shadow leaves that then had to be removed, if none had been removed without need before: those that
  /// `ideal` removes on the same events. So it is the same for all policies, as their baseline.
  public internal(set) var leavesNeeded = 0
  /// Leaves that were removed without need, would still exist, and were faulted in again.
  public internal(set) var refaults = 0
  /// The most entries, and bytes of nodes, that all reverse maps had after an event.
  public internal(set) var peakEntries = 0
  /// The most bytes of nodes.
  public internal(set) var peakBytes = 0
  /// The most canonical addresses, in bytes, whose nested IPA was unknown.
  public internal(set) var peakUnknown: UInt64 = 0
  /// The most known entries without a leaf.
  public internal(set) var peakStale = 0
  /// The broken rules, each with the first event that broke it, in the order of those events.
  public internal(set) var violations: [Breach] = []
  /// Why the events could not all be carried out under this policy, or nil.
  public internal(set) var stopped: String?

  /// The devices' costs, if policies about devices are compared.
  public internal(set) var devices: DeviceCost?

  init(_ policy: String) { self.policy = policy }
}
