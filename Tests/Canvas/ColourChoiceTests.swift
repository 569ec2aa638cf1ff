import Testing

@testable import Canvas

@Suite struct ColourChoiceTests {
  static func depth(
    _ choice: ColourChoice, _ environment: [String: String], isTerminal: Bool = true,
    capability: ColourDepth = .full
  ) -> ColourDepth {
    choice.depth(
      environment: { environment[$0] }, isTerminal: isTerminal, capability: capability)
  }

  static let everything = ["TERM": "xterm", "NO_COLOR": "1", "CLICOLOR_FORCE": "1"]

  @Test func `the choice comes first`() {
    #expect(Self.depth(.always, Self.everything, isTerminal: false) == .full)
    #expect(Self.depth(.always, ["TERM": "dumb"], capability: .mono) == .eight)
    #expect(Self.depth(.never, ["TERM": "xterm", "CLICOLOR_FORCE": "1"]) == .mono)
  }

  @Test func `no colour comes second`() {
    #expect(Self.depth(.auto, Self.everything) == .mono)
    #expect(Self.depth(.auto, ["TERM": "xterm", "NO_COLOR": ""]) == .full)
  }

  @Test(arguments: ["dumb", "", nil])
  func `a dumb terminal comes third`(term: String?) {
    var environment = ["CLICOLOR_FORCE": "1"]
    environment["TERM"] = term
    #expect(Self.depth(.auto, environment) == .mono)
    #expect(ColourChoice.isDumb(term))
  }

  @Test func `force comes fourth`() {
    let forced = ["TERM": "xterm", "CLICOLOR_FORCE": "1"]
    #expect(Self.depth(.auto, forced, isTerminal: false) == .full)
    #expect(Self.depth(.auto, forced, isTerminal: false, capability: .mono) == .eight)
    for off in ["", "0"] {
      #expect(
        Self.depth(.auto, ["TERM": "xterm", "CLICOLOR_FORCE": off], isTerminal: false) == .mono)
    }
  }

  @Test func `what the terminal can comes last`() {
    for capability in [ColourDepth.mono, .eight, .sixteen, .full] {
      #expect(Self.depth(.auto, ["TERM": "xterm"], capability: capability) == capability)
    }
    #expect(Self.depth(.auto, ["TERM": "xterm"], isTerminal: false) == .mono)
  }

  @Test(arguments: [
    (-1, ColourDepth.mono), (0, .mono), (2, .mono), (8, .eight), (15, .eight), (16, .sixteen),
    (88, .sixteen), (256, .full), (16_777_216, .full),
  ])
  func `depth is counted as terminfo counts`(colours: Int, depth: ColourDepth) {
    #expect(ColourDepth(colours: colours) == depth)
  }
}
