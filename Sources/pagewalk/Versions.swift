import Language
import Recording

/// What this program is, and the versions of what others read and write. `assets/changes.md` says when they
/// rise.
struct Versions: Encodable {
  /// The version of the program.
  let pagewalk = Pagewalk.version
  /// The commit of the checkout that it was built from, whatever was changed there since; nil if that is not
  /// known.
  let commit = embeddedCommit
  /// The Linux whose KVM it equals.
  let kernel = RecordingVersion.kernel
  /// The event language.
  let language = "\(Scenario.languageVersion)"
  /// Recordings: what is written now.
  let recording = "\(RecordingVersion.current.major).\(RecordingVersion.current.minor)"
  /// What `--json` prints, of any command.
  let json = "1"

  /// The program in a few words, one line.
  var program: String { pagewalk + (commit.map { " (\($0.prefix(12)))" } ?? "") }

  /// A line for each, or all in one of JSON.
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
