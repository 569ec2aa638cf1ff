import Canvas
import Engine
import Inquiry
import Testing

@testable import Viewer

/// Without colour and in ASCII a frame says the same: no state is told by colour alone.
@Suite struct StateMarkTests {
  /// What is written where a role says a state: its sign, or a word.
  private static let signs: [Role: [String]] = [
    .changed: ["*", "-", "+", "step", "mark", "recycled"],
    .stale: ["~", "stale"],
    .unknown: ["?", "unknown"],
    .mismatch: ["!"],
  ]

  /// Rows of a frame where a state is painted and, in ASCII, not written.
  static func unwrittenStates(in frame: Surface) -> [String] {
    let frame = frame.shown(in: .ascii)
    var rows: [String] = []
    for y in 0..<frame.height {
      var texts: [Role: String.UnicodeScalarView] = [:]
      for x in 0..<frame.width {
        let cell = frame[Point(x, y)]
        if signs[cell.style.role] != nil {
          texts[cell.style.role, default: String.UnicodeScalarView()].append(cell.scalar)
        }
      }
      for (role, scalars) in texts {
        let text = String(scalars)
        // A mark on the timeline is a letter of its own.
        if text.count == 1 || text.allSatisfy({ $0 == " " }) { continue }
        let isWritten = signs[role, default: []].contains { sign in
          text.contains(sign) || text.contains(sign.prefix(2) + "~")
        }
        if !isWritten { rows.append("row \(y): \(role) is \(text)") }
      }
    }
    return rows
  }

  /// Two screens that differ in one state only.
  private struct Pair: CustomTestStringConvertible, Sendable {
    let state: String
    let without: String
    let with: String
    let sign: String
    var testDescription: String { state }
  }

  private static let pairs = [
    Pair(state: "changed", without: "} } } } , . . 3", with: "} } } } 3", sign: "*    L3 00030000"),
    Pair(state: "removed", without: "} } } } } 3", with: "} } } } } } 3", sign: "-    L3 00030000"),
    Pair(state: "coming", without: "} } } . . . 3", with: "} } } . v 3", sign: "}    L3 00010000"),
    Pair(state: "stale", without: "} } } } } } } 3", with: "} } } } } } } } 3", sign: "4K ~"),
    Pair(
      state: "not mapped", without: "} } } } 1", with: "} } } } } } . 2 / ‹0x30000› enter 1",
      sign: "not mapped"),
    Pair(state: "closed", without: "} } } } 3 g", with: "} } } } 3 g h", sign: "+L0"),
    Pair(state: "a run", without: "} } 1", with: "$ 1", sign: "x3"),
    Pair(
      state: "unknown", without: "P ‹repaired› enter } } } }",
      with: "P ‹repaired› enter } } } } }", sign: "? unknown"),
  ]

  @Test(arguments: pairs)
  private func `a state is seen in plain ASCII`(_ pair: Pair) throws {
    var without = try Screen()
    without.press(pair.without)
    var with = try Screen()
    with.press(pair.with)
    #expect(!without.frame.shown(in: .ascii).text.contains(pair.sign), "\(without.text)")
    #expect(with.frame.shown(in: .ascii).text.contains(pair.sign), "\(with.text)")
  }

  @Test func `signs are different from each other in ASCII`() {
    let signs: [Glyph] = [
      .changed, .stale, .unknown, .mismatch, .paused, .coming, .foldClosed, .foldOpen, .right,
    ]
    #expect(Set(signs.map(\.ascii)).count == signs.count)
  }

  @Test func `kinds of event have letters of their own`() {
    #expect(Set(EventKind.allCases.map(\.letter)).count == EventKind.allCases.count)
    #expect(EventKind.allCases.allSatisfy { $0.letter.unicodeScalars.allSatisfy(\.isASCII) })
  }
}
