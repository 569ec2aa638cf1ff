import Foundation
import Glibc
import Pseudoterminal
import Testing

@testable import pagewalk

/// The terminal is given back whatever ends the program, and the shell learns what it was.
@Suite struct SignalTests {
  /// What the program is doing when a signal comes.
  enum Moment: CaseIterable {
    case beforeTheScreen, waiting, playing, inHelp, typing, narrow, suspended, continued, blocked

    /// Starts the program and brings it there.
    func start(type: String) throws -> Job {
      if self == .beforeTheScreen {
        // It reads a scenario from the keyboard.
        let job = try Program.start(file: "-", type: type)
        try job.sleep()
        return job
      }
      let job = try Program.start(type: type)
      try job.output(containing: "0/21")
      switch self {
      case .beforeTheScreen: break
      case .waiting: try job.sleep()
      case .playing:
        job.send(" ")
        try job.output(containing: "1/21")
      case .inHelp: try job.press("?", expecting: "one event forward")
      case .typing: try job.press(":goto 1", expecting: "goto 1")
      case .narrow:
        let mark = job.output.count
        job.resize(width: 9, height: 2)
        try job.output(containing: "20x4", after: mark)
      case .suspended, .continued:
        job.send("\u{1A}")
        guard try job.status() == .stopped(SIGTSTP) else { throw NotStopped() }
        if self == .suspended { break }
        let mark = job.output.count
        job.signal(SIGCONT)
        try job.output(containing: "0/21", after: mark)
      case .blocked:
        // More frames than the terminal takes without being read.
        job.send(String(repeating: "\u{C}", count: 200))
        try job.sleep()
      }
      return job
    }

    var timesEntered: Int {
      self == .continued ? 2 : 1
    }
  }

  struct NotStopped: Error {}

