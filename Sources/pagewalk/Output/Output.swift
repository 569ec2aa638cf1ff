import Glibc

/// A command's output: the standard output, or a file that gets its name when it is complete. Until then, and if
/// that never happens, what has the name stays as it is.
final class Output {
  private let path: String?
  private let file: FileDescriptor
  private var isOpen = true

  /// An output.
  ///
  /// - Parameter path: the name of the file; nil for the standard output.
  init(_ path: String?) throws {
    self.path = path
    guard let path else {
      file = .output
      return
    }
    file = FileDescriptor(
      number: open(Self.part(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666))
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
    unlink(Self.part(path))
    exit(4)
  }

  /// Gives the file its name.
  func finish() throws {
    guard let path else { return }
    isOpen = false
    // Some file systems say only now that there is no room.
    if close(file.number) != 0 || rename(Self.part(path), path) != 0 {
      let failure = Failure.cannotWrite(path)
      unlink(Self.part(path))
      throw failure
    }
  }

  deinit {
    guard let path, isOpen, file.number >= 0 else { return }
    close(file.number)
    unlink(Self.part(path))
  }

  private static func part(_ path: String) -> String { "\(path).new-\(getpid())" }
}
