import TestSupport
import Testing

@testable import Export

@Suite struct FrameCoderTests {
  /// A reader by what `FrameCoder` says of its form, and nothing else.
  private struct Reader {
    var reach: [Unicode.Scalar] = []
    var starts: [Int] = []

    mutating func read(_ code: String) throws -> [Unicode.Scalar] {
      let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
      var rest = Array(code.unicodeScalars)[...]
      func number() throws -> Int {
        var value = 0
        var weight = 1
        while true {
          let next = rest.popFirst()
          let scalar = try #require(next)
          let digit = try #require(digits.firstIndex(of: Character(scalar)))
          value += digit % 32 * weight
          weight *= 32
          if digit < 32 { return value }
        }
      }
      let start = reach.count
      var from = starts.last ?? 0
      while !rest.isEmpty {
        let literal = try number()
        reach += rest.prefix(literal)
        rest = rest.dropFirst(literal)
        from += literal
        if rest.isEmpty { break }
        let count = try number()
        let distance = try number()
        from += distance % 2 == 0 ? distance / 2 : -(distance / 2)
        for _ in 0..<count {
          reach.append(reach[from])
          from += 1
        }
      }
      let frame = Array(reach[start...])
      starts.append(start)
      if starts.count > FrameCoder.framesInReach {
        let dropped = starts[1]
        reach.removeFirst(dropped)
        starts = starts.dropFirst().map { $0 - dropped }
      }
      return frame
    }
  }

  private static func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func framesAreReadAsTheyWere(seed: UInt64) throws {
    var random = Generator(seed: seed)
    let letters = Self.scalars("0123456789abcdef →│\n\u{E000}\u{E001}漢😀")
    var coder = FrameCoder()
    var reader = Reader()
    var frame = (0..<Int.random(in: 0...2_000, using: &random)).map { _ in
      letters[Int.random(in: 0..<letters.count, using: &random)]
    }
    for _ in 0..<12 {
      // A part moves, as rows of a pane that scrolls do, and some letters change.
      let ends = (0..<3).map { _ in Int.random(in: 0...frame.count, using: &random) }.sorted()
      frame = Array(
        frame[..<ends[0]] + frame[ends[1]..<ends[2]] + frame[ends[0]..<ends[1]] + frame[ends[2]...])
      for _ in 0..<Int.random(in: 0...30, using: &random) where !frame.isEmpty {
        frame[Int.random(in: 0..<frame.count, using: &random)] =
          letters[Int.random(in: 0..<letters.count, using: &random)]
      }
      if Int.random(in: 0..<8, using: &random) == 0 { frame = Array(frame.prefix(5)) }
      let code = coder.encode(frame)
      #expect(try reader.read(code) == frame, "seed \(seed)")
    }
  }

  @Test func whatStandsElsewhereIsWrittenOnce() {
    let address = "0x1603a4000 "
    let row = "walk L0[0] L1[6] L2[481] L3[272] → RWX\n"
    var coder = FrameCoder()
    _ = coder.encode(Self.scalars(row + "event 17\n"))
    // A row above, an address twice, and the rest as it was: the new letters and a few numbers.
    let code = coder.encode(Self.scalars("new \(address)\(address)\n" + row + "event 18\n"))
    #expect(code.unicodeScalars.count < ("new " + address + "18").unicodeScalars.count + 16)
    #expect(code.contains("0x1603a4000"))
    // The same once more is one copy: no letter, how many, and no distance.
    #expect(
      coder.encode(Self.scalars("new \(address)\(address)\n" + row + "event 18\n")).count == 4)
  }
}
