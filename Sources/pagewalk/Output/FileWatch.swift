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

  private let path: String
  private var version: Version?

  /// A watch that starts with a file's current version.
  init(_ path: String) {
    self.path = path
    version = Self.version(of: path)
  }

  /// Whether the file exists and has changed since the last call.
  mutating func hasChanged() -> Bool {
    // An editor may remove the file for a moment, to replace it.
    guard let now = Self.version(of: path), now != version else { return false }
    version = now
    return true
  }

  private static func version(of path: String) -> Version? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Version(
      inode: status.st_ino, size: status.st_size, seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec)
  }
}
