import ArgumentParser
import FoundationEssentials
import Glibc
import Language

/// A reason to stop, with its exit code.
struct Failure: Error {
  let message: String
  let code: Int32

  /// The failure for an error from any source.
  init(_ error: any Error) {
    if let failure = error as? Failure {
      self = failure
    } else if Pagewalk.exitCode(for: error).isSuccess {
      // A request for help or the like.
      self.init(message: HelpText.wrapped(Pagewalk.fullMessage(for: error)), code: 0)
    } else if Pagewalk.exitCode(for: error) == .validationFailure {
      self = .usage(
        HelpText.wrapped(Self.withoutFarSuggestion(Pagewalk.fullMessage(for: error))))
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
  /// A file that cannot be read.
  ///
  /// - Parameters:
  ///   - error: the value of `errno`.
  ///   - limit: the bytes that it may have.
  static func cannotRead(_ path: String, _ error: Int32, _ limit: Int) -> Failure {
    let reason =
      switch error {
      case ENOENT: "no such file"
      case EISDIR: "it is a folder"
      case EACCES: "no permission"
      case EFBIG: "more than \(limit) bytes"
      default: String(cString: strerror(error))
      }
    return input("\(path): cannot be read: \(reason)")
  }
  /// All mistakes in a file, up to a maximum.
  static func input(_ mistakes: [ScenarioError]) -> Failure {
    let isCut = mistakes.count == Scenario.mistakesAtMost
    return input(
      (mistakes.map(\.description) + (isCut ? ["there may be more: these are the first"] : []))
        .joined(separator: "\n"))
  }
  /// A file that cannot be written, with the reason in `errno`.
  static func cannotWrite(_ path: String) -> Failure {
    environment("\(path): cannot be written: \(String(cString: strerror(errno)))")
  }
  /// The same with the error that a library threw.
  static func cannotWrite(_ path: String, _ error: any Error) -> Failure {
    let cause = error as? POSIXError ?? (error as? CocoaError)?.underlying as? POSIXError
    let reason = cause.map { String(cString: strerror($0.code.rawValue)) } ?? "\(error)"
    return environment("\(path): cannot be written: \(reason)")
  }
  /// A failure of the environment.
  static func environment(_ message: String) -> Failure { Failure(message: message, code: 4) }

  /// The argument parser suggests any option that differs in a few letters: `--at` for `--html`. Typing
  /// errors seldom affect the first letter, so drop suggestions with another one.
  private static func withoutFarSuggestion(_ message: String) -> String {
    let parts = message.split(separator: "'", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].hasSuffix("Unknown option "), parts[2] == ". Did you mean ",
      parts[4].hasPrefix("?"), parts[1].dropFirst(2).first != parts[3].dropFirst(2).first
    else { return message }
    return "\(parts[0])'\(parts[1])'\(parts[4].dropFirst())"
  }
}
