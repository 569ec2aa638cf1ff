import Canvas
import FoundationEssentials
import Glibc

/// Writes a message to the standard error. What names and texts from outside hold that a terminal would
/// act on is spelled out.
func writeError(_ message: String) {
  FileDescriptor.error.write(lines: message)
}

/// An open file.
struct FileDescriptor {
  let number: Int32

  static let input = FileDescriptor(number: 0)
  static let output = FileDescriptor(number: 1)
  static let error = FileDescriptor(number: 2)

  func write(_ text: String) { write([UInt8](text.utf8)) }

  /// Writes lines of text of any origin, safe to print. The last one ends, too.
  func write(lines: String) {
    let lines = lines.hasSuffix("\n") ? lines.dropLast() : lines[...]
    for line in lines.split(separator: "\n", omittingEmptySubsequences: false) {
      write(SafeText(line).string + "\n")
    }
  }

  /// Everything that is left to read, nil if that fails.
  func contents() -> [UInt8]? {
    var status = stat()
    fstat(number, &status)
    // All of a file at once, and one more, so that it shows that there is no more.
    let size = max(Int(status.st_size) + 1, 1 << 16)
    var bytes: [UInt8] = []
    while true {
      var found = 0
      let piece = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        found = Glibc.read(number, buffer.baseAddress, size)
        count = max(0, found)
      }
      if found < 0 && errno != EINTR { return nil }
      if found == 0 { return bytes }
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
    }
  }

  /// Writes all bytes. If there is no room for the output, that is said, and the program ends: half of it
  /// must not pass for the whole.
  func write(_ bytes: [UInt8]) {
    if attempt(bytes) || number == Self.error.number { return }
    writeError("the output cannot be written: \(String(cString: strerror(errno)))")
    exit(4)
  }

  private func attempt(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { return false }
      rest = rest.dropFirst(max(0, count))
    }
    return true
  }
}

/// A file that is written in pieces, with holes between them.
struct SparseFile: ~Copyable {
  private let descriptor: Int32

  /// Creates or empties a file; nil if that cannot be done.
  init?(_ path: String) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if descriptor < 0 { return nil }
  }

  func write(_ bytes: [UInt8], at offset: UInt64) {
    lseek(descriptor, off_t(offset), SEEK_SET)
    FileDescriptor(number: descriptor).write(bytes)
  }

  deinit { close(descriptor) }
}
