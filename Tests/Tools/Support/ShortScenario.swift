import Engine
import Language
import Testing

/// A session at the end of a short scenario, f.pw, of a VM with one vCPU. The text begins in line 3.
public func session(_ text: String, nested: Bool = false, vmidBits: Int = 16) throws -> Session {
  let head =
    "pagewalk 1\nvm ipa=40 vcpus=1 nested=\(nested ? "on" : "off") vmid-bits=\(vmidBits)\n"
  var session = Session(try Scenario(parsing: [UInt8]((head + text).utf8), file: "f.pw"))
  try session.finish()
  return session
}

/// What is wrong with such a scenario, with its place, or nil if nothing is.
public func refusal(_ text: String) -> String? {
  do {
    _ = try session(text)
    return nil
  } catch {
    return (error as? ScenarioError)?.description
  }
}

/// Expects that an event, as a statement after others, is read as what was written.
public func expectReadBack(_ event: Event, after head: String) throws {
  let text = "pagewalk 1\n\(head)\n\(event.statement)\n"
  let scenario = try Scenario(parsing: Array(text.utf8), file: "event")
  guard case .event(let parsed) = try #require(scenario.statements.first).kind else {
    Issue.record("no event: \(event.statement)")
    return
  }
  #expect(parsed == event)
}
