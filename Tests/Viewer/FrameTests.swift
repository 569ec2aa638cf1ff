import Canvas
import Foundation
import Testing

@testable import Viewer

/// Frames are what they were when a person last looked at them.
///
/// Each is a file in `Frames`: what is on the screen, and below it the styles. With
/// `PAGEWALK_UPDATE_FRAMES=1` in the environment the files are written anew.
@Suite struct FrameTests {
  /// A frame: what is opened, the keys that lead to it, and the sizes of the screen.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let file: String
    let keys: String
    let sizes: [(Int, Int)]

    init(
      _ name: String, _ keys: String, file: String = "scenarios/built-in.pw",
      sizes: [(Int, Int)] = FrameTests.sizes
    ) {
      self.name = name
      self.file = file
      self.keys = keys
      self.sizes = sizes
    }

    var testDescription: String { name }

    func fileName(_ width: Int, _ height: Int) -> String { "\(name)-\(width)x\(height).txt" }
  }

  static let sizes = [(40, 12), (80, 24), (120, 40), (200, 60)]
  static let alias = "captures/nested/nested-alias/scenario.pw"

  static let cases = [
    Case("start", ""),
    Case("shadow-fault", "} } } } ."),
    Case("micro-step", "} } } } . . s s s s s s s s"),
    Case("notifier", "} } } } } }"),
    Case("stale", "} } } } } } } }"),
    Case("alias-notifier", "} } } } 3", file: alias),
    Case("alone", "} } } } 3 z", sizes: [(80, 24), (120, 40)]),
    Case("flat", "} } } } 1 r", sizes: [(80, 24), (120, 40)]),
    Case("reading", "} } } } Z Z", sizes: [(80, 24), (120, 40)]),
    Case("tables", "} } } } Z", sizes: [(80, 24), (120, 40)]),
    Case("steps", "} } } } } 5 k k k", sizes: sizes),
    Case("help", "?", sizes: sizes),
    Case("refusal", ",", sizes: [(40, 12), (80, 24)]),
    Case("tiny", "", sizes: [(1, 1), (20, 4), (30, 6)]),
  ]

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Frames")

  @Test(arguments: cases)
  func `a frame is as it was`(_ frameCase: Case) throws {
    for (width, height) in frameCase.sizes {
      var screen = try Screen(frameCase.file, width, height)
      screen.press(frameCase.keys)
      let frame = screen.frame
      let found = frame.text + "styles\n" + frame.styleText
      let file = Self.folder.appending(path: frameCase.fileName(width, height))
      if ProcessInfo.processInfo.environment["PAGEWALK_UPDATE_FRAMES"] != nil {
        try found.write(to: file, atomically: true, encoding: .utf8)
        continue
      }
      let expected = try? String(contentsOf: file, encoding: .utf8)
      #expect(
        found == expected, "\(file.lastPathComponent):\n\(Self.difference(expected ?? "", found))")
    }
  }

  @Test func `every file of a frame belongs to one`() throws {
    let expected = Self.cases.flatMap { frameCase in
      frameCase.sizes.map { frameCase.fileName($0.0, $0.1) }
    }
    let found = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(found.sorted() == expected.sorted())
  }

  private static func difference(_ expected: String, _ found: String) -> String {
    let old = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let new = found.split(separator: "\n", omittingEmptySubsequences: false)
    return zip(old, new).filter { $0 != $1 }.map { "was \($0)\nis  \($1)" }.joined(separator: "\n")
  }
}
