import TestSupport
import Testing

@testable import Engine

/// What must hold whatever happens: random events, with seeds that bring a failure back.
@Suite struct PropertyTests {
  private static let eventsOfRun = 250

  @Test(arguments: 1...UInt64(RandomRun.runs(of: eventsOfRun, default: 2_000)))
  func `invariants hold, and a dictionary of pages agrees with every walk`(seed: UInt64) {
    var source = RandomEvents(seed: seed)
    var timeline = Timeline(source.configuration)
    var model = PageModel()
    let tables = (0...source.configuration.shadows).map {
      $0 == 0 ? TableID.canonical : .shadow($0 - 1)
    }
    for number in 0..<Self.eventsOfRun {
      let events = number == 0 ? source.setUp() : [source.next()]
      for event in events {
        do { try timeline.append(event) } catch { continue }
        timeline.seek(to: timeline.moment)
        let machine = timeline.machine
        model.apply(timeline.steps) { machine.table($0)?.geometry }
        let violations = machine.violations(
          after: timeline.stores(ofEvent: timeline.events.count - 1)
        ).filter {
          RandomRun.rules.contains($0.invariant) && !RandomRun.isLostWrite($0, in: machine)
        }
        #expect(violations.isEmpty, "seed \(seed), event \(number): \(event)")
        if !violations.isEmpty { return }
      }
      if number % 8 == 0 {
        for id in tables {
          guard let table = timeline.machine.table(id) else { continue }
          let agrees = timeline.machine.translations(of: table) == model.translations(of: id)
          #expect(agrees, "seed \(seed), event \(number), \(id)")
          if !agrees { return }
        }
      }
    }
  }

  @Test(arguments: 31...34 as ClosedRange<UInt64>)
  func `what is said to change nothing changes nothing`(seed: UInt64) {
    let changes: Set<Step.Class> = [
      .hostPage, .hostMapping, .hostArea, .leafMade, .leafRemoved, .leafRelaxed, .leafWeakened,
      .entryBroken, .entryReplaced, .tableMade, .tableRemoved,
    ]
    var source = RandomEvents(seed: seed)
    var timeline = Timeline(source.configuration)
    var found = 0
    // Twice the same: the second has less to do.
    let events =
      source.setUp() + (0..<150).flatMap { _ in Array(repeating: source.next(), count: 2) }
    for event in events {
      do { try timeline.append(event) } catch { continue }
      timeline.seek(to: timeline.moment)
      let steps = timeline.steps
      guard steps.contains(where: { $0.explanation.why == "The event changes nothing." }) else {
        continue
      }
      found += 1
      #expect(!steps.contains { changes.contains($0.stepClass) }, "seed \(seed): \(event)")
    }
    #expect(found > 0)
  }

  @Test(arguments: 21...26 as ClosedRange<UInt64>)
  func `going back to the start and forward again gives the same words`(seed: UInt64) {
    var source = RandomEvents(seed: seed, hugetlb: seed % 2 == 0)
    var timeline = Timeline(source.configuration)
    let start = timeline.machine.memory
    for event in source.setUp() { try? timeline.append(event) }
    for _ in 0..<300 { try? timeline.append(source.next()) }
    let end = timeline.machine.memory
    let last = timeline.moment

    timeline.seek(to: Moment(events: 0))
    #expect(timeline.machine.memory.hasSameWords(as: start), "seed \(seed)")
    timeline.seek(to: last)
    #expect(timeline.machine.memory.hasSameWords(as: end), "seed \(seed)")

    // Any path through history comes to the same states.
    var random = Generator(seed: seed)
    for _ in 0..<40 {
      let target = Moment(
        events: random.below(timeline.events.count), steps: random.below(4))
      timeline.seek(to: target)
      let direct = timeline.machine.memory
      let reached = timeline.moment
      _ = timeline.stepForward()
      _ = timeline.back()
      _ = timeline.stepBack()
      timeline.seek(to: reached)
      #expect(timeline.machine.memory.hasSameWords(as: direct), "seed \(seed), \(target)")
    }
  }

  @Test func `single steps visit every moment, and back is the way that was come`() {
    var source = RandomEvents(seed: 31)
    var timeline = Timeline(source.configuration)
    for event in source.setUp().suffix(100) { try? timeline.append(event) }
    for _ in 0..<25 { try? timeline.append(source.next()) }
    timeline.seek(to: Moment(events: 0))
    var states = [(timeline.moment, timeline.machine.memory)]
    while timeline.stepForward() { states.append((timeline.moment, timeline.machine.memory)) }
    #expect(states.count > timeline.events.count * 2)
    for (moment, memory) in states.reversed() {
      #expect(timeline.moment == moment)
      #expect(timeline.machine.memory.hasSameWords(as: memory), "\(moment)")
      _ = timeline.stepBack()
    }
  }

  @Test func `recording micro-steps changes nothing`() {
    var source = RandomEvents(seed: 41)
    var silent = Machine(source.configuration)
    var recording = Machine(source.configuration)
    recording.steps.isRecording = true
    for event in source.setUp() + (0..<300).map({ _ in source.next() }) {
      try? silent.apply(event)
      try? recording.apply(event)
    }
    #expect(silent.memory.hasSameWords(as: recording.memory))
    #expect(silent.memory.journalCount == recording.memory.journalCount)
  }

  @Test func `a copy of a machine goes its own way`() throws {
    var machine = Machine(VMConfiguration())
    try machine.apply(.addMemslot(id: 0, 0x8000_0000..<0x8010_0000, .pages))
    var copy = machine
    try copy.apply(.access(.l1, vcpu: 0, .write, 0x8000_0000, value: 1))
    #expect(!machine.memory.hasSameWords(as: copy.memory))
    try machine.apply(.access(.l1, vcpu: 0, .write, 0x8000_0000, value: 1))
    #expect(machine.memory.hasSameWords(as: copy.memory))
  }
}
