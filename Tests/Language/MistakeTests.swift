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

  @Test(
    arguments: [
      ("pagewalk 2\nvm ipa=40\nmemslot 0 0 4M backing=4K\n", [1]),
      ("Pagewalk 1\nvm ipa=40\nl1 read 0x0\n", [1]),
      ("\u{FEFF}pagewalk 1\nvm ipa=40\nmemslot 0 0 4M backing=4K\n", [1]),
      ("vm ipa=40\nmemslot 0 0 4M backing=4K\n", [1]),
      ("pagewalk 1\nvm ipa=99\nmemslot 0 0 4M backing=4K\nl1 read 0x0\n", [2]),
      ("pagewalk 1\nvn ipa=40\nmemslot 0 0 4M backing=4K\n", [2]),
      ("pagewalk 1\npolicy revmap=v9\nvm ipa=40\nmemslot 0 0 4M backing=4K\n", [2]),
      ("pagewalk 1\nmemslot 0 0 4M backing=4K\nvm ipa=40\n", [2]),
      // Two mistakes are two.
      ("pagewalk 2\nvm ipa=40\nl1 reed 0x0\n", [1, 3]),
      ("pagewalk 1\nvm ipa=40\nvm ipa=40\n", [3]),
    ])
  func `a mistake at the beginning provokes no others`(text: String, lines: [Int]) {
    #expect(mistakes(text).map(\.line) == lines)
  }

  @Test(
    arguments: [
      // Without its slot no address is in one.
      ("memslot 0 0x800 4M backing=4K\nl1 read 0x0\nhost read 0x0 4K\nhost fork\n", [3]),
      (
        "memslot 0 0x0 4M backing=4K\nhost delete-memslot 0x900000\nmemslot 0 0x0 4M backing=4K\n",
        [4]
      ),
      ("memslot 0 0x0 4M backing=4K\nl1@9 run\nl1 wait\n", [4]),
      // What would be refused in any case is told.
      ("memslot 0 0x800 4M backing=4K\nhost read 0x0 4K\nl1@7 read 0x0\n", [3, 5]),
    ])
  func `an event that is refused for want of a refused one is no mistake`(
    text: String, lines: [Int]
  ) {
    #expect(mistakes("pagewalk 1\nvm ipa=40\n" + text).map(\.line) == lines)
  }

  private static func farther(_ bits: Int) -> String {
    "the table translates \(bits) bits, and the address has more"
  }
  private static let noMap = "there is no reverse map under policy revmap=none"

  @Test(
    arguments: [
      ("expect value 0x0", "nothing was read yet"),
      ("expect dirty slot=7 word0=0x0", "there is no slot 7"),
      ("expect dirty slot=0 word0=0x0", "the dirty log of slot 0 was not fetched yet"),
      ("expect idle 0x1000 0", "there is no page at canonical 0x1000"),
      ("expect leaf iommu 0x0 none", "there is no iommu: the device has no domain"),
      ("expect leaf guest7 0x0 none", "there is no guest7: no context with this VMID is in use"),
      ("expect leaf shadow9 0x0 none", "there is no shadow9: there are 2"),
      ("expect leaf pkvm-host 0x0 none", "there is no pkvm-host: there is no policy pkvm="),
      ("expect leaf canonical 0x10000000000 none", Self.farther(40)),
      ("expect leaf shadow0 0x1000000000000 none", Self.farther(48)),
      ("expect revmap shadow=9 whole", "there is no shadow9: there are 2"),
      ("expect revmap shadow=0 whole", Self.noMap),
      ("expect revmap shadow=0 stale=0", Self.noMap),
      ("expect revmap shadow=0 0x1000 none", Self.noMap),
      (
        "expect pkvm host 0x0 nopage",
        "there is no hypervisor with page states: there is no policy pkvm="
      ),
      (
        "expect pkvm shares 0x0 0",
        "there is no hypervisor with page states: there is no policy pkvm="
      ),
      ("expect dma aborted", "there was no DMA"),
      ("expect error external", "there was no access"),
      ("expect error enoent", "it did not fail"),
    ])
  func `what is expected of something that is not there fails, and says so`(
    line: String, why: String
  ) throws {
    var session = Session(try Scenario(parsing: [UInt8]((Self.world + line).utf8), file: "a.pw"))
    try session.finish()
    #expect(session.failures.map(\.message) == [why])
  }

  @Test func `a table of L1's is asked about like any other`() throws {
    let lines = """
      l1 store 0x100000 0x101003
      l1 store 0x101000 0x2007fd
      l1 context vttbr=0x0001000000100000 vtcr=0x80023559 hcr=1
      expect leaf guest1 0x0 2M
      expect leaf guest1 0x200000 none
      """
    var session = Session(try Scenario(parsing: [UInt8]((Self.world + lines).utf8), file: "a.pw"))
    try session.finish()
    #expect(session.failures.isEmpty, "\(session.failures)")
  }
}
