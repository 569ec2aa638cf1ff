import Glibc

/// A file to which a recording is appended, by one program at a time.
public struct RecordingFile: ~Copyable {
  /// Why a file cannot be written, in words that omit its name.
  public struct Failure: Error, Equatable, Sendable {
    /// The reason.
    public let reason: String

    init(_ reason: String) { self.reason = reason }

    /// The reason of the last system call's failure.
    static var ofSystem: Failure { Failure(String(cString: strerror(errno))) }
  }

  private let descriptor: Int32
  /// Bytes that were written.
  private var written = 0

  /// Creates a file, readable only by its owner.
  ///
  /// - Throws: if the file exists, as it may be somebody's work; says so if a program records to it.
  public init(creating path: String) throws(Failure) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
    if descriptor < 0 {
      guard errno == EEXIST else { throw .ofSystem }
      throw Failure(
        Self.isInUse(path)
          ? "another program is recording to it" : "it exists already: name another, or remove it")
    }
    // The file is new and unknown to others: this fails only where locks are unsupported.
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  /// Whether a program has the file open as a recording.
  public static func isInUse(_ path: String) -> Bool {
    // A pipe must not be waited for.
    let other = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard other >= 0 else { return false }
    defer { close(other) }
    return flock(other, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Appends whole lines, in one write if the system lets it.
  ///
  /// - Throws: the reason if it fails, as on a full disk, where the file then ends wherever the system stopped; or
  ///   if the file was removed, or another program has written to it.
  public mutating func append(_ bytes: [UInt8]) throws(Failure) {
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw .ofSystem }
    if status.st_nlink == 0 { throw Failure("it was removed") }
    if status.st_size != off_t(written) { throw Failure("another program has changed it") }
    try Self.write(bytes, to: descriptor)
    written += bytes.count
  }

  /// Waits until the appended data is on the disk.
  public func synchronise() { _ = fdatasync(descriptor) }

  deinit {
    _ = fdatasync(descriptor)
    close(descriptor)
  }

  /// Atomically replaces a file: at any time it is the old one or all of the new one. The file keeps its
  /// permissions; a new one has the usual ones.
  ///
  /// - Throws: the reason if it fails; the file is then unchanged.
  public static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
    // The name may be a link: replace its target, not the link.
    let target = resolved(path)
    let new = target + ".new-\(getpid())"
    var status = stat()
    let isThere = stat(target, &status) == 0
    if isThere, status.st_mode & S_IFMT != S_IFREG { throw Failure("it is no file with contents") }
    let mode = isThere ? status.st_mode & 0o7777 : 0o666
    let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    if descriptor < 0 { throw .ofSystem }
    do throws(Failure) {
      defer { close(descriptor) }
      try write(bytes, to: descriptor)
      if fsync(descriptor) != 0 { throw .ofSystem }
    } catch {
      unlink(new)
      throw error
    }
    if rename(new, target) != 0 {
      let failure = Failure.ofSystem
      unlink(new)
      throw failure
    }
  }

  /// Whether two names lead to one file, which is there.
  public static func isSame(_ path: String, _ other: String) -> Bool {
    var (one, two) = (stat(), stat())
    return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev
      && one.st_ino == two.st_ino
  }

  /// The file that a name leads to through links; the name if there is none.
  public static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR { throw .ofSystem }
      rest = rest.dropFirst(max(0, count))
    }
  }
}
