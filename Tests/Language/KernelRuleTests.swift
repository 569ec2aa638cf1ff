import Engine
import KernelText
import Testing

@testable import Language

/// Rules of Linux 7.3 that no capture shows, each as a short scenario: what must hold follows from the
/// kernel's function that is named.
@Suite struct KernelRuleTests {
  /// The end of a scenario, whose expectations must hold.
  private func run(_ text: String, nested: Bool = false, bits: Int = 40) throws -> Machine {
    let head = "pagewalk 1\nvm ipa=\(bits) vcpus=1 nested=\(nested ? "on" : "off")\n"
    var session = Session(try Scenario(parsing: [UInt8]((head + text).utf8), file: "f.pw"))
    try session.finish()
    #expect(session.failures == [])
    return session.timeline.machine
  }

  /// The rows of a table's dump that map something, each cut to its start, size and attributes.
  private func leaves(_ machine: Machine, _ table: TableID = .canonical) -> [String] {
    let rows = (KernelDump.text(of: table, in: machine) ?? "").split(separator: "\n")
    return rows.compactMap { row in
      let words = row.split(separator: " ")
      guard words.contains("R") || words.contains("W") || words.contains("AF") else { return nil }
      let start = words[0].dropFirst(2).prefix(16)
      return hex(UInt64(start, radix: 16) ?? 0) + " " + words[1...].joined(separator: " ")
    }
  }

  // MARK: The VMM's address space

