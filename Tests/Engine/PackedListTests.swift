import TestSupport
import Testing

@testable import Engine

/// A list that packs its values beside an array that does not.
@Suite struct PackedListTests {
  /// Of several sizes, with room between its members and after them.
  private enum Value: Equatable, Sendable {
    case nothing
    case small(UInt8, Bool)
    case wide(UInt64?, Range<UInt64>, UInt8)
    case widest(UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt16)
  }

  /// Numbers of all magnitudes, of which some bytes are zero.
  private func number(_ source: inout Generator) -> UInt64 {
    let bits = UInt64.random(in: 0...64, using: &source)
    let mask = source.next() | source.next()
    return bits == 0 ? 0 : source.next() >> (64 - bits) & mask
  }

  private func value(_ source: inout Generator) -> Value {
    switch source.below(4) {
    case 0: return .nothing
    case 1: return .small(UInt8(source.below(256)), source.below(2) == 0)
    case 2:
      let (one, other) = (number(&source), number(&source))
      return .wide(
        source.below(3) == 0 ? nil : number(&source), min(one, other)..<max(one, other),
        UInt8(source.below(256)))
    default:
      return .widest(
        number(&source), .max, number(&source), 0, 1 << 63, number(&source), number(&source),
        UInt16(truncatingIfNeeded: source.next()))
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `values, and what is left of them, are those of an array`(seed: UInt64) {
    var source = Generator(seed: seed)
    var list = PackedList<Value>()
    var array: [Value] = []
    // A copy shares the chunks, and must keep them.
    var copies: [(PackedList<Value>, [Value])] = []
    for _ in 0..<12 {
      for _ in 0..<source.below(2_500) {
        let value = value(&source)
        list.append(value)
        array.append(value)
      }
      copies.append((list, array))
      if source.below(2) == 0 {
        let kept = source.below(array.count + 1)
        list.keep(kept)
        array.removeSubrange(kept...)
      }
      copies.append((list, array))
    }
    for size in [2_048, 1_025, 1_024, 1_023, 1, 0] where size <= array.count {
      list.keep(size)
      copies.append((list, Array(array[..<size])))
    }
    for (list, array) in copies {
      let isSame = list.elementsEqual(array)
      #expect(isSame, "seed \(seed), \(array.count) values")
    }
  }

  @Test func `an event takes a third of what it takes in an array`() {
    var source = RandomEvents(seed: 1)
    var list = PackedList<Event>()
    for _ in 0..<8 * PackedList<Event>.chunkSize { list.append(source.next()) }
    #expect(list.packedBytes < list.count * MemoryLayout<Event>.stride / 3)
  }

  @Test func `the past of a long history stays as it was, when another future follows`() {
    var source = RandomEvents(seed: 2)
    var timeline = Timeline(source.configuration)
    var (events, checks, ends): ([Event], [UInt32], [Int]) = ([], [], [0])
    for event in source.setUp() + (0..<4_000).map({ _ in source.next() }) {
      guard (try? timeline.append(event)) != nil else { continue }
      events.append(event)
      checks.append(UInt32(truncatingIfNeeded: timeline.machine.fingerprint.first))
      ends.append(timeline.machine.memory.position)
    }
    for kept in [events.count, 2_049, 2_048, 1_500, 1_024, 1_023, 1, 0] {
      timeline.seek(to: Moment(events: kept))
      timeline.forgetFuture()
      let isSame = timeline.events.elementsEqual(events[..<kept])
      #expect(isSame && timeline.stateChecks == Array(checks[..<kept]))
      #expect((0..<kept).allSatisfy { timeline.stores(ofEvent: $0) == ends[$0]..<ends[$0 + 1] })
      #expect(timeline.machine.memory.position == ends[kept])
    }
  }
}
