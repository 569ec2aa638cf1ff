import Pseudoterminal
import Testing

/// What is sent to the terminal, in bytes.
@Suite struct OutputTests {
  /// The bytes for each of some presses of a key.
  static func bytes(_ job: Job, pressing key: String, count: Int = 20) throws -> Int {
    let before = job.output.count
    for _ in 0..<count {
      job.send(key)
      _ = try job.report()
    }
    return (job.output.count - before) / count
  }

  @Test(arguments: Job.types, ["j", "k"])
  func `a scrolled line of a wide list costs little more than the line`(type: String, key: String)
    throws
  {
    let job = try Job(type: type, width: 200, height: 50)
    _ = try job.report()
    #expect(try Self.bytes(job, pressing: key) <= 320)
    #expect(job.text.contains("\u{1B}[3;48r"))
  }

  @Test func `a scrolled line of a pane costs what differs in it`() throws {
    let job = try Job(["--half"], width: 200, height: 50)
    _ = try job.report()
    #expect(try Self.bytes(job, pressing: "j") <= 700)
  }

  @Test func `a frame that is the same costs nothing`() throws {
    let job = try Job()
    _ = try job.report()
    job.send("t")
    _ = try job.report()
    _ = try job.report()
    let before = job.output.count
    for _ in 0..<20 { #expect(try job.report() == "tick") }
    #expect(job.output.count == before)
  }

  @Test func `redrawing sends the whole frame`() throws {
    let job = try Job()
    _ = try job.report()
    let before = job.output.count
    job.send("\u{C}")
    _ = try job.report()
    let after = String(decoding: job.output[before...], as: UTF8.self)
    #expect(after.contains("\u{1B}[2J") || after.contains("\u{1B}[J"))
    #expect(after.contains("1 Canonical") && after.contains("ctrl-l"))
  }

  @Test func `the cursor is shown where text is typed`() throws {
    let job = try Job()
    _ = try job.report()
    let before = job.output.count
    job.send("i")
    _ = try job.report()
    let shown = String(decoding: job.output[before...], as: UTF8.self)
    #expect(shown.contains("\u{1B}[1;31H") && shown.hasSuffix("\u{1B}[?25h"))
    job.send("i")
    _ = try job.report()
    #expect(job.text.hasSuffix("\u{1B}[?25l"))
  }
}
