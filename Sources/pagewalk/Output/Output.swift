import Glibc

/// A command's output: the standard output, or a file that gets its name when it is complete.
final class Output {
  private let path: String?
  private let file: FileDescriptor

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
    if file.number < 0 {
      throw Failure.environment("\(path): \(String(cString: strerror(errno)))")
    }
  }

  func write(_ text: String) { file.write(text) }
  func write(_ bytes: [UInt8]) { file.write(bytes) }
  func write(json value: some Encodable) throws { try file.write(json: value) }

  /// Gives the file its name.
  func finish() throws {
    guard let path else { return }
    close(file.number)
    if rename(Self.part(path), path) != 0 {
      throw Failure.environment("\(path): \(String(cString: strerror(errno)))")
    }
  }

  private static func part(_ path: String) -> String { "\(path).new-\(getpid())" }
}
