import Glibc
import Pseudoterminal
import Testing

/// The terminal is given back, however the program ends.
@Suite struct LifeCycleTests {
  @Test(arguments: Job.types)
  func `on return`(type: String) throws {
    let job = try Job(type: type)
    #expect(try job.report().hasPrefix("open 80x24"))
    #expect(!job.modesAreRestored)
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers() == [], "\(type)")
  }

  @Test func `on an error that is thrown`() throws {
    let job = try Job()
    _ = try job.report()
    job.send("e")
    #expect(try job.status() == .exited(1))
    #expect(job.leftovers() == [], "error")
    let left = try #require(job.text.ranges(of: "\u{1B}[?1049l").last)
    #expect(job.text[left.upperBound...].contains("probe: Failure()"))
  }

  @Test(arguments: [("x", [SIGILL, SIGTRAP]), ("a", [SIGABRT]), ("o", [SIGSEGV])])
  func `on a trap`(key: String, signals: [Int32]) throws {
    let job = try Job()
    _ = try job.report()
    job.send(key)
    let status = try job.status()
    #expect(signals.map { .killed($0) }.contains(status))
    #expect(job.leftovers() == [], "\(key)")
  }

  @Test(arguments: [("\u{3}", SIGINT), ("\u{1C}", SIGQUIT)])
  func `on keys that end a program`(key: String, signal: Int32) throws {
    for computing in [false, true] {
      let job = try Job()
      _ = try job.report()
      if computing {
        job.send("c")
        #expect(try job.report() == "computes")
      }
      job.send(key)
      #expect(try job.status() == .killed(signal))
      #expect(job.leftovers() == [], "\(signal)")
    }
  }

  @Test func `with the mouse reported`() throws {
    for key in ["q", "x"] {
      let job = try Job(["--mouse"])
      _ = try job.report()
      #expect(job.text.contains("\u{1B}[?1000;1006h"))
      job.send(key)
      _ = try job.status()
      #expect(job.leftovers() == [], "mouse, \(key)")
    }
  }

  /// What a program can be doing when a signal comes.
  enum Moment: CaseIterable {
    case waiting, computing, drawing, blockedByTheTerminal, resized, continued

    func await(in job: Job) throws {
      _ = try job.report()
      switch self {
      case .waiting: try job.sleep()
      case .computing:
        job.send("c")
        _ = try job.report()
      case .drawing:
        job.send("d")
        _ = try job.report()
        try job.output(ofAtLeast: 50_000)
      case .blockedByTheTerminal:
        job.send("d")
        _ = try job.report(reading: false)
        try job.sleep()
      case .resized:
        job.resize(width: 33, height: 7)
        _ = try job.report()
      case .continued:
        job.signal(SIGTSTP)
        _ = try job.status()
        job.signal(SIGCONT)
        _ = try job.report()
      }
    }
  }

  static let signals = [
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE,
  ]

  @Test(arguments: Job.types, Moment.allCases)
  func `on a signal`(type: String, moment: Moment) throws {
    for signal in Self.signals {
      let job = try Job(type: type)
      try moment.await(in: job)
      job.signal(signal)
      #expect(try job.status() == .killed(signal))
      #expect(
        job.leftovers(entered: moment == .continued ? 2 : 1) == [],
        "\(type), \(moment), signal \(signal)")
    }
  }

  @Test func `on a signal that was ignored nothing happens`() throws {
    let job = try Job(["--nohup"])
    _ = try job.report()
    job.signal(SIGHUP)
    job.send("j")
    #expect(try job.report() == "key j")
  }

  /// The shell passes SIGHUP on, or not: nothing but the end of input is sure to come.
  @Test func `a program whose terminal is gone is told`() throws {
    let job = try Job()
    _ = try job.report()
    job.hangUp()
    #expect(try job.report(reading: false) == "end")
    #expect(try job.status() == .exited(0))
  }
}
