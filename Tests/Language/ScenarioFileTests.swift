import Engine
import Foundation
import TestSupport
import Testing

@testable import Language

extension Statement {
  fileprivate var isExpectation: Bool {
    if case .expect = kind { true } else { false }
  }
}

/// The scenarios that come with pagewalk.
@Suite struct ScenarioFileTests {

  private static func files(_ name: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: shippedScenarios.appending(path: name).path)
    return (names ?? []).filter { $0.hasSuffix(".pw") }.sorted().map { "\(name)/\($0)" }
  }

  @Test(arguments: files("bugs") + files("found"))
  func `a bug shows under the policies that have it, and no other`(file: String) throws {
    let scenario = try shippedScenario(file)
    #expect(!scenario.title.isEmpty)
    for policy in ReverseMapVersion.allCases {
      var session = Session(scenario.under(policy))
      try session.finish()
      #expect(session.chapters.count > 0)
      let failures = session.failures.map { "\(file): \($0)" }
      #expect(failures.isEmpty, "under \(policy.rawValue)")
    }
  }

  /// Scenarios that teach, by the system that they are about.
  @Test(
    arguments: ["built-in.pw"] + ["iommu", "btm", "rmp", "cca", "pkvm", "sharing"].flatMap(files))
  func `a system's scenario goes as it says, in chapters`(file: String) throws {
    var session = Session(try shippedScenario(file))
    try session.finish()
    #expect(!session.scenario.title.isEmpty)
    #expect(session.chapters.count > 1 && session.chapters.allSatisfy { $0.text.hasSuffix(".") })
    #expect(session.failures.map { "\(file): \($0)" } == [])
    #expect(session.scenario.statements.count { $0.isExpectation } >= session.chapters.count)
  }

  /// What L1 and L2 see does not depend on how the host finds shadows. What the postings of a reverse map
  /// break of their own is not looked for here.
  @Test(arguments: files("rules"))
  func `a rule of the kernel holds under every policy`(file: String) throws {
    let scenario = try shippedScenario(file)
    for policy in ReverseMapVersion.allCases {
      var session = Session(scenario.under(policy))
      while try session.advance() != nil {
        if [.v1, .v2, .v3].contains(policy) { continue }
        let last = session.timeline.events.count - 1
        let violations = session.timeline.machine.violations(
          after: session.timeline.stores(ofEvent: last))
        #expect(violations.isEmpty, "\(file) under \(policy.rawValue), event \(last + 1)")
      }
      let failures = session.failures.map { "\(file): \($0)" }
      #expect(failures.isEmpty, "under \(policy.rawValue)")
    }
  }

  /// The last step names the policy that is right.
  @Test(arguments: files("found/devices"))
  func `what random events found wrong with a device's policy is right under another`(file: String)
    throws
  {
    let scenario = try shippedScenario(file)
    var session = Session(scenario)
    try session.finish()
    #expect(session.failures.isEmpty)
    let text = try #require(session.chapters.last?.text)
    let right = try #require(text.split(separator: " ").first { $0.contains("=") })
    var other = Session(try scenario.under(policy: String(right)))
    try other.finish()
    let last = other.timeline.events.count - 1
    #expect(other.timeline.machine.violations(after: other.timeline.stores(ofEvent: last)).isEmpty)
  }

  /// The shortest that random events found: each event of it matters, as they are today.
  @Test(arguments: files("found/devices") + files("found").filter { $0.contains("/pkvm-") })
  func `of what random events found wrong with devices nothing can be left out`(
    file: String
  ) throws {
    let scenario = try shippedScenario(file)
    let events = scenario.statements.compactMap { statement -> Event? in
      if case .event(let event) = statement.kind { event } else { nil }
    }
    let rule = try #require(
      scenario.statements.compactMap { statement -> Invariant? in
        if case .expect(.violation(let rule)) = statement.kind { rule } else { nil }
      }.last)
    func breaks(_ events: [Event]) -> Bool {
      RandomRun(scenario.configuration, events, watching: [rule]).broken != nil
    }
    #expect(breaks(events))
    for index in events.indices {
      var fewer = events
      fewer.remove(at: index)
      #expect(!breaks(fewer), "without \(events[index])")
    }
  }

  /// But for the window of an unfolding, whose block takes 512 pages to make: see cca/unfold.pw.
  @Test func `each wrong policy of a device has its shortest scenario`() {
    let devices = RandomDeviceTests.wrong.filter { !$0.policies.contains("bbm-cpu=0") }
      .flatMap { example in example.breaks.map { example.name(breaking: $0) } }
    let pkvm = RandomProtectedTests.wrong.map { "pkvm-\($0.name).pw" }
    #expect(Set(Self.files("found/devices")).isSuperset(of: devices.map { "found/devices/" + $0 }))
    #expect(Set(Self.files("found")).isSuperset(of: pkvm.map { "found/" + $0 }))
  }

  @Test func `every bug of the list has a scenario that breaks a rule or counts what is lost`() {
    let names = Self.files("bugs")
    for number in 1...14 {
      let prefix = "bugs/b\(number < 10 ? "0" : "")\(number)-"
      #expect(names.contains { $0.hasPrefix(prefix) }, "B\(number)")
    }
  }

  @Test func `expectations of bugs fail where the bug is not`() throws {
    // The statements hold because of the policy and not because they hold always.
    var scenario = try shippedScenario("bugs/b01-nested-ipa-0.pw")
    scenario.configuration.reverseMap = .v1
    var statements = StatementList()
    for statement in scenario.statements {
      if case .expect(.under(_, let inner)) = statement.kind {
        statements.append(Statement(kind: .expect(inner), origin: .found))
      } else {
        statements.append(statement)
      }
    }
    scenario.statements = statements
    var session = Session(scenario)
    try session.finish()
    #expect(!session.failures.isEmpty)
  }
}
