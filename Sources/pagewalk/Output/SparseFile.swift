import Glibc

/// A file written in pieces, with holes between them.
struct SparseFile: ~Copyable {
  private let descriptor: Int32

  /// Creates or empties a file; nil if that fails, with the reason in `errno`.
  init?(_ path: String) {
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    // Nothing is closed then, so that the reason stays.
    if number < 0 { return nil }
    descriptor = number
  }

  func write(_ bytes: [UInt8], at offset: UInt64) {
    lseek(descriptor, off_t(offset), SEEK_SET)
    FileDescriptor(number: descriptor).write(bytes)
  }

  deinit { close(descriptor) }
}
