import Glibc
import Recording

/// A command's output: the standard output, or a file that gets its name when it is complete. Until then, and if
/// that never happens, what has the name stays as it is. A device or a pipe is written directly.
final class Output {
  /// The name for messages; nil for the standard output.
  private let path: String?
  /// The file that gets its name; nil if it has it already. What a link leads to is replaced, not the link.
  private let target: String?
  private let file: FileDescriptor
  private var isOpen = true

  /// An output.
  ///
  /// - Parameter path: the name of the file; nil for the standard output.
  init(_ path: String?) throws {
    self.path = path
    guard let path else {
      (target, file) = (nil, .output)
      return
    }
    var status = stat()
    let isSpecial = stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    target = isSpecial ? nil : RecordingFile.resolved(path)
    file = FileDescriptor(
      number: open(
        target.map(Self.part) ?? path,
        O_WRONLY | (isSpecial ? 0 : O_CREAT | O_TRUNC) | O_CLOEXEC, 0o666))
    if file.number < 0 { throw Failure.cannotWrite(path) }
  }

  func write(_ text: String) { write([UInt8](text.utf8)) }
  func write(json value: some Encodable) throws {
    write(try FileDescriptor.json(value) + [UInt8(ascii: "\n")])
  }

  /// Writes all bytes. If that fails, reports it and ends the program.
  func write(_ bytes: [UInt8]) {
    guard let path else { return file.write(bytes) }
    if file.attempt(bytes) { return }
    writeError(Failure.cannotWrite(path).message)
    if let target { unlink(Self.part(target)) }
    exit(4)
  }

  /// Gives the file its name.
  func finish() throws {
    guard let path else { return }
    isOpen = false
    // Some file systems say only now that there is no room.
    var isDone = close(file.number) == 0
    if isDone, let target { isDone = rename(Self.part(target), target) == 0 }
    if !isDone {
      let failure = Failure.cannotWrite(path)
      if let target { unlink(Self.part(target)) }
      throw failure
    }
  }

  deinit {
    guard path != nil, isOpen else { return }
    close(file.number)
    if let target { unlink(Self.part(target)) }
  }

  private static func part(_ path: String) -> String { "\(path).new-\(getpid())" }
}
