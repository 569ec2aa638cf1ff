import Glibc
import Pseudoterminal
import Testing

/// The program on a terminal: from its start to its end, when all goes well.
@Suite struct ScreenTests {
  @Test(arguments: Job.types)
  func `keys move through the history, and q gives the terminal back`(type: String) throws {
    let job = try Program.start(type: type)
    try job.output(containing: "0/21")
    #expect(!job.modesAreRestored)
    try job.press(".", expecting: "1/21")
    try job.press("..", expecting: "3/21")
    try job.press(",", expecting: "2/21")
    try job.press("$", expecting: "21/21")
    try job.press(":goto 5\r", expecting: "5/21")
    try job.press("?", expecting: "one event forward")
    try job.press("q", expecting: "5/21")
    job.send("q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers() == [])
  }

  @Test func `arrows, escape and control keys arrive`() throws {
    let job = try Program.start()
    try job.output(containing: "0/21")
    try job.press("\u{1B}[1;2C", expecting: "1/21")
    try job.press("\u{1B}[1;2D", expecting: "0/21")
    try job.press("}\u{1B}OB\u{1B}[B\u{4}", expecting: "Canonical")
    // Escape is a key once nothing has followed it for a while.
    try job.press(":goto 7", expecting: "goto 7")
    let mark = job.output.count
    job.send("\u{1B}")
    try job.output(containing: "next", after: mark)
    try job.press(".", expecting: "3/21")
  }

  @Test func `the screen has the size of the terminal`() throws {
    let job = try Program.start(width: 100, height: 30)
    try job.output(containing: "0/21")
    let mark = job.output.count
    job.resize(width: 20, height: 3)
    try job.output(containing: "needed", after: mark)
    let small = job.output.count
    job.resize(width: 80, height: 24)
    try job.output(containing: "0/21", after: small)
    try job.press(".", expecting: "1/21")
    job.send("Q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers() == [])
  }

  @Test func `three hundred resizes do no harm`() throws {
    let job = try Program.start()
    try job.output(containing: "0/21")
    for step in 0..<300 {
      job.resize(width: 1 + step * 37 % 200, height: 1 + step * 17 % 60)
      if step % 10 == 0 { job.send([".", ",", "Z", "z", "\t", "?", "?"][step / 10 % 7]) }
    }
    job.resize(width: 90, height: 28)
    try job.press("\u{1B}", expecting: "/21")
    job.send("Q")
    #expect(try job.status() == .exited(0))
    #expect(job.leftovers() == [])
  }

  @Test(arguments: [(1, 1), (1, 50), (300, 1), (40, 12), (500, 200)])
  func `any size is survived`(width: Int, height: Int) throws {
    let job = try Program.start(width: width, height: height)
    // The terminal is in its modes once the cursor is hidden.
    try job.output(containing: "\u{1B}[?25l")
    job.send("..s?/a\r\u{4}q:goto 3\rzZ")
    let mark = job.output.count
    job.resize(width: 120, height: 40)
    try job.press("", expecting: "3/21")
    try job.output(containing: "3/21", after: mark)
    job.send("Q")
    #expect(try job.status() == .exited(0))
  }

  @Test func `playing goes on alone, and stops where a chapter ends`() throws {
    let job = try Program.start(["--at", "start"])
    try job.output(containing: "0/21")
    job.send("+++++ ")
    try job.output(containing: "end of chapter world")
    job.send(":goto 20\r ")
    try job.press("", expecting: "end of chapter end")
  }

  @Test(arguments: [
    ("", "1/21"), ("?", "one event forward"), (":goto 1", "goto 1"), ("M", "1/21"), ("  ", "1/21"),
  ])
  func `waiting costs no time and no bytes`(keys: String, text: String) throws {
    let job = try Program.start()
    try job.press(".", expecting: "1/21")
    try job.press(keys, expecting: text)
    try job.settle()
    let (bytes, time) = (job.output.count, job.processorTime)
    #expect(time > 0)
    // Nothing can be waited for here: the test is that nothing happens.
    usleep(300_000)
    try job.settle()
    #expect(job.output.count == bytes)
    #expect(job.processorTime == time)
  }

  @Test func `a terminal that claims any size is given a screen`() throws {
    for (width, height) in [(32_768, 24), (80, 32_768), (65_535, 20)] {
      let job = try Program.start(width: width, height: height)
      try job.output(containing: "0/21")
      let mark = job.output.count
      job.resize(width: 80, height: 24)
      try job.output(containing: "0/21", after: mark)
      job.resize(width: width, height: height)
      try job.press(".", expecting: "1/21")
      job.send("q")
      #expect(try job.status() == .exited(0))
    }
    let job = try Program.start(environment: ["COLUMNS": "99999", "LINES": "99999"])
    try job.output(containing: "0/21")
  }

  @Test func `a long text that is pasted at the prompt is cut, and soon there`() throws {
    let job = try Program.start()
    try job.output(containing: "0/21")
    let start = ContinuousClock.now
    job.send(":" + String(repeating: "x", count: 40_000))
    try job.output(containing: "4096 characters at most")
    try job.press("\u{15}goto 3\r", expecting: "3/21")
    #expect(ContinuousClock.now - start < .seconds(30))
  }
}
