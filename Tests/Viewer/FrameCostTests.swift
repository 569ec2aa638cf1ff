import Canvas
import Engine
import Foundation
import Testing

@testable import Viewer

/// What a key and its frame cost does not depend on how large the tables are.
@Suite struct FrameCostTests {
  /// A device's table of pages, of which no two beside each other continue: each has a row.
  private func screen(pages: Int, face: String) throws -> Screen {
    let maps = (0..<64).map { part in
      let bytes = pages / 64 * 4096
      let start = String(0x1_0000_0000 + part * bytes, radix: 16)
      let output = String(0x20_0000_1000 + part * 2 * bytes, radix: 16)
      return "iommu map 0x\(start) \(bytes) 0x\(output) rw\n"
    }
    var screen = try Screen(
      statements: "memslot 0 0x80000000 1M backing=4K\niommu attach\n" + maps.joined(), 200, 50)
    screen.press("$ 4 z g \(face)")
    return screen
  }

  /// The least time of a key with its frame, and with what goes on until the next key, in this thread.
  private func cost(_ screen: Screen) -> UInt64 {
    var model = screen.model
    return (0..<12).map { _ in
      let start = threadTime()
      _ = model.update(.key(Key(.character("j"))))
      _ = model.frame()
      model.finishWork()
      return threadTime() - start
    }.min() ?? 0
  }

  private func threadTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  @Test(arguments: ["", "r"])
  func `four times as many pages scroll alike`(face: String) throws {
    let few = cost(try screen(pages: 1 << 15, face: face))
    let many = cost(try screen(pages: 1 << 17, face: face))
    #expect(many < 2 * few, "\(many) ns beside \(few) ns")
  }
}
