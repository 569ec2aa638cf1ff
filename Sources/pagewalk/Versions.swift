import Language
import Recording

/// The version of this program, and of the formats that it reads and writes. `assets/changes.md` says
/// when they rise.
struct Versions: Encodable {
  /// The version of the program.
  let pagewalk = Pagewalk.version
  /// The commit of the checkout from which it was built, ignoring local changes; nil if unknown.
  let commit = embeddedCommit
  /// The Linux version whose KVM it models.
  let kernel = RecordingVersion.kernel
  /// The event language.
  let language = "\(Scenario.languageVersion)"
  /// Recordings: the version written now.
  let recording = "\(RecordingVersion.current.major).\(RecordingVersion.current.minor)"
  /// The output of `--json`, for all commands.
  let json = "1"

  /// The program in a few words, one line.
  var program: String { pagewalk + (commit.map { " (\($0.prefix(12)))" } ?? "") }

  /// A line for each, or one line of JSON.
  func text(asJSON: Bool) -> String {
    if asJSON, let json = try? FileDescriptor.json(self) {
      return String(decoding: json, as: UTF8.self)
    }
    return """
      pagewalk \(pagewalk)
      commit \(commit ?? "unknown")
      kernel Linux \(kernel)
      language \(language)
      recording \(recording)
      json \(json)
      """
  }
}
