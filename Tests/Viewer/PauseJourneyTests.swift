import Canvas
import Engine
import Foundation
import Testing

@testable import Viewer

/// An event that is half done, and the locks that are held.
@Suite struct PauseJourneyTests {
  @Test func `a paused event has a sign in the header, on the timeline and in the line of locks`()
    throws
  {
    var screen = try Screen("scenarios/bugs/two-unmappers.pw")
    screen.press(": ‹13› enter")
    #expect(!screen.text.contains("‖") && !screen.text.contains(" locks "))
    screen.press(". .")
    #expect(screen.model.timeline.moment == Moment(events: 15))
    #expect(screen.lines[0].contains("‖ event 14 paused"))
    let strip = screen.lines[38]
    #expect(Array(strip)[14] == "‖", "\(strip)")
    #expect(screen.text.contains("locks  VMA lock read: the VMM, event 14 (paused)"))
    screen.press(".")
    #expect(!screen.text.contains("‖") && !screen.text.contains(" locks "))
  }

  @Test func `an event that stops twice is the same paused event`() throws {
    var screen = try Screen(
      statements: """
        memslot 0 0x40000000 4G backing=4K
        host write 0x40000000 4K
        l1 write 0x40000000
        pause
        host discard 0x40000000 4G
        resume next
        l1 read 0x40000000
        """)
    screen.press("$")
    #expect(screen.model.machine.isPaused)
    #expect(screen.model.timeline.pausedEvent == 4)
    #expect(screen.lines[0].contains("‖ event 5 paused"))
  }

  @Test func `in a fault the line of locks says how mmu_lock is held, and by whom`() throws {
    var screen = try Screen()
    screen.press("} } , ,")
    var held: Set<String> = []
    for _ in 0..<200 {
      screen.press("s")
      if let line = screen.lines.first(where: { $0.contains(" locks  ") }) {
        held.insert(
          line.split(separator: "│").first.map { String($0).trimmingCharacters(in: .whitespaces) }
            ?? "")
      }
    }
    #expect(held.contains("locks  mmu_lock read: vCPU 0"), "\(held)")
  }

  @Test
  func `a notifier's sweep holds mmu_lock for writing, and its event a lock of the address space`()
    throws
  {
    var screen = try Screen("scenarios/bugs/two-unmappers.pw")
    screen.press(": ‹14› enter")
    var modes: [[HeldLock]] = []
    for _ in 0..<6 {
      screen.press("s")
      modes.append(screen.model.timeline.heldLocks.filter { $0.event == 14 })
    }
    // The notifier begins, sweeps, invalidates; then the host frees the page without KVM's lock.
    #expect(modes[1].map(\.lock) == [.area, .mmu] && modes[1].map(\.mode) == [.read, .write])
    #expect(modes[4].map(\.lock) == [.area])
  }
}
