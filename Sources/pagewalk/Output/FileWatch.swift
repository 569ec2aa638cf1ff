import Glibc

/// Notices that a file is another than it was.
struct FileWatch {
  /// What tells two versions of a file apart.
  private struct Version: Equatable {
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int
  }

  /// How often it is worth to look.
  static let interval = Duration.milliseconds(250)

  private let path: String
  private var version: Version?

  /// A watch of a file as it is now.
  init(_ path: String) {
    self.path = path
    version = Self.version(of: path)
  }

  /// Whether the file is there and another than when this was asked last.
  mutating func hasChanged() -> Bool {
    // An editor may take the file away for a moment, to put another in its place.
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
