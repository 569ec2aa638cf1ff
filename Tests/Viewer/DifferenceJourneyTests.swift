import Canvas
import Engine
import KernelText
import Language
import Recording
import TestSupport
import Testing

@testable import Viewer

/// Two histories side by side.
@Suite struct DifferenceJourneyTests {
  private static func session(_ path: String = "scenarios/nested/three-tables.pw") throws -> Session
  {
    var session = Session(try Scenario(parsing: Screen.bytes(path), file: path))
    try session.finish()
    return session
  }

  /// Two histories, the second of which begins in the first and has other events among those of the first.
  private static func pair(seed: UInt64) throws -> (Session, Session) {
    let first = try session()
    var random = Generator(seed: seed)
    let start = random.below(first.timeline.events.count)
    var second = first.branch(at: start)
    let others = [
      "l2 read 0x30000", "host discard 0x80005000 4K", "l1 tlbi alle1is", "l2 write 0x10000",
      "l1 tlbi ipas2e1is 0x10000", "l1 read 0x80000000",
    ]
    for event in start..<first.timeline.events.count {
      if random.below(4) == 0 { try second.carryOut(others[random.below(others.count)]) }
      if random.below(5) > 0 { try? second.carryOut(first.text(ofEvent: event)) }
    }
    return (first, second)
  }

  private static func view(
    _ first: Session, _ second: Session, _ width: Int = 120, _ height: Int = 40
  ) -> DifferenceView {
    DifferenceView(("one", first), ("two", second), width: width, height: height)
  }

  private static func press(_ view: inout DifferenceView, _ keys: String) {
    for input in Screen.inputs(keys) { _ = view.update(input) }
  }

