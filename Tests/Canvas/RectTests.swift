import TestSupport
import Testing

@testable import Canvas

@Suite struct RectTests {
  @Test func `is cut at the top left corner of the screen`() {
    let rect = Rect(x: -2, y: -3, width: 5, height: 4)
    #expect(rect == Rect(x: 0, y: 0, width: 3, height: 1))
    #expect(Rect(x: -9, y: 0, width: 5, height: 4).isEmpty)
  }

  @Test(arguments: [Int.min, Int.min + 1, -1, 0, 1, Int.max - 1, Int.max])
  func `stays within the limit whatever it is made of`(extreme: Int) {
    for other in [Int.min, -7, 0, 7, Int.max] {
      let rect = Rect(x: extreme, y: other, width: other, height: extreme)
      #expect(rect.x >= 0 && rect.y >= 0 && rect.width >= 0 && rect.height >= 0)
      #expect(rect.right <= Rect.limit && rect.bottom <= Rect.limit)
      #expect(rect.inset(columns: extreme, rows: other).right <= rect.right)
    }
  }

  @Test func `intersection has the common cells`() {
    let rect = Rect(x: 2, y: 2, width: 6, height: 4)
    #expect(
      rect.intersection(Rect(x: 5, y: 0, width: 9, height: 3))
        == Rect(x: 5, y: 2, width: 3, height: 1))
    #expect(rect.intersection(Rect(x: 8, y: 2, width: 4, height: 4)).isEmpty)
    #expect(rect.intersection(.zero).isEmpty)
  }

  @Test func `contains its cells only`() {
    let rect = Rect(x: 1, y: 1, width: 2, height: 1)
    #expect(rect.contains(Point(1, 1)) && rect.contains(Point(2, 1)))
    #expect(
      !rect.contains(Point(3, 1)) && !rect.contains(Point(1, 2)) && !rect.contains(Point(0, 1)))
  }

  @Test func `inset leaves nothing of what is too small`() {
    #expect(
      Rect(x: 3, y: 4, width: 5, height: 3).inset() == Rect(x: 4, y: 5, width: 3, height: 1))
    #expect(Rect(x: 3, y: 4, width: 1, height: 1).inset().isEmpty)
  }

  @Test func `splits into fixed and flexible parts`() {
    let parts = Rect(x: 0, y: 5, width: 80, height: 24).rows(
      .fixed(1), .flexible(weight: 2), .flexible, .fixed(2))
    #expect(parts.map(\.height) == [1, 14, 7, 2])
    #expect(parts.map(\.y) == [5, 6, 20, 27])
    #expect(parts.allSatisfy { $0.width == 80 && $0.x == 0 })
  }

  @Test func `earlier parts get the odd cells`() {
    let parts = Rect(x: 0, y: 0, width: 11, height: 1).columns(.flexible, .flexible, .flexible)
    #expect(parts.map(\.width) == [4, 4, 3])
  }

  @Test func `cuts the last parts where there is no room`() {
    let parts = Rect(x: 0, y: 0, width: 10, height: 1).columns(
      .fixed(6), .flexible, .fixed(6), .fixed(6))
    #expect(parts.map(\.width) == [6, 0, 4, 0])
    #expect(Rect.zero.rows(.fixed(3), .flexible).map(\.height) == [0, 0])
  }

  @Test(arguments: 0..<200)
  func `splitting covers the rectangle once`(seed: UInt64) {
    var random = Generator(seed: seed)
    let rect = Rect(x: 3, y: 0, width: .random(in: 0...300, using: &random), height: 1)
    let extents = (0..<Int.random(in: 1...8, using: &random)).map { _ -> Rect.Extent in
      Bool.random(using: &random)
        ? .fixed(.random(in: -5...100, using: &random))
        : .flexible(weight: .random(in: -1...5, using: &random))
    }
    let parts = rect.columns(extents + [.flexible])
    #expect(parts.map(\.width).reduce(0, +) == rect.width, "seed \(seed)")
    #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.right == $1.x }, "seed \(seed)")
  }
}
