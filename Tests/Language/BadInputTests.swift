import Engine
import Testing

@testable import Language

/// What a wrong file gives: its place, what was expected, and nothing lost.
@Suite struct BadInputTests {
  /// The message for a file, from parsing it or from carrying it out; nil if nothing is wrong.
  private func message(_ text: String) -> String? { message([UInt8](text.utf8)) }

  private func message(_ bytes: [UInt8]) -> String? {
    do throws(ScenarioError) {
      var session = Session(try Scenario(parsing: bytes, file: "f.pw"))
      try session.finish()
      return nil
    } catch {
      return error.description
    }
  }

  private let head = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 0x40000000 4M backing=4K\n"

  @Test(arguments: [
    ("", "f.pw:1:1: expected 'pagewalk 1' as the first statement"),
    ("vm ipa=40\n", "f.pw:1:1: expected 'pagewalk 1' as the first statement"),
    ("pagewalk 2\n", "f.pw:1:10: expected 'pagewalk 1': version 2 needs a newer program"),
    ("pagewalk 0\n", "f.pw:1:10: expected 'pagewalk 1': there is no version 0"),
    (
      "pagewalk 1\nhost fork\n",
      "f.pw:2:1: expected 'vm ipa=BITS vcpus=N nested=on|off' before anything happens"
    ),
    (
      "pagewalk 1\n",
      "f.pw:2:1: expected 'vm ipa=BITS vcpus=N nested=on|off' before anything happens"
    ),
    ("pagewalk 1\nvm ipa=52\n", "f.pw:2:4: expected ipa=32 to ipa=48"),
    ("pagewalk 1\nvm ipa=x\n", "f.pw:2:8: expected a number after 'ipa='"),
    ("pagewalk 1\nvm ipa=40 vcpus=65\n", "f.pw:2:11: expected vcpus=1 to vcpus=64"),
    ("pagewalk 1\nvm ipa=40 nested=yes\n", "f.pw:2:18: expected nested=on|off"),
    ("pagewalk 1\nvm vmid-bits=2\n", "f.pw:2:4: expected vmid-bits=3 to vmid-bits=16"),
    (
      "pagewalk 1\nvm vcpus=7 vmid-bits=3\n",
      "f.pw:2:12: expected more VMIDs than CPUs: a larger vmid-bits, or fewer vcpus"
    ),
    ("pagewalk 1\ntitle \"cut", "f.pw:2:7: expected a closing quote on the same line"),
  ])
  func `a wrong prologue is reported at its place`(text: String, expected: String) {
    #expect(message(text) == expected)
  }

