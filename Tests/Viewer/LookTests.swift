import Canvas
import TestSupport
import Testing

@testable import Viewer

/// What a terminal is told to do for frames, with colours and without, is what it was when a person last
/// looked at it.
///
/// `FrameTests` keeps all frames with the roles of their cells, and the tests of the inks how roles look. These
/// are some with all that can be on the screen, as their cells come out of both.
@Suite struct LookTests {
  /// A screen, the theme that it is shown in, and as many colours as there are.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let keys: String
    var file = "scenarios/nested/three-tables.pw"
    let theme: Theme
    let depth: ColourDepth

    var testDescription: String { fileName }
    var fileName: String { "\(name)-\(theme.rawValue)-\(depth).txt" }
  }

  private static let screens: [(name: String, keys: String, file: String)] = [
    ("tables", "} } } } } } m a } } 3", "scenarios/nested/three-tables.pw"),
    ("mapped", FrameTests.repaired + "} } } } }", FrameTests.alias),
    ("entry", "} } } } 3 t", "scenarios/nested/three-tables.pw"),
    ("broken", "$ !", "scenarios/bugs/relax.pw"),
    ("forecast", "} } } } } v", "scenarios/nested/three-tables.pw"),
    ("help", "? / ‹mark›", "scenarios/nested/three-tables.pw"),
    ("glossary", "} } } } . K", "scenarios/nested/three-tables.pw"),
    ("prompt", "} } : ‹l2 › tab", "scenarios/nested/three-tables.pw"),
    ("refusal", ",", "scenarios/nested/three-tables.pw"),
  ]

  static let cases: [Case] = screens.flatMap { screen in
    [ColourDepth.mono, .eight, .sixteen, .full].map {
      Case(name: screen.name, keys: screen.keys, file: screen.file, theme: .dark, depth: $0)
    }
      + Theme.allCases.dropFirst().map {
        Case(name: screen.name, keys: screen.keys, file: screen.file, theme: $0, depth: .full)
      }
  }

  private static let files = GoldenFiles("Looks")

  @Test(arguments: cases)
  func `the looks of a frame are as they were`(_ example: Case) throws {
    var screen = try Screen(example.file, 80, 24)
    screen.press(example.keys)
    let frame = screen.frame
    let text = frame.text + "looks\n" + frame.lookText(example.theme, example.depth)
    let difference = try Self.files.difference(example.fileName, text)
    #expect(difference == nil)
  }

  @Test func `every file of looks belongs to a frame`() throws {
    #expect(try Self.files.strangers(beside: Self.cases.map(\.fileName)).isEmpty)
  }
}

extension Surface {
  /// A line for each row that names its columns, from 0, with what the terminal is told to do for them. Those
  /// that look plain are left out.
  fileprivate func lookText(_ theme: Theme, _ depth: ColourDepth) -> String {
    (0..<height).map { y in
      let looks = row(y).map { theme.look(of: $0.style, at: depth) }
      var runs: [String] = []
      var start = 0
      for x in 1...max(1, looks.count) where x == looks.count || looks[x] != looks[start] {
        if looks[start] != .plain {
          runs.append("\(start)\(x - start > 1 ? "-\(x - 1)" : "") \(looks[start])")
        }
        start = x
      }
      return runs.joined(separator: "  ") + "\n"
    }.joined()
  }
}
