import ArgumentParser
import FoundationEssentials
import Glibc
import Language

/// The command line.
struct Pagewalk: ParsableCommand {
  /// The version of the program, for whoever reports something.
  static let version = "0.1"

  static let configuration = CommandConfiguration(
    commandName: "pagewalk",
    abstract: "Watch stage-2 page tables live, forward and back.",
    discussion: """
      pagewalk FILE opens a scenario on the screen; pagewalk alone opens the built-in one. The other \
      commands need no terminal. FILE may be - for the standard input.

      Exit codes: 0 done; 1 the answer is no (an expectation failed); 2 wrong usage; 3 wrong input; \
      4 the environment cannot do it, as without a terminal; 70 a fault of pagewalk itself. If a \
      fault ends the screen by a signal, what is needed to report it is kept in \
      $XDG_STATE_HOME/pagewalk/fault.
      """,
    version: version,
    subcommands: [
      View.self, Render.self, Run.self, Dump.self, Compare.self, Windows.self, Config.self,
    ],
    defaultSubcommand: View.self)
}

/// Parses the arguments and carries the command out, with the exit codes that the manual promises.
@main
enum Main {
  static func main() {
    do {
      var command = try Pagewalk.parseAsRoot()
      try command.run()
    } catch {
      let end = Failure(error)
      if end.code == 0 {
        FileDescriptor.output.write(end.message + "\n")
      } else if !end.message.isEmpty {
        writeError(end.message)
      }
      exit(end.code)
    }
  }
}

/// A reason to stop, with its exit code.
struct Failure: Error {
  let message: String
  let code: Int32

  /// The end that an error means, whoever threw it.
  init(_ error: any Error) {
    if let failure = error as? Failure {
      self = failure
    } else if Pagewalk.exitCode(for: error).isSuccess {
      // A request for help or the like.
      self.init(message: Pagewalk.fullMessage(for: error), code: 0)
    } else if Pagewalk.exitCode(for: error) == .validationFailure {
      self = .usage(Pagewalk.fullMessage(for: error))
    } else {
      let fault = "a fault of pagewalk itself, please report it: \(error)"
      self.init(message: fault, code: 70)
    }
  }

  private init(message: String, code: Int32) {
    self.message = message
    self.code = code
  }

  /// The answer is no.
  static func no(_ message: String) -> Failure { Failure(message: message, code: 1) }
  /// Wrong usage.
  static func usage(_ message: String) -> Failure { Failure(message: message, code: 2) }
  /// Wrong or unreadable input.
  static func input(_ message: String) -> Failure { Failure(message: message, code: 3) }
  /// The environment cannot do it.
  static func environment(_ message: String) -> Failure { Failure(message: message, code: 4) }
}

extension Pagewalk {
  /// The option `--policy` of all commands that carry a scenario out.
  static let policyHelp = ArgumentHelp(
    "Another policy than the scenario's, as revmap=v2 or iommu-sync=off; can be repeated. A wrong key is "
      + "answered with all of them.",
    valueName: "key=value")

  /// Reads and parses a scenario; `-` is the standard input, and nil the scenario that greets whoever
  /// brings none.
  static func scenario(_ path: String?, policies: [String] = []) throws -> Scenario {
    let bytes = try path.map(contents) ?? PackageResources.built_in_pw
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

  static func contents(of path: String) throws -> [UInt8] {
    if path == "-" { return FileDescriptor.input.contents() ?? [] }
    let file = FileDescriptor(number: open(path, O_RDONLY | O_CLOEXEC))
    defer { close(file.number) }
    guard let bytes = file.contents() else {
      throw Failure.input("\(path): cannot be read: \(reason(for: path))")
    }
    return bytes
  }

  private static func reason(for path: String) -> String {
    var isDirectory = false
    if !FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
      return "no such file"
    }
    return isDirectory ? "it is a folder" : "no permission"
  }
}

extension CompletionKind {
  /// A file of the event language.
  static let scenario = CompletionKind.file(extensions: ["pw"])
  /// Settings of policies.
  static let policy = CompletionKind.list(Policy.settings)
}
