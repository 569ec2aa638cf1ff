import ArgumentParser
import FoundationEssentials
import Language
import Recording

extension Pagewalk {
  /// `pagewalk verify`.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify",
      abstract: "Carry a recording out once more and compare all that was written of it.",
      discussion: """
        A recording is whole; cut, if its end is missing; torn, if its last line is; edited, if lines are \
        not as they were written; diverged, if a machine is another than it was. Exit code 1 for all but \
        whole.
        """)

    @Argument(help: "A recording, or - for the standard input.", completion: .file())
    var file: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
      let (bytes, name) = try Pagewalk.recording(file)
      let verification: Verification
      do {
        let recording = try Recording(bytes, file: name)
        verification = try watching(Progress("verify", events: recording.stampCount)) { progress in
          try Verification(recording, bytes, file: name) { progress.advance() }
        }
      } catch let error as ScenarioError {
        throw Failure.input(error.description)
      }
      if json {
        try FileDescriptor.output.write(json: VerificationRecord(verification, file: name))
      } else {
        FileDescriptor.output.write(lines: Self.lines(verification, name).joined(separator: "\n"))
      }
      if !verification.isGood { throw Failure.no("") }
    }

    /// The findings, in readable lines.
    private static func lines(_ found: Verification, _ name: String) -> [String] {
      let condition = found.condition
      var lines: [String] = []
      for edit in condition.edits {
        lines.append(
          "\(name):\(edit.lowerBound):1: edited: \(edit.phrase): not as written")
      }
      if let torn = condition.torn {
        lines.append(
          "\(name):\(condition.lines):1: torn: the last line is not whole; bytes \(torn.lowerBound) to "
            + "\(torn.upperBound) are left out")
      } else if !condition.hasEnd {
        lines.append("\(name):\(condition.lines + 1):1: cut: the end is missing")
      }
      for refusal in found.refusals { lines.append("\(refusal.description)") }
      let versions = found.version.map {
        "; written by pagewalk \($0.program), read by \(Pagewalk.version)"
      }
      for place in found.divergences {
        let what =
          place.statement.map { "the state after event \(place.events) (\($0)) is another" }
          ?? "after event \(place.events), other tables: \(place.tables.joined(separator: ", "))"
        lines.append("\(name):\(place.line):1: diverged: \(what)\(versions ?? "")")
      }
      let compared = "\(found.states) states and \(found.tables) tables compared"
      lines.append(found.isGood ? "whole: \(compared)" : compared)
      return lines
    }
  }

  /// `pagewalk repair`.
  struct Repair: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "repair",
      abstract: "Write the longest part of a recording that is as it was written into another file."
    )

    @Argument(help: "A recording.", completion: .file())
    var file: String

    @Option(name: .shortAndLong, help: "The file to write; it must not exist.", completion: .file())
    var output: String

    func run() throws {
      let (bytes, name) = try Pagewalk.recording(file)
      let recording: Recording
      do {
        recording = try Recording(bytes, file: name)
      } catch {
        throw Failure.input(error.description)
      }
      let good = recording.goodPrefix(of: bytes)
      if recording.condition.isWhole {
        throw Failure.no("\(name): it is whole, there is nothing to repair")
      }
      if good.isEmpty { throw Failure.input("\(name): no line of it is as it was written") }
      do throws(RecordingFile.Failure) {
        var file = try RecordingFile(creating: output)
        try file.append([UInt8](good))
      } catch {
        throw Failure.environment("\(output): \(error.reason)")
      }
      FileDescriptor.output.write(
        lines: "\(output): \(good.count) of \(bytes.count) bytes are as they were written")
    }
  }
}

/// What `verify --json` prints.
private struct VerificationRecord: Encodable {
  struct Place: Encodable {
    let history: Int
    let events: Int
    let line: Int
    let statement: String?
    let tables: [String]
  }

  let file: String
  let isWhole: Bool
  let hasEnd: Bool
  let edited: [[Int]]
  let torn: [Int]?
  let states: Int
  let tables: Int
  let diverged: [Place]
  let refused: [String]
  let writtenBy: String?

  init(_ found: Verification, file: String) {
    self.file = file
    isWhole = found.isGood
    hasEnd = found.condition.hasEnd
    edited = found.condition.edits.map { [$0.lowerBound, $0.upperBound] }
    torn = found.condition.torn.map { [$0.lowerBound, $0.upperBound] }
    states = found.states
    tables = found.tables
    diverged = found.divergences.map {
      Place(
        history: $0.history + 1, events: $0.events, line: $0.line, statement: $0.statement,
        tables: $0.tables)
    }
    refused = found.refusals.map(\.description)
    writtenBy = found.version?.program
  }
}