  @Test func `mprotect stops at a hole (do_mprotect_pkey)`() throws {
    let machine = try run(
      """
      memslot 1 0x80000000 4M backing=4K
      host unmap 0x80002000 4K
      l1 write 0x80000000
      l1 write 0x80005000
      host protect 0x80000000 32K r
      l1 write 0x80005000
      l1 read 0x80000000
      l1 write 0x80000000
      expect error efault
      host protect 0x80002000 16K r
      l1 write 0x80003000
      """)
    #expect(
      leaves(machine) == [
        "80000000 4K 3 R px ux AF", "80003000 4K 3 R W px ux AF", "80005000 4K 3 R W px ux AF",
      ])
  }

  @Test(arguments: [
    "host protect 0x80000000 32K r", "host protect 0x80001000 2M r", "host unmap 0x80200000 4K",
    "host unmap 0x80000000 1025M", "host discard 0x80001000 1535M", "host discard 0x80000000 512M",
  ])
  func `hugetlb is not cut inside a huge page (hugetlb_vm_op_split)`(operation: String) throws {
    let machine = try run(
      """
      memslot 1 0x80000000 2G backing=hugetlb-1G
      l1 write 0x80000000
      l1 write 0xc0003000
      \(operation)
      """)
    #expect(leaves(machine) == ["80000000 2G 1 R W px ux AF BLK"])
  }

  @Test func `madvise stops at the hugetlb VMA that it cannot discard`() throws {
    let machine = try run(
      """
      memslot 1 0x80000000 2G backing=hugetlb-1G
      l1 write 0x80000000
      l1 write 0xc0003000
      host protect 0x80000000 1G r
      l1 read 0x80000000
      host discard 0x80001000 2044M
      """)
    #expect(
      leaves(machine) == ["80000000 1G 1 R px ux AF BLK", "c0000000 1G 1 R W px ux AF BLK"])
  }

  // MARK: page_idle

  @Test func `a huge page stays one page when its entry is split (page_idle_get_folio)`() throws {
    let split = """
      memslot 1 0x80000000 4M backing=thp
      l1 write 0x80000000
      host discard 0x80005000 4K
      l1 read 0x80000000
      l1 read 0x80001000
      l1 write 0x80005000

      """
    // A tail is passed over.
    let tail = try run(split + "host idle 0x80001000\nexpect idle 0x80001000 0")
    #expect(leaves(tail) == ["80000000 8K 3 R W px ux AF", "80005000 4K 3 R W px ux AF"])
    // By its head, all of the page is aged, and nothing that took the place of a part.
    let head = try run(split + "host idle 0x80000000\nexpect idle 0x80000000 1")
    #expect(leaves(head) == ["80000000 8K 3 R W px ux", "80005000 4K 3 R W px ux AF"])
    // A part that was used makes all of it young.
    _ = try run(
      split
        + """
        host idle 0x80000000
        l1 read 0x80001000
        host test-idle 0x80000000
        expect idle 0x80000000 0
        """)
    // A part that is mapped anew marks the page as accessed (kvm_release_faultin_page).
    _ = try run(split + "host idle 0x80000000\nl1 read 0x80002000\nexpect idle 0x80000000 0")
  }

  @Test func `pages that KSM merged age and rest together (rmap_walk_ksm)`() throws {
    let machine = try run(
      """
      memslot 1 0x80000000 4M backing=4K
      memslot 2 0x90000000 4M backing=4K
      l1 write 0x80000000 value=7
      l1 write 0x80003000 value=7
      host merge 0x80000000 64K
      l1 read 0x80000000
      l1 read 0x80003000
      host idle 0x80003000
      expect idle 0x80000000 1
      """)
    #expect(leaves(machine) == ["80000000 4K 3 R px ux", "80003000 4K 3 R px ux"])
  }

  // MARK: Dirty log

  @Test func `the last page of a word of the bitmap is reported (kvm_get_dirty_log_protect)`()
    throws
  {
    let machine = try run(
      """
      memslot 1 0x80000000 4M backing=4K
      host dirty-log on 0x80000000
      l1 write 0x8003f000
      l1 write 0x80040000
      l1 write 0x80000000
      host dirty-log get 0x80000000
      expect dirty slot=1 word0=0x8000000000000001
      """)
    #expect(leaves(machine) == ["80000000 4K 3 R px ux AF", "8003f000 8K 3 R px ux AF"])
  }

  // MARK: Stage 2

  private let tables = """
    memslot 0 0x40000000 4M backing=4K
    memslot 1 0x80000000 4M backing=4K
    l1 store 0x40100000 0x40101003
    l1 store 0x40101000 0x40102003

    """

  @Test func `a table without 1 GiB entries maps a 1 GiB page in blocks (kvm_pgtable_stage2_map)`()
    throws
  {
    let machine = try run(
      "memslot 1 0x40000000 2G backing=hugetlb-1G\nl1 write 0x40345678", bits: 34)
    #expect(leaves(machine) == ["40000000 1G 2 R W px ux AF BLK"])
  }

  @Test func `of VTCR only the features that L1 is offered are kept (vtcr_el2_feat_map)`() throws {
    let machine = try run(
      """
      l1 context vttbr=0x1000040100001 vtcr=0xfffffffffffff559 hcr=1
      l2 tlbi vmalle1is
      """, nested: true)
    let header = KernelDump.text(of: .shadow(0), in: machine)?.split(separator: "\n").first
    #expect(header == "VTCR: 0x000000009e2ff559 VTTBR: 0x0001000040100000 s2: enabled")
  }

  @Test func `before L1 writes VTCR its bit 31 reads as one (kvm_init_nv_sysregs)`() throws {
    let machine = try run("l2 tlbi vmalle1is", nested: true)
    let header = KernelDump.text(of: .shadow(0), in: machine)?.split(separator: "\n").first
    #expect(header == "VTCR: 0x0000000080000000 VTTBR: 0x0000000000000000 s2: disabled")
  }

  @Test func `an access flag that cannot be stored gives L1 code 0 (__kvm_at_swap_desc)`() throws {
    let machine = try run(
      tables + """
        l1 store 0x40102000 0x800003ff
        l1 context vttbr=0x0001000040100000 vtcr=0x80223559 hcr=1
        host protect 0x40102000 4K r
        l2 read 0
        expect l1 data-abort fsc=0 ipa=0
        expect error efault
        l1 read 0x40102000
        expect value 0x800003ff
        """, nested: true)
    #expect(leaves(machine, .shadow(0)) == [])
  }

  @Test func `relaxing gives the XN that is asked for (kvm_pgtable_stage2_relax_perms)`() throws {
    // L1's entry becomes writable and loses execution, without an invalidation.
    let machine = try run(
      tables + """
        l1 store 0x40102000 0x8000077f
        l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
        l1 write 0x80000000
        l2 exec 0
        l1 store 0x40102000 0x400000800007ff
        l2 write 0
        """, nested: true)
    #expect(leaves(machine, .shadow(0)) == ["0 4K 3 R W PXNUXN AF"])
  }

  @Test func `no slot goes while an invalidation is under way (kvm_swap_active_memslots)`() throws {
    // The notifier empties the shadow gigabyte by gigabyte, and stops between two.
    let paused =
      tables + """
        memslot 2 0xc0000000 4M backing=4K
        l1 store 0x40102000 0x800007ff
        l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
        l2 read 0
        pause
        host discard 0x80000000 4K

        """
    _ = try run(paused + "resume\nhost delete-memslot 0xc0000000", nested: true)
    let error = #expect(throws: ScenarioError.self) {
      try run(paused + "host delete-memslot 0xc0000000", nested: true)
    }
    #expect(error.map { "\($0)" }?.contains("mn_active_invalidate_count") ?? false)
  }
}
