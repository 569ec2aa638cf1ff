import Glibc

/// Notices changes of a file.
struct FileWatch {
  /// What distinguishes two versions of a file.
  private struct Version: Equatable {
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int
  }

  /// The polling interval.
  static let interval = Duration.milliseconds(250)

  /// What happened to a file.
  enum Change {
    /// It is another version.
    case changed
    /// It is not there, and was not for some time.
    case missing
    /// It is there again, and the same version.
    case back
  }

  /// How often in a row a file must be found missing: an editor may remove it for a moment, to replace it.
  private static let absencesUntilMissing = 3

  private let path: String
  private var version: Version?
  private var absences = 0

  /// A watch that starts with a file's current version.
  init(_ path: String) {
    self.path = path
    version = Self.version(of: path)
  }

  /// What has happened to the file since the last call; nil for nothing.
  mutating func change() -> Change? {
    guard let now = Self.version(of: path) else {
      absences += 1
      return absences == Self.absencesUntilMissing ? .missing : nil
    }
    let wasMissing = absences >= Self.absencesUntilMissing
    absences = 0
    if now == version { return wasMissing ? .back : nil }
    version = now
    return .changed
  }

  /// Whether the file is there, and another version than it was.
  var hasChanged: Bool {
    guard let now = Self.version(of: path) else { return false }
    return now != version
  }

  private static func version(of path: String) -> Version? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Version(
      inode: status.st_ino, size: status.st_size, seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec)
  }
}