  @Test(arguments: [
    (
      "jump 0x0",
      "4:1: expected a statement: l1, l2, host, iommu, dev, expect, pagewalk, title, vm, memslot"
    ),
    ("l1 read", "4:8: expected IPA: a decimal or 0x number, K M G T allowed"),
    ("l1 read 0xfoo", "4:9: expected IPA: a decimal or 0x number, K M G T allowed"),
    ("l1 read 12_", "4:9: expected IPA: a decimal or 0x number, K M G T allowed"),
    (
      "l1 read 0x1_0000_0000_0000_0000",
      "4:9: expected IPA: a decimal or 0x number, K M G T allowed"
    ),
    ("l1 read 0x40000000 4K", "4:20: expected the end of the statement"),
    ("l1@x read 0", "4:1: expected l1, or l1@N for a vCPU from 0 to 63"),
    ("l1@1 read 0x40000000", "4:1: expected vCPU 0: the VM has vcpus=1"),
    ("host discard 0x40000000 0", "4:25: expected a size above 0 that stays below 2^48"),
    ("host discard 0x40000000 6K", "4:25: expected a multiple of 4K, not 0x40001800"),
    (
      "host discard 0x80000000 4K",
      "4:14: expected addresses of one memory slot: 0x80000000 is outside"
    ),
    (
      "host discard 0x40000000 8M",
      "4:25: expected addresses of one memory slot: 0x40400000 is outside"
    ),
    ("memslot 0 0x80000000 4M backing=4K", "4:9: expected a free slot number: slot 0 exists"),
    (
      "memslot 1 0x40100000 4M backing=4K",
      "4:11: expected addresses of no other slot: slot 0 is there"
    ),
    ("memslot 1 0x80000800 4M backing=4K", "4:11: expected a multiple of 4K, not 0x80000800"),
    (
      "memslot 1 0x80000000 4M backing=hugetlb-1G",
      "4:22: expected a multiple of 1G, not 0x400000"
    ),
    (
      "memslot 1 0xfffff00000 4M backing=4K",
      "4:11: expected a slot below 2^40, the end of the VM's IPA space (vm ipa=40)"
    ),
    ("memslot 1 0x80000000 4M", "4:24: expected backing=4K|thp|hugetlb-1G"),
    (
      "host dirty-log get 0x40000000",
      "4:20: expected dirty logging to be on for the slot (host dirty-log on)"
    ),
    ("host eager-split 2M", "4:1: expected eager-split before the first memslot (EINVAL)"),
    (
      "l1 tlbi ipas2e1is 0 ttl=4K:9",
      "4:25: expected G:L, where G is 4K, 16K, 64K or none, and L is 0 to 3"
    ),
    ("expect error none", "4:14: expected external, size, eperm, enoent"),
    (
      "policy revmap=v9", "4:15: expected revmap=none|v1|v2|v3|repaired|ideal"
    ),
    ("l1 wait", "4:1: expected 'run' first: it stays on no CPU"),
    ("other-vm 3 wait", "4:10: expected 'run' first: it stays on no CPU"),
    ("other-vm 3 run cpu=1", "4:16: expected CPU 0: there is one for each vCPU"),
    ("other-vm 3 unmap 0x800 4K", "4:18: expected a multiple of 4K, not 0x800"),
    ("other-process 1 unmap 0x800 4K", "4:23: expected a multiple of 4K, not 0x800"),
    ("other-process 2M run", "4:15: expected the number of another process, 0 to 1048576"),
    ("other-process 1 wait", "4:17: expected run or unmap"),
    ("resume", "4:1: expected a paused event: nothing is paused, and no pause is asked for"),
    (
      "revmap fail 1",
      "4:1: expected a policy with a reverse map: under revmap=none there is nothing that can fail"
    ),
    (
      "memslot 1 0x80000000 512G backing=4K\nhost write 0x80000000 65G",
      "5:23: expected at most 64G: the range is handled page by page"
    ),
    (
      "iommu map 0x1000 65G 0x2000 rw",
      "4:18: expected at most 64G: the range is handled page by page"
    ),
    ("revmap break", "4:8: expected fail or fail-erase"),
    ("pause at=x", "4:10: expected a number after 'at='"),
    ("expect violation leaf", "4:18: expected none, leaf-outlives-page, writable-leaf"),
    (
      "expect under=v1,v9 violation none",
      "4:14: expected names of reverse maps with commas between them: none, v1"
    ),
    ("expect leaf shadow=0 0x1000 64K", "4:29: expected none, 4K, 2M or 1G"),
    ("expect revmap shadow=0 0x1000 lost", "4:31: expected known, unknown, none or payload"),
    ("l1 read \u{1b}[31m", "4:9: expected text, found a control character"),
  ])
  func `a wrong statement is reported at its place`(statement: String, expected: String) {
    let found = message(head + statement + "\n") ?? "nothing wrong"
    #expect(found.hasPrefix("f.pw:" + expected))
  }