  private func expectEnd(by signal: Int32, at moment: Moment, type: String) throws {
    let job = try moment.start(type: type)
    job.signal(signal)
    if moment == .suspended { job.signal(SIGCONT) }
    #expect(try job.status() == .killed(signal), "\(type), \(moment), signal \(signal)")
    #expect(
      job.leftovers(entered: moment.timesEntered) == [], "\(type), \(moment), signal \(signal)")
  }

  @Test(arguments: Job.types, Moment.allCases)
  func `a signal that ends the program leaves the terminal as it was`(
    type: String, moment: Moment
  ) throws {
    // Each type sees every signal, and every moment; one of them all pairs.
    let odd = (Moment.allCases.firstIndex(of: moment) ?? 0) % 2 == 1
    let signals =
      type == "xterm-256color"
      ? [SIGINT, SIGTERM, SIGHUP, SIGQUIT] : odd ? [SIGINT, SIGHUP] : [SIGTERM, SIGQUIT]
    for signal in signals {
      try expectEnd(by: signal, at: moment, type: type)
    }
  }

  @Test(arguments: Job.types)
  func `a fault leaves the terminal as it was, and is seen by the parent`(type: String) throws {
    for signal in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE] {
      try expectEnd(by: signal, at: signal == SIGSEGV ? .playing : .waiting, type: type)
    }
  }

  @Test func `a fault leaves a note of what whoever repairs it has to know`() throws {
    try Program.withFolder { folder in
      let scenario = folder.appending(path: "a\u{1B}[2Jb.pw")
      try Data(try Program.contents("assets/scenarios/nested/three-tables.pw").utf8).write(
        to: scenario)
      let homes = [
        (["HOME": folder.path], ".local/state/pagewalk/fault"),
        (["XDG_STATE_HOME": folder.path + "/state"], "state/pagewalk/fault"),
      ]
      for (environment, file) in homes {
        let job = try Program.start(file: scenario.path, environment: environment)
        try job.output(containing: "0/21")
        job.send("..s:goto 1\u{7F}")
        try job.settle()
        job.signal(SIGSEGV)
        #expect(try job.status() == .killed(SIGSEGV))
        let left = try #require(job.text.ranges(of: "\u{1B}[?1049l").last)
        let note = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
        for words in [
          "pagewalk \(Versions().program): ", "moment: 2.1 of 21, before the last key\n",
          "terminal: xterm-256color 120x40\n",
          "keys: . . s : g o t o space 1 backspace\n", "/a\\x1b[2Jb.pw\n", "signal: SEGV\n",
        ] { #expect(note.contains(words), "\(words)") }
        // The person is shown one line: where that is, and what prints it.
        let shown = job.text[left.upperBound...].split(separator: "\r\n")
          .filter { $0.contains("fault") }
        #expect(shown.count == 1 && shown.allSatisfy { $0.contains("`pagewalk report`") })
        #expect(shown.first?.hasSuffix(folder.appending(path: file).path) ?? false)
      }
    }
  }

  @Test func `where no file can be written the person is shown the note`() throws {
    let job = try Program.start(environment: ["HOME": "/proc/no-such-folder"])
    try job.output(containing: "0/21")
    job.signal(SIGSEGV)
    #expect(try job.status() == .killed(SIGSEGV))
    #expect(job.text.contains("moment: 0.0 of 21") && job.text.contains("signal: SEGV"))
  }

  @Test func `a backtrace comes before the last line, and nobody is asked or waited for`() throws {
    try Program.withFolder { folder in
      let job = try Program.start(environment: ["HOME": folder.path, "SWIFT_BACKTRACE": ""])
      try job.output(containing: "0/21")
      job.signal(SIGSEGV)
      let start = ContinuousClock.now
      #expect(try job.status() == .killed(SIGSEGV))
      #expect(ContinuousClock.now - start < .seconds(10))
      let left = try #require(job.text.ranges(of: "\u{1B}[?1049l").last)
      let lines = job.text[left.upperBound...].split(separator: "\r\n")
      // The runtime has a backtracer where it was installed with its compiler.
      if lines.contains(where: { $0.contains("crashed") }) {
        #expect(lines.contains { $0.contains("Backtrace took") })
      }
      #expect(lines.last?.hasSuffix(folder.path + "/.local/state/pagewalk/fault") ?? false)
    }
  }

  @Test func `who ends the program by a signal is told nothing about faults`() throws {
    let job = try Moment.waiting.start(type: "xterm-256color")
    job.signal(SIGTERM)
    #expect(try job.status() == .killed(SIGTERM))
    #expect(!job.text.contains("fault"))
  }

  @Test(arguments: [("\u{3}", SIGINT), ("\u{1C}", SIGQUIT)])
  func `keys that end any program end this one`(key: String, signal: Int32) throws {
    for moment in [Moment.waiting, .playing, .inHelp, .typing, .continued] {
      // There Ctrl-C leaves the line.
      if moment == .typing, signal == SIGINT { continue }
      let job = try moment.start(type: "xterm-256color")
      job.send(key)
      #expect(try job.status() == .killed(signal))
      #expect(job.leftovers(entered: moment.timesEntered) == [])
    }
  }

  @Test func `Ctrl-C at the prompt leaves the prompt, and after it ends the program`() throws {
    let job = try Moment.typing.start(type: "xterm-256color")
    // Also after the terminal was given back meanwhile.
    job.send("\u{1A}")
    #expect(try job.status() == .stopped(SIGTSTP))
    let mark = job.output.count
    job.signal(SIGCONT)
    try job.output(containing: "goto 1", after: mark)
    try job.press("\u{3}.", expecting: "1/21")
    job.send("\u{3}")
    #expect(try job.status() == .killed(SIGINT))
    #expect(job.leftovers(entered: 2) == [])
  }

  @Test(arguments: [Moment.waiting, .playing, .inHelp, .typing])
  func `without its terminal the program ends`(moment: Moment) throws {
    let job = try moment.start(type: "xterm-256color")
    job.hangUp()
    let start = ContinuousClock.now
    // The kernel tells the shell; what the program sees is the end of input.
    #expect(try job.status() == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test(arguments: Job.types)
  func `Ctrl-Z gives the terminal back, and fg takes it again`(type: String) throws {
    let job = try Program.start(type: type)
    try job.output(containing: "0/21")
    for (count, (width, height)) in [(100, 30), (60, 20), (120, 40)].enumerated() {
      job.send("\u{1A}")
      #expect(try job.status() == .stopped(SIGTSTP))
      #expect(job.leftovers(entered: count + 1) == [])
      job.resize(width: width, height: height)
      let mark = job.output.count
      job.signal(SIGCONT)
      try job.output(containing: "0/21", after: mark)
    }
    try job.press(".", expecting: "1/21")
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers(entered: 4) == [])
  }

  @Test func `the action suspends like the key`() throws {
    let job = try Program.start()
    try job.output(containing: "0/21")
    job.send(":suspend\r")
    #expect(try job.status() == .stopped(SIGTSTP))
    #expect(job.leftovers() == [])
  }

  @Test func `a program that must outlive its terminal's line is not ended by it`() throws {
    let job = try Job(
      program: "/bin/sh",
      ["-c", "trap '' HUP; exec \(Job.product("pagewalk")) \(Program.threeTables)"],
      environment: Program.environment)
    try job.output(containing: "0/21")
    job.signal(SIGHUP)
    try job.press(".", expecting: "1/21")
  }
}
