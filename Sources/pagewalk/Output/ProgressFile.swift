import FoundationEssentials
import Glibc
import Lesson

/// The file in which a learner's progress is kept, a line of JSON for each record. Failures to read or
/// write it do not affect a lesson.
enum ProgressFile {
  private static let name = "progress.jsonl"
  private static let bytesAtMost = 64 << 20

  /// The kept progress. Skips lines that are not records.
  static func read() -> LearnerProgress {
    var progress = LearnerProgress()
    guard let (path, _) = ConfigurationFile.stateFile(name),
      let bytes = try? FileDescriptor.contents(of: path, atMost: bytesAtMost)
    else { return progress }
    let decoder = JSONDecoder()
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      if let record = try? decoder.decode(LearnerProgress.Record.self, from: Data(line)) {
        progress.add(record)
      }
    }
    return progress
  }

  /// Appends records. Returns the reason if they are not kept; else nil.
  static func append(_ records: [LearnerProgress.Record]) -> String? {
    if records.isEmpty { return nil }
    guard let target = ConfigurationFile.stateFile(name) else {
      return "progress is not kept: neither XDG_STATE_HOME nor HOME is set"
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let lines = records.compactMap { try? encoder.encode($0) + [UInt8(ascii: "\n")] }.joined()
    let folder = URL(filePath: target.path).deletingLastPathComponent()
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let number = open(target.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    if number < 0 { return reason(target.path) }
    defer { close(number) }
    // End a line that was cut, as by a full disk.
    let end = lseek(number, 0, SEEK_END)
    var last = UInt8(ascii: "\n")
    if end > 0 { pread(number, &last, 1, end - 1) }
    let start = last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]
    return FileDescriptor(number: number).attempt(start + [UInt8](lines))
      ? nil : reason(target.path)
  }

  private static func reason(_ path: String) -> String {
    "progress is not kept: \(path): \(String(cString: strerror(errno)))"
  }

  /// Days since 1970-01-01.
  static var today: Int { time(nil) / 86_400 }
}
