import FoundationEssentials
import Glibc

/// A teacher's notes for a page, as `pagewalk present` sends them to `pagewalk notes`: a line of JSON for
/// each page.
struct NotesPage: Codable, Equatable {
  let title: String
  let lines: [String]
  /// The counts of the class's guesses; empty if there are none.
  var guesses: String
}

/// The socket between the two: below the runtime folder, in one that only the user can open.
enum NotesSocket {
  /// Why there is no socket, as a clause.
  struct Failure: Error {
    let reason: String

    /// A call that failed, for the reason in `errno`.
    static func call(_ path: String) -> Failure {
      Failure(reason: "\(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Its path, in a folder that is created if missing.
  static func path() throws(Failure) -> String {
    guard let runtime = ConfigurationFile.environment("XDG_RUNTIME_DIR"), runtime.hasPrefix("/")
    else { throw Failure(reason: "XDG_RUNTIME_DIR is not set") }
    let folder = runtime + "/pagewalk"
    if mkdir(folder, 0o700) != 0, errno != EEXIST { throw .call(folder) }
    var status = stat()
    guard lstat(folder, &status) == 0 else { throw .call(folder) }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
      status.st_mode & 0o077 == 0
    else { throw Failure(reason: "\(folder): expected a folder that nobody else can open") }
    return folder + "/notes"
  }

  /// Calls a function for a socket and an address: `bind` or `connect`.
  fileprivate static func call(
    _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ number: Int32,
    _ path: String
  ) throws(Failure) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < room else {
      throw Failure(reason: "\(path): expected a path of less than \(room) bytes")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        function(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  fileprivate static func open() throws(Failure) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let number = socket(AF_UNIX, kind, 0)
    if number < 0 { throw .call("a socket") }
    return number
  }
}

/// The sending end.
struct NotesTeller {
  /// A listener, and the last page sent.
  private struct Listener {
    let number: Int32
    var told: NotesPage?
  }

  private let number: Int32
  private let path: String
  private var listeners: [Listener] = []
  private static let listenersAtMost = 8

  /// Accepts listeners from now on.
  ///
  /// - Throws: the reason if that fails, also if another lesson is being presented.
  init() throws(NotesSocket.Failure) {
    path = try NotesSocket.path()
    number = try NotesSocket.open()
    do throws(NotesSocket.Failure) {
      if try !Self.bind(number, path) {
        // A killed program has left its socket, which nobody answers.
        let other = try NotesSocket.open()
        defer { close(other) }
        if try NotesSocket.call(connect, other, path) {
          throw NotesSocket.Failure(reason: "another lesson is being presented")
        }
        unlink(path)
        guard try Self.bind(number, path) else { throw .call(path) }
      }
      guard listen(number, 4) == 0 else { throw .call(path) }
    } catch {
      close(number)
      throw error
    }
  }

  /// Binds the path, in a mode that keeps others out; false if it is taken.
  private static func bind(_ number: Int32, _ path: String) throws(NotesSocket.Failure) -> Bool {
    let mask = umask(0o177)
    defer { umask(mask) }
    if try NotesSocket.call(Glibc.bind, number, path) { return true }
    if errno == EADDRINUSE { return false }
    throw .call(path)
  }

  /// Sends news to all listeners. Drops those that do not keep up.
  mutating func tell(_ page: () -> NotesPage?) {
    while listeners.count < Self.listenersAtMost {
      let new = accept(number, nil, nil)
      if new < 0 { break }
      _ = fcntl(new, F_SETFD, FD_CLOEXEC)
      listeners.append(Listener(number: new))
    }
    if listeners.isEmpty { return }
    guard let page = page(), let text = try? JSONEncoder().encode(page) else { return }
    let bytes = Array(text) + [UInt8(ascii: "\n")]
    listeners = listeners.compactMap { listener in
      var byte: UInt8 = 0
      let isGone = recv(listener.number, &byte, 1, Int32(MSG_DONTWAIT)) == 0
      let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
      if !isGone,
        listener.told == page || send(listener.number, bytes, bytes.count, flags) == bytes.count
      {
        return Listener(number: listener.number, told: page)
      }
      close(listener.number)
      return nil
    }
  }

  /// Closes it. The value is useless afterwards.
  func end() {
    for listener in listeners { close(listener.number) }
    close(number)
    unlink(path)
  }
}

/// The listening end.
struct NotesListener {
  /// A result of listening.
  enum Heard {
    case nothing
    case page(NotesPage)
    /// The sender has ended.
    case end
  }

  private let number: Int32
  private var bytes: [UInt8] = []
  /// Maximum bytes of a page.
  private static let bytesAtMost = 1 << 16

  /// Connects; nil if there is no sender yet.
  init?() throws(NotesSocket.Failure) {
    let path = try NotesSocket.path()
    number = try NotesSocket.open()
    if try !NotesSocket.call(connect, number, path) {
      close(number)
      return nil
    }
  }

  /// The last page received since; waits up to `timeout` milliseconds, or forever if -1.
  mutating func hear(waiting timeout: Int32) -> Heard {
    var wish = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    if poll(&wish, 1, timeout) <= 0 { return .nothing }
    var piece = [UInt8](repeating: 0, count: Self.bytesAtMost)
    let count = read(number, &piece, piece.count)
    if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { return .end }
    bytes += piece.prefix(max(0, count))
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
      return bytes.count > Self.bytesAtMost ? .end : .nothing
    }
    let last = bytes[..<end].split(separator: UInt8(ascii: "\n")).last
    bytes.removeFirst(end + 1)
    guard let last, let page = try? JSONDecoder().decode(NotesPage.self, from: Data(last)) else {
      return .nothing
    }
    return .page(page)
  }
}