  /// Texts of all tables of a machine.
  private static func dumps(_ session: inout Session, after events: Int) -> [String] {
    session.seek(to: Moment(events: events))
    let machine = session.timeline.machine
    return machine.tableIDs.compactMap { KernelDump.text(of: $0, in: machine) }
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `the axis has each event of both once, in order, and says where they are alike`(
    seed: UInt64
  ) throws {
    var (first, second) = try Self.pair(seed: seed)
    let found = HistoryDifference(first, second)
    let axis = found.axis(first, second)
    var (ones, others): ([Int], [Int]) = ([], [])
    for place in axis {
      switch place.row {
      case .both(let a, let b):
        #expect(first.timeline.events[a] == second.timeline.events[b])
        ones.append(a)
        others.append(b)
      case .first(let a): ones.append(a)
      case .second(let b): others.append(b)
      }
      #expect(place.events == (ones.count, others.count))
      let tables = (
        Self.dumps(&first, after: place.events.first),
        Self.dumps(&second, after: place.events.second)
      )
      // What is alike has the same tables; the other way round a counter may differ.
      if place.isAlike { #expect(tables.0 == tables.1) }
      let isFirst = !axis.contains { $0.beginsDifference && $0.events <= place.events }
      if isFirst { #expect(place.row.isOfBoth && tables.0 == tables.1) }
    }
    #expect(ones == Array(first.timeline.events.indices))
    #expect(others == Array(second.timeline.events.indices))
    #expect(axis.contains(where: \.beginsDifference) != found.isEmpty)
  }

  @Test func `it opens where the two first differ, and says so`() throws {
    let first = try Self.session()
    var second = first.branch(at: 14)
    try second.carryOut("host discard 0x80005000 4K")
    for event in 15..<first.timeline.events.count {
      try second.carryOut(first.text(ofEvent: event))
    }
    let view = Self.view(first, second)
    let text = first.text(ofEvent: 14)
    #expect(
      view.frame().text.contains("Alike for 14 events, then event 15, \(text), of one alone."))
    #expect(view.moment == Moment(events: 15))
    // What one alone has stands on its side, what both have on both.
    let lines = view.frame().text.split(separator: "\n").dropFirst(5).map(String.init)
    func halves(_ text: String) -> [Bool] {
      let line = (lines.first { $0.contains(text) } ?? "").padding(to: 120)
      return [line.prefix(58), line.suffix(58)].map { $0.contains(text) }
    }
    #expect(halves("15  \(text)") == [true, false])
    #expect(halves("15  host discard 0x80005000 4K") == [false, true])
    #expect(halves("14  \(first.text(ofEvent: 13))") == [true, true])
  }

  @Test func `keys go from difference to difference, and say where there is none`() throws {
    let (first, second) = try Self.pair(seed: 3)
    var view = Self.view(first, second)
    let beginnings = view.beginnings
    #expect(beginnings.count >= 2 && view.done == beginnings[0] + 1)
    for place in beginnings.dropFirst() {
      Self.press(&view, "]")
      #expect(view.done == place + 1)
    }
    Self.press(&view, "]")
    #expect(view.frame().text.contains("There is no later difference."))
    for place in beginnings.dropLast().reversed() {
      Self.press(&view, "[")
      #expect(view.done == place + 1)
    }
    Self.press(&view, "[")
    #expect(view.frame().text.contains("There is no earlier difference."))
    Self.press(&view, "0 [")
    #expect(view.done == 0)
    Self.press(&view, "]")
    #expect(view.done == beginnings[0] + 1)
  }

  @Test func `one under two policies shows the leaf that only one has`() throws {
    let path = "scenarios/bugs/two-unmappers.pw"
    let first = try Self.session(path)
    var second = Session(try first.scenario.under(policy: "revmap=repaired"))
    try second.finish()
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
      var view = DifferenceView(("x", first), ("x", second), width: width, height: height)
      #expect(view.frame().text.contains("1/3"))
      if width >= 80 {
        #expect(view.frame().text.contains("revmap=v2") && view.frame().text.contains("revmap=rep"))
      }
      Self.press(&view, "]")
      #expect(view.frame().text.contains("- 0x40003000"))
      if width >= 80 { #expect(view.frame().text.contains("only in revmap=v2: ")) }
    }
  }

  @Test func `two of a session are compared from the list of histories`() throws {
    var screen = try Screen()
    screen.press("=")
    #expect(screen.lastLine.contains("There is one history."))
    screen.press(": ‹14› enter : ‹host discard 0x80005000 4K› enter B")
    #expect(screen.lastLine.contains("= compare"))
    screen.press("g =")
    #expect(screen.text.hasPrefix(" - branch-1"))
    #expect(
      screen.text.contains("Alike for 14 events, then event 15, host discard 0x80005000 4K, of "))
    // No key but its own does anything.
    let moment = screen.model.timeline.moment
    screen.press("w P tab 3 :")
    #expect(screen.model.timeline.moment == moment && screen.model.prompt == nil)
    screen.input(.resize(width: 80, height: 24))
    #expect(screen.frame.width == 80 && screen.text.contains("Tables"))
    screen.press("ctrl-x")
    #expect(screen.lastLine.contains("does nothing"))
    screen.press("q")
    #expect(!screen.model.isFinished && screen.text.contains("Histories"))
    // Where one is in it, one can go to.
    screen.press("= 0 . . . enter")
    #expect(screen.model.timeline.moment == Moment(events: 3) && screen.model.difference == nil)
    screen.press(": ‹compare nowhere› enter")
    #expect(screen.text.contains("There is no history nowhere."))
  }

  @Test func `in lines it says where the two differ`() throws {
    var narrator = Narrator(try Self.session())
    _ = narrator.carryOut("14")
    _ = narrator.carryOut("host discard 0x80005000 4K")
    let lines = narrator.carryOut("compare main").map(\.string)
    #expect(lines.first?.hasPrefix("Alike for 14 events, then event 15") ?? false, "\(lines)")
    #expect(!narrator.carryOut("look").isEmpty)
  }

  @Test func `any keys and sizes leave it in order`() throws {
    let (first, second) = try Self.pair(seed: 9)
    var view = Self.view(first, second, 60, 20)
    var random = Generator(seed: 5)
    let keys = [".", ",", "]", "[", "j", "k", "0", "$", "pagedown", "pageup", "g", "G", "x", "?"]
    for _ in 0..<150 {
      if random.below(5) == 0 {
        _ = view.update(.resize(width: random.below(130), height: random.below(45)))
      }
      Self.press(&view, keys[random.below(keys.count)])
      #expect((0...view.axis.count).contains(view.done) && !view.isFinished)
      _ = view.frame()
    }
    // Nothing has happened in either.
    let empty = Session(try Scenario(parsing: Array("pagewalk 1\nvm ipa=40\n".utf8), file: "e.pw"))
    var none = Self.view(empty, empty)
    Self.press(&none, "] [ . , $")
    #expect(none.frame().text.contains("No difference in 0 events."))
  }
}

extension String {
  /// The text in so many columns.
  fileprivate func padding(to columns: Int) -> String {
    self + String(repeating: " ", count: max(0, columns - count))
  }
}
