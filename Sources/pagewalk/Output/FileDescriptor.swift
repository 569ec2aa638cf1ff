import Canvas
import Glibc

/// Writes a message to the standard error. Characters from outside on which a terminal would act are
/// spelled out.
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

  /// Writes lines of text of any origin, safe to print. The last one also gets a line end.
  func write(lines: String) {
    let lines = lines.hasSuffix("\n") ? lines.dropLast() : lines[...]
    for line in lines.split(separator: "\n", omittingEmptySubsequences: false) {
      write(SafeText(line).string + "\n")
    }
  }

  /// Maximum bytes read from a file, or from another program.
  static let bytesAtMost = 1 << 30

  /// The rest of the file; nil if reading fails, or there is more than `limit` bytes, with the reason in
  /// `errno`.
  func contents(atMost limit: Int = bytesAtMost) -> [UInt8]? {
    var status = stat()
    fstat(number, &status)
    // Read the whole file at once, plus one byte to detect the end.
    let size = max(min(Int(status.st_size), limit) + 1, 1 << 16)
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
      if bytes.count > limit {
        errno = EFBIG
        return nil
      }
    }
  }

  /// Writes all bytes. If the output cannot be written, reports that and ends the program: half of it
  /// must not pass for the whole.
  func write(_ bytes: [UInt8]) {
    let error = StatusLine.shared.withLock { line in
      if line.isShown, isatty(number) == 1 { line.remove() }
      return attempt(bytes) ? 0 : errno
    }
    if error == 0 || number == Self.error.number { return }
    // The reader of the output has closed it: SIGPIPE, if it was blocked, ends the program.
    if error == EPIPE { _ = SignalSet([SIGPIPE]).unblock() }
    writeError("the output cannot be written: \(String(cString: strerror(error)))")
    exit(4)
  }

  /// Writes all bytes; false if that fails, with the reason in `errno`.
  func attempt(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { return false }
      rest = rest.dropFirst(max(0, count))
    }
    return true
  }
}

/// Files by their names.
extension FileDescriptor {
  /// Everything in a file; `-` is the standard input, which has nothing if it is closed.
  ///
  /// - Parameter limit: the bytes it may have.
  static func contents(of path: String, atMost limit: Int = bytesAtMost) throws -> [UInt8] {
    if path == "-" {
      if let bytes = input.contents(atMost: limit) { return bytes }
      if errno == EBADF { return [] }
      throw Failure.cannotRead(path, errno, limit)
    }
    let file = FileDescriptor(number: open(path, O_RDONLY | O_CLOEXEC))
    if file.number < 0 { throw Failure.cannotRead(path, errno, limit) }
    defer { close(file.number) }
    guard let bytes = file.contents(atMost: limit) else {
      throw Failure.cannotRead(path, errno, limit)
    }
    return bytes
  }
}
