import Canvas
import Engine
import Foundation
import TestSupport
import Testing

@testable import Viewer

/// Whatever is pressed and typed at whatever size: there is always a whole frame.
///
/// `RandomRun.length` says how many inputs there are. A failure names its seed and the inputs that led to it.
@Suite struct RandomKeyTests {
  private static let inputsOfRun = 100
  private static let runs = RandomRun.runs(of: inputsOfRun, default: 400)

  private static let files = [
    "scenarios/nested/three-tables.pw", FrameTests.alias, "scenarios/bugs/relax.pw",
    "scenarios/bugs/b08-lost-broken.pw",
  ]

  @Test func `random inputs always give a whole frame`() throws {
    for seed in 0..<UInt64(Self.runs) {
      var random = Generator(seed: seed)
      // A trap ends the process: the last line says where.
      print("random keys, seed \(seed)")
      let file = Self.files[random.below(Self.files.count)]
      var screen =
        try random.below(4) == 0
        ? Screen(statements: FrameTests.device) : Screen(file)
      var inputs: [String] = []
      for _ in 0..<Self.inputsOfRun {
        for input in Self.inputs(&random, screen.model) {
          inputs.append("\(input)")
          screen.input(input)
        }
        if screen.model.isFinished { break }
        let frame = screen.frame
        let size = screen.model.size
        let isWhole =
          frame.width == size.width && frame.height == size.height
          && (0..<frame.height).allSatisfy { y in
            (0..<frame.width).allSatisfy { frame[Point($0, y)].scalar.value >= 32 }
          }
        #expect(isWhole, "seed \(seed): \(inputs)")
        if !isWhole { return }
      }
    }
  }

  private static func inputs(_ random: inout Generator, _ model: Model) -> [Input] {
    switch random.below(20) {
    case 0:
      return [.resize(width: 1 + random.below(130), height: 1 + random.below(50))]
    case 1:
      let point = Point(random.below(130), random.below(50))
      let actions: [Mouse.Action] = [.click, .doubleClick, .wheelUp, .wheelDown]
      return [.mouse(Mouse(actions[random.below(4)], at: point))]
    case 2: return [.tick]
    case 3: return typed(":" + line(&random), then: .enter)
    case 4: return typed("/" + ["L3", "0x10000", "unmap", "a"][random.below(4)], then: .enter)
    case 5:
      let filters = [
        "w", "alias", "stale or changed", "not (x size=4K)", "level=3", "to=0x80005000",
      ]
      return typed("f" + filters[random.below(filters.count)], then: .enter)
    case 6: return [.key(Key(.escape))]
    case 7:
      return [.key(Key(typed: Unicode.Scalar(UInt8(32 + random.below(95)))))]
    default:
      let action = Action.allCases[random.below(Action.allCases.count)]
      // To quit is rarely wanted.
      if action == .quit || action == .quitNow, random.below(10) > 0 { return [] }
      let keys = action.defaultKeys
      return keys.isEmpty ? [] : [.key(keys[random.below(keys.count)])]
    }
  }

  /// A line of the kind that people type, and of the kind that they should not.
  private static func line(_ random: inout Generator) -> String {
    let lines = [
      "host discard 0x80006000 4K", "l2 write 0x30000", "l1 tlbi alle1is", "l2 exec 0x70000000",
      "goto 3.2", "50%", "step:shadow", "0x80005000", "run violation", "run-back fault",
      "policy revmap=v2", "policy revmap=ideal", "branch main", "branch 2", "mute", "mute 2",
      "diff main", "diff 3",
      "diff-panes guest1", "watch unmap", "unwatch 1", "name it", "detail bits", "glossary stale",
      "expect value 3", "iommu attach", "iommu map 0x80000000 4K 0x800400000 rw", "revmap pause",
      "resume", "pane 3", "mark q", "go-to-mark q", "99999999999999999999", "l1 write 0x", "",
    ]
    return lines[random.below(lines.count)]
  }

  private static func typed(_ text: String, then key: Key.Base) -> [Input] {
    text.unicodeScalars.map { .key(Key(typed: $0)) } + [.key(Key(key))]
  }
}
