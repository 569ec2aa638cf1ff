import ArgumentParser
import Language

/// The scenario that a command carries out, and under which policies.
struct InputOptions: ParsableArguments {
  @Argument(help: "A scenario, or - for the standard input.", completion: .scenario)
  var file: String

  @Option(help: Pagewalk.policyHelp, completion: .policy)
  var policy: [String] = []

  /// The scenario, read and parsed.
  func scenario() throws -> Scenario { try Pagewalk.scenario(file, policies: policy) }
}

/// The same where the built-in scenario stands in for a file that is not named.
struct OptionalInputOptions: ParsableArguments {
  @Argument(
    help: "A scenario, or - for the standard input; without one, the built-in one.",
    completion: .scenario)
  var file: String?

  @Option(help: Pagewalk.policyHelp, completion: .policy)
  var policy: [String] = []

  /// The scenario, read and parsed.
  func scenario() throws -> Scenario { try Pagewalk.scenario(file, policies: policy) }
}

extension Pagewalk {
  /// The help of `--policy`.
  static let policyHelp = ArgumentHelp(
    "Another policy than the scenario's, as revmap=v2 or iommu-sync=off; can be repeated. A wrong key is "
      + "answered with all of them.",
    valueName: "key=value")

  /// The help of `--at`, for every command that looks at one moment.
  static func momentHelp(_ what: String = "The moment") -> ArgumentHelp {
    ArgumentHelp("\(what): N events done, N.STEP, chapter:LABEL, N%, start, end.")
  }

  /// Reads and parses a scenario; `-` is the standard input, and nil the built-in scenario.
  static func scenario(_ path: String?, policies: [String] = []) throws -> Scenario {
    let bytes = try path.map(FileDescriptor.contents) ?? PackageResources.built_in_pw
    let name = path.map { $0 == "-" ? "stdin" : $0 } ?? "built-in.pw"
    var scenario: Scenario
    do {
      scenario = try Scenario(parsing: bytes, file: name)
    } catch {
      throw Failure.input(error.description)
    }
    for policy in policies {
      do {
        scenario = try scenario.under(policy: policy)
      } catch {
        throw Failure.usage("--policy \(policy): \(error.message)")
      }
    }
    return scenario
  }

  /// Carries a scenario out for a command, and goes to a moment of it.
  static func session(_ scenario: Scenario, at text: String, for command: String) throws -> Session
  {
    var session = Session(scenario)
    do {
      try watching(Progress(command, events: scenario.eventCount)) { progress in
        while let statement = try session.advance() {
          if case .event = statement.kind { progress.advance() }
        }
      }
    } catch {
      throw Failure.input("\(error)")
    }
    guard let moment = session.moment(named: text) else {
      throw Failure.usage("--at: expected \(session.momentHelp), not '\(text)'")
    }
    session.seek(to: moment)
    return session
  }
}

extension CompletionKind {
  /// A file of the event language.
  static let scenario = CompletionKind.file(extensions: ["pw"])
  /// Settings of policies.
  static let policy = CompletionKind.list(Policy.settings)
}
