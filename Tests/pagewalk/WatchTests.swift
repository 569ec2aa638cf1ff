import Foundation
import Pseudoterminal
import Testing

/// `view --watch` reads a file again when somebody writes it.
@Suite struct WatchTests {
  private static let text = """
    pagewalk 1
    vm ipa=40 vcpus=1 nested=off
    memslot 0 0x80000000 4M backing=4K
    l1 write 0x80000000

    """

  @Test func `what changes in the file is shown, and its mistakes until they are mended`() throws {
    try Program.withFolder { folder in
      let file = folder.appending(path: "mine.pw")
      func write(_ more: String, atomically: Bool = false) throws {
        try Data((Self.text + more).utf8).write(to: file, options: atomically ? .atomic : [])
      }
      try write("")
      let job = try Program.start(["--watch"], file: file.path)
      try job.press("..", expecting: "event 2/2")
      var mark = job.output.count
      try write("l1 write 0x80001000\n")
      try job.output(containing: "read again", after: mark)
      try job.press("", expecting: "event 2/3")
      mark = job.output.count
      try write("l1 wrote 0x80001000\nl1 write zero\n", atomically: true)
      try job.output(containing: "Mistakes in the file", after: mark)
      try job.press("", expecting: "6:10")
      mark = job.output.count
      try write("l1 write 0x80001000\nl1 write 0x80002000\n", atomically: true)
      try job.output(containing: "read again", after: mark)
      try job.press("", expecting: "event 2/4")
      mark = job.output.count
      let away = folder.appending(path: "away.pw")
      try FileManager.default.moveItem(at: file, to: away)
      try job.output(containing: "the file is missing", after: mark)
      mark = job.output.count
      try FileManager.default.moveItem(at: away, to: file)
      try job.output(containing: "there again", after: mark)
      job.send("Q")
      #expect(try job.status() == .exited(0))
    }
  }

  @Test(arguments: [["-"], ["rmp/iommu-first"], []])
  func `only a file can be watched`(arguments: [String]) throws {
    let result = try Program.run(["view", "--watch"] + arguments)
    #expect(result.code == 2 && result.errors.contains("--watch"))
  }
}
