import Engine
import Testing

@testable import Language

/// All that is wrong with a file, told together.
@Suite struct MistakeTests {
  private func mistakes(_ text: String, atMost limit: Int = 20) -> [ScenarioError] {
    Scenario.mistakes(in: [UInt8](text.utf8), file: "a.pw", atMost: limit)
  }

  private static let world = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 0 4M backing=4K\n"

  @Test func `each mistake is told at its place, and the first is what parsing throws`() throws {
    let text =
      Self.world + "l1 reed 0x0\nl1 read 0x0\nl1 read zero\nchapter \"unended\nl1 write 0x0 \u{1}\n"
    let found = mistakes(text)
    #expect(found.map(\.line) == [4, 6, 7, 8])
    let first = #expect(throws: ScenarioError.self) {
      _ = try Scenario(parsing: [UInt8](text.utf8), file: "a.pw")
    }
    #expect(first == found.first)
  }

  @Test func `without a mistake in its text, what the engine refuses is told`() {
    // A refused event is as if it were not there: the third statement is refused, the last one is not.
    let text = Self.world + "resume\nl1 read 0x0\nhost discard 0x90000000 4K\nl1 write 0x1000\n"
    #expect(mistakes(text).map(\.line) == [4, 6])
    #expect(mistakes(Self.world + "l1 read 0x0\n").isEmpty)
  }

  @Test func `no more than asked for, and the last line needs no end`() {
    #expect(mistakes(Self.world + String(repeating: "wrong\n", count: 50)).count == 20)
    #expect(mistakes(Self.world + String(repeating: "resume\n", count: 50), atMost: 7).count == 7)
    #expect(mistakes(Self.world + "wrong").map(\.line) == [4])
  }

  @Test(arguments: ["", "l1 read 0x0\nl1 read 0x0\n", "pagewalk 1\nl1 read 0x0\nl1 read 0x0\n"])
  func `what is missing at the beginning is told once`(text: String) {
    #expect(
      mistakes(text).count { $0.message.contains("first statement") }
        == (text.hasPrefix("p") ? 0 : 1))
    #expect(mistakes(text).count { $0.message.contains("before anything") } <= 1)
    #expect(!mistakes(text).isEmpty)
  }
}
