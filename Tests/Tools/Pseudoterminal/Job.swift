import CPseudoterminal
import Glibc

/// A program on a pseudoterminal, started as by a shell with job control.
package final class Job {
  /// What the shell is told about the program.
  package enum Status: Equatable {
    case exited(Int32)
    case killed(Int32)
    case stopped(Int32)

    init(_ status: Int32) {
      if status & 0xFF == 0x7F {
        self = .stopped(status >> 8 & 0xFF)
      } else if status & 0x7F != 0 {
        self = .killed(status & 0x7F)
      } else {
        self = .exited(status >> 8 & 0xFF)
      }
    }
  }

  /// The program did not do what was waited for.
  package struct Timeout: Error {
    let output: String
    let reports: String
  }

  /// The path of a program that is built with the running one.
  package static func product(_ name: String) -> String {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &path, path.count - 1)
    let bytes = path[..<max(length, 0)].map { UInt8(bitPattern: $0) }
    let folder = String(decoding: bytes, as: UTF8.self).split(separator: "/").dropLast()
    return "/" + (folder + [name[...]]).joined(separator: "/")
  }

  /// The terminal types that the tests cover.
  package static let types = [
    "xterm-256color", "screen-256color", "tmux-256color", "linux", "vt100",
  ]

  private var job = cpty_job()
  private var reports: [UInt8] = []
  private var statuses: [UInt8] = []

  /// All bytes that the terminal has received.
  package private(set) var output: [UInt8] = []

  /// Starts a program, given by its path, with some arguments. Of the environment it has what a screen
  /// needs, and what is given here; `unset` as a value takes a variable away.
  package init(
    program: String, _ arguments: [String] = [], type: String = "xterm-256color",
    environment: [String: String] = [:], width: Int = 80, height: Int = 24, foreground: Bool = true
  ) throws {
    var variables = [
      "TERM": type, "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no",
    ]
    variables.merge(environment) { $1 }
    var c_argv = ([program] + arguments).map { strdup($0) } + [nil]
    var c_environment = variables.filter { $1 != "unset" }.map { strdup("\($0)=\($1)") } + [nil]
    defer { (c_argv + c_environment).forEach { free($0) } }
    guard
      cpty_start(&job, &c_argv, &c_environment, Int32(width), Int32(height), foreground)
    else { throw Timeout(output: "no pseudoterminal", reports: "") }
  }

  deinit {
    cpty_finish(&job)
  }

  /// The bytes that the terminal has received, as text.
  package var text: String { String(decoding: output, as: UTF8.self) }

  /// Whether the modes of the terminal are, byte for byte, those that the program found.
  package var modesAreRestored: Bool {
    var now = termios()
    tcgetattr(job.terminal, &now)
    return withUnsafeBytes(of: now) { now in
      withUnsafeBytes(of: job.modes) { now.elementsEqual($0) }
    }
  }

  package func send(_ keys: String) {
    send([UInt8](keys.utf8))
  }

  package func send(_ bytes: [UInt8]) {
    _ = write(job.terminal, bytes, bytes.count)
  }

  /// The process of the program.
  package var process: pid_t { job.pid }

  package func signal(_ signal: Int32) {
    kill(job.pid, signal)
  }

  package func resize(width: Int, height: Int) {
    cpty_resize(&job, Int32(width), Int32(height))
  }

  package func hangUp() {
    cpty_hang_up(&job)
  }

  /// Waits for the next line that the probe reports. Until then, the terminal reads output, unless
  /// it is to block the program.
  package func report(reading: Bool = true) throws -> String {
    let report = try wait(reading: reading) { () -> String? in
      guard let end = self.reports.firstIndex(of: 0x0A) else { return nil }
      defer { self.reports.removeFirst(end + 1) }
      return String(decoding: self.reports[..<end], as: UTF8.self)
    }
    while reading && take(from: job.terminal, to: &output) {}
    return report
  }

  /// Waits until the program stops or ends, and reads all output up to then.
  package func status() throws -> Status {
    let status = try wait { () -> Status? in
      guard self.statuses.count >= 4 else { return nil }
      defer { self.statuses.removeFirst(4) }
      return Status(
        self.statuses.prefix(4).withUnsafeBytes { $0.loadUnaligned(as: Int32.self) })
    }
    while take(from: job.terminal, to: &output) {}
    return status
  }

  /// Waits until the terminal has received that many bytes.
  package func output(ofAtLeast count: Int) throws {
    try wait { self.output.count >= count ? () : nil }
  }

  /// Waits until the terminal has received a text, after what it had received before `mark`.
  package func output(containing text: String, after mark: Int = 0) throws {
    let text = [UInt8](text.utf8)
    try wait { self.output[mark...].firstRange(of: text).map { _ in } }
  }

  /// Waits until the program waits: for input, or for the terminal to take output.
  package func sleep() throws {
    for _ in 0..<10_000 {
      let state = contents(of: "stat").split(separator: ")").last
      if state?.hasPrefix(" S") ?? false { return }
      usleep(1_000)
    }
    throw timeout
  }

  /// Waits until the program waits for input, and reads all that it has sent until then.
  package func settle() throws {
    repeat {
      usleep(10_000)
      try sleep()
    } while take(from: job.terminal, to: &output)
  }

  /// Nanoseconds on a processor so far.
  package var processorTime: Int {
    contents(of: "schedstat").split(separator: " ").first.flatMap { Int($0) } ?? 0
  }

  /// The memory that is held, in pages.
  package var residentPages: Int {
    let fields = contents(of: "statm").split(separator: " ")
    return fields.count > 1 ? Int(fields[1]) ?? 0 : 0
  }

  /// What the kernel says about the program.
  private func contents(of name: String) -> String {
    let file = open("/proc/\(job.pid)/\(name)", O_RDONLY)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let length = read(file, &bytes, bytes.count)
    return String(decoding: bytes[..<max(length, 0)], as: UTF8.self)
  }

  private var timeout: Timeout {
    Timeout(output: text.debugDescription, reports: String(decoding: reports, as: UTF8.self))
  }

  /// Waits for something to be true. The limit is there for tests that fail.
  private func wait<Value>(reading: Bool = true, for value: () -> Value?) throws -> Value {
    let limit = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < limit {
      if let value = value() { return value }
      var files = [
        pollfd(fd: job.statuses, events: Int16(POLLIN), revents: 0),
        pollfd(fd: job.reports, events: Int16(POLLIN), revents: 0),
        pollfd(fd: reading ? job.terminal : -1, events: Int16(POLLIN), revents: 0),
      ]
      poll(&files, 3, 1_000)
      // What a program has said before something is there before it.
      if files[0].revents != 0 { take(from: job.statuses, to: &statuses) }
      if files[1].revents != 0 { take(from: job.reports, to: &reports) }
      if reading { take(from: job.terminal, to: &output) }
    }
    throw timeout
  }

  @discardableResult
  private func take(from file: Int32, to bytes: inout [UInt8]) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = read(file, &chunk, chunk.count)
    if count > 0 { bytes += chunk[..<count] }
    return count > 0
  }
}
