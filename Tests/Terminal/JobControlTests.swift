import Glibc
import Pseudoterminal
import Testing

/// The program stops and continues as any other job of a shell.
@Suite struct JobControlTests {
  @Test(arguments: Job.types)
  func `stops and takes the screen again`(type: String) throws {
    let job = try Job(type: type)
    _ = try job.report()
    job.send("\u{1A}")
    #expect(try job.status() == .stopped(SIGTSTP))
    #expect(job.leftovers() == [], "stopped")
    job.resize(width: 100, height: 30)
    job.signal(SIGCONT)
    #expect(try job.report() == "resize 100x30")
    #expect(!job.modesAreRestored)
    job.send("j")
    #expect(try job.report() == "key j")
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers(entered: 2) == [], "\(type)")
  }

  @Test func `suspends itself when asked`() throws {
    let job = try Job()
    _ = try job.report()
    job.send("Z")
    #expect(try job.report() == "key Z")
    #expect(try job.status() == .stopped(SIGTSTP))
    #expect(job.leftovers() == [], "suspended")
  }

  @Test func `stops once at each request`() throws {
    let job = try Job()
    _ = try job.report()
    for _ in 0..<5 {
      job.send("\u{1A}")
      #expect(try job.status() == .stopped(SIGTSTP))
      job.signal(SIGCONT)
      #expect(try job.report() == "resize 80x24")
    }
    job.send("j")
    #expect(try job.report() == "key j")
  }

  @Test func `reports the mouse again`() throws {
    let job = try Job(["--mouse"])
    _ = try job.report()
    job.send("\u{1A}")
    #expect(try job.status() == .stopped(SIGTSTP))
    #expect(job.leftovers() == [], "stopped")
    job.signal(SIGCONT)
    _ = try job.report()
    job.send("\u{1B}[<0;5;3M")
    #expect(try job.report() == "mouse click 4,2")
    #expect(job.text.ranges(of: "\u{1B}[?1000;1006h").count == 2)
  }

  @Test func `draws anew after a stop that cannot be caught`() throws {
    let job = try Job()
    _ = try job.report()
    job.signal(SIGSTOP)
    #expect(try job.status() == .stopped(SIGSTOP))
    job.signal(SIGCONT)
    // In the background, where it waits to be brought to the foreground.
    #expect(try job.status() == .stopped(SIGTTOU))
    #expect(try job.report() == "resize 80x24")
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers(entered: 2) == [], "after SIGSTOP")
  }

  @Test(arguments: ["xterm-256color", "vt100"])
  func `waits in the background for the terminal`(type: String) throws {
    let job = try Job(type: type, foreground: false)
    #expect(try job.status() == .stopped(SIGTTOU))
    #expect(try job.report().hasPrefix("open"))
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers() == [], "\(type)")
  }
}