  @Test func `an L2 needs a VM with nesting`() {
    let text = "pagewalk 1\nvm ipa=40\nl2 read 0\n"
    #expect(
      message(text) == "f.pw:3:1: expected a VM with nested=on: without it there is no L2")
  }

  @Test func `nothing of a refused statement is carried out`() throws {
    let text = head + "host discard 0x40000000 8M\n"
    var session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "f.pw"))
    try session.advance()
    let before = session.timeline.machine.memory
    #expect(throws: ScenarioError.self) { try session.advance() }
    #expect(session.timeline.machine.memory.hasSameWords(as: before))
    #expect(session.timeline.events.count == 1)
  }

  @Test func `a quoted text ends on its line`() {
    #expect(
      message("pagewalk 1\ntitle \"a\\\nb\"\n")
        == "f.pw:2:7: expected a closing quote on the same line")
    #expect(
      message("pagewalk 1\ntitle \"a\\") == "f.pw:2:7: expected a closing quote on the same line")
  }

  @Test func `conditions of expectations are nested only so deep`() {
    let condition = "under=none "
    let atMost = "expect " + String(repeating: condition, count: 8) + "violation none"
    #expect(message(head + atMost + "\n") == nil)
    let line = "expect " + String(repeating: condition, count: 100_000) + "violation none"
    #expect(message(head + line + "\n") == "f.pw:4:102: expected at most 8 conditions")
  }

  @Test func `a line of ten megabytes is an error like any other`() {
    let line = [UInt8](repeating: UInt8(ascii: "x"), count: 10 << 20)
    #expect(message([UInt8](head.utf8) + line)?.hasPrefix("f.pw:4:1: expected a statement") == true)
  }

  @Test func `invalid UTF-8 and binary data are errors, not traps`() {
    #expect(
      message([UInt8]("pagewalk 1\ntitle \"".utf8) + [0xff, 0xfe] + [UInt8]("\"\n".utf8))
        == "f.pw:2:8: expected valid UTF-8")
    #expect(message([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]) != nil)
    #expect(message([0, 0, 0]) != nil)
  }

  @Test func `a file that is cut anywhere is read as far as it makes sense, or refused at its end`()
  {
    let text = head + "title \"a \\\" text\"\nl1 store 0x40100000 0x40103003\nstep 01 \"a label\"\n"
    let lines = text.split(separator: "\n").count
    for count in 0...text.utf8.count {
      let bytes = [UInt8](text.utf8.prefix(count))
      do throws(ScenarioError) {
        _ = try Scenario(parsing: bytes, file: "f.pw")
      } catch {
        let last = bytes.count { $0 == UInt8(ascii: "\n") } + 1
        #expect(error.line <= last + 1 && error.line <= lines + 1, "\(count) bytes: \(error)")
        // Only the line that is cut can be wrong, or what is missing after it.
        #expect(error.line >= last - 1, "\(count) bytes: \(error)")
      }
    }
  }

  /// Any file, cut or changed anywhere, is either carried out or refused with a place.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `mutilated files never trap`(seed: UInt64) {
    let original = [UInt8](
      (head + """
        memslot 1 0x80000000 32M backing=4K
        memslot 2 0xc0000000 32M backing=thp
        l1 store 0x40100000 0x40103003
        l1 store 0x40103000 0x40104003
        l1 store 0x40104080 0x400000800057ff
        l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=0x480000039
        l2 write 0x10000 value=0x1
        expect value 0
        host discard 0x80005000 4K
        l1 tlbi ripas2e1is 0x2000 pages=4 granule=4K
        l1 tlbi ipas2e1is 0x5000 ttl=4K:3
        step 01 "a label"
        l2 exec 0x10000
        host merge 0x80000000 64K
        host dirty-log on 0xc0000000
        """).utf8)
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<400 {
      var bytes = original
      for _ in 0...random(4) {
        let place = random(bytes.count)
        switch random(5) {
        case 0: bytes[place] = UInt8(random(256))
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random(8)))
        case 2: bytes.insert(contentsOf: original[..<random(original.count)], at: place)
        case 3: bytes[place] = UInt8(ascii: "0") + UInt8(random(10))
        default: bytes.removeLast(random(bytes.count / 2))
        }
        if bytes.isEmpty { bytes = [0] }
      }
      if let found = message(bytes) { #expect(found.hasPrefix("f.pw:"), "seed \(seed)") }
    }
  }
}
