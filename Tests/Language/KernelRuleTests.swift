import KernelText
import TestSupport
import Testing

@testable import Engine
@testable import Language

/// Rules of Linux 7.3 that no capture shows, each as a short scenario: what must hold follows from the
/// kernel's function that is named.
@Suite struct KernelRuleTests {
  /// The end of a scenario, whose expectations must hold.
  private func run(
    _ text: String, nested: Bool = false, bits: Int = 40, vcpus: Int = 1
  ) throws -> Machine {
    let head = "pagewalk 1\nvm ipa=\(bits) vcpus=\(vcpus) nested=\(nested ? "on" : "off")\n"
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

  @Test func `an access flag that cannot be stored is an external abort (walk_nested_s2_pgd)`()
    throws
  {
    let machine = try run(
      tables + """
        l1 store 0x40102000 0x800003ff
        l1 context vttbr=0x0001000040100000 vtcr=0x80223559 hcr=1
        host protect 0x40102000 4K r
        l2 read 0
        expect l1 data-abort fsc=0x17 ipa=0
        l1 read 0x40102000
        expect value 0x800003ff
        """, nested: true)
    #expect(leaves(machine, .shadow(0)) == [])
  }

  @Test func `relaxing never takes execution away (kvm_pgtable_stage2_relax_perms)`() throws {
    // L1's entry becomes writable and loses execution, without an invalidation. XN is only touched
    // for KVM_PGTABLE_PROT_X.
    let machine = try run(
      tables + """
        l1 store 0x40102000 0x8000077f
        l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
        l1 write 0x80000000
        l2 exec 0
        l1 store 0x40102000 0x400000800007ff
        l2 write 0
        """, nested: true)
    #expect(leaves(machine, .shadow(0)) == ["0 4K 3 R W px ux AF"])
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

  // MARK: Locks that are dropped, and contexts in use

  /// Two shadows, of which the other vCPU takes the second while the first is being emptied.
  private static let secondShadow = """
    memslot 0 0x40000000 4M backing=4K
    memslot 1 0x80000000 4M backing=4K
    l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=0
    l2 read 0x40001000

    """

  @Test(arguments: ["l1 tlbi alle1is", "host delete-memslot 0x80000000"])
  func `a shadow is asked for its validity when its turn comes (kvm_nested_s2_unmap)`(
    event: String
  ) throws {
    _ = try run(
      Self.secondShadow + """
        pause
        \(event)
        l1@1 context vttbr=0x0002000040100000 vtcr=0x80023559 hcr=0
        l2@1 read 0x40002000
        expect leaf shadow=1 0x40002000 4K
        resume
        expect leaf shadow=1 0x40002000 none
        """, nested: true, vcpus: 2)
  }

  @Test func `a shadow is asked for its VMID when its turn comes (kvm_s2_mmu_iterate_by_vmid)`()
    throws
  {
    _ = try run(
      """
      memslot 0 0x40000000 4M backing=4K
      memslot 1 0x80000000 4M backing=4K
      l1 store 0x40100000 0x40101003
      l1 store 0x40101000 0x40102003
      l1 store 0x40102008 0x800017ff
      l1 store 0x40200000 0x40101003
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 read 0x1000
      l1@1 context vttbr=0x0001000040200000 vtcr=0x80023559 hcr=1
      pause
      l1 tlbi vmalls12e1is
      l2@1 read 0x1000
      expect leaf shadow=1 0x1000 4K
      resume
      expect leaf shadow=1 0x1000 none
      """, nested: true, vcpus: 2)
  }

  @Test func `a context that a paused vCPU has in use is not recycled (get_s2_mmu_nested)`() throws
  {
    var text = "memslot 0 0x40000000 4M backing=4K\n"
    for vmid in 1...4 {
      text +=
        "l1 context vttbr=0x000\(vmid)000040100000 vtcr=0x80023559 hcr=0\nl2 read 0x40001000\n"
    }
    text += "l1 context vttbr=0x0005000040100000 vtcr=0x80023559 hcr=0\npause\nl2 read 0x40001000\n"
    for vmid in 6...9 {
      text +=
        "l1@1 context vttbr=0x000\(vmid)000040100000 vtcr=0x80023559 hcr=0\nl2@1 read 0x40002000\n"
    }
    let machine = try run(text + "resume\n", nested: true, vcpus: 2)
    // VMID 5 has had shadow 0 all the time; 9 is the second that shadow 1 was given to.
    let vmids = (0..<4).map { VTTBR(machine[machine.shadow($0), .vttbr]).vmid }
    #expect(vmids == [5, 9, 7, 8])
    #expect(leaves(machine, .shadow(0)).map { $0.prefix(8) } == ["40001000"])
  }

  @Test func `write protection may drop mmu_lock between gigabytes (kvm_stage2_wp_range)`() throws {
    let machine = try run(
      """
      memslot 1 0x80000000 2G backing=4K
      l1 write 0x80000000
      l1 write 0xc0000000
      pause
      host dirty-log on 0x80000000
      l1 write 0xc0001000
      resume
      """)
    // The page written while the event was stopped is protected as well: its part came later.
    #expect(
      leaves(machine) == [
        "80000000 4K 3 R px ux AF", "c0000000 8K 3 R px ux AF",
      ])
  }

  @Test func `a slot that is being deleted holds no mmap_lock (kvm_arch_flush_shadow_memslot)`()
    throws
  {
    _ = try run(
      Self.secondShadow + """
        pause
        host delete-memslot 0x80000000
        l1@1 write 0x40003000
        expect leaf canonical 0x40003000 4K
        resume
        """, nested: true, vcpus: 2)
  }

  @Test func `the log of a slot is fetched under one lock (kvm_get_dirty_log_protect)`() throws {
    var machine = try run(
      """
      memslot 1 0x80000000 2M backing=4K
      host dirty-log on 0x80000000
      l1 write 0x80000000
      l1 write 0x80064000
      """)
    machine.steps.isRecording = true
    try machine.apply(.host(.getDirtyLog(0x8000_0000)))
    let names = machine.steps.steps.map(\.action.caseName)
    #expect(names.count { $0 == "dirtyPages" } == 2)
    #expect(names.count { $0 == "locked" } == 1 && names.count { $0 == "unlocked" } == 1)
  }

  // MARK: Counts

  @Test func `each gigabyte of a sweep has a TLBI of its own (stage2_apply_range)`() throws {
    let setUp = Self.secondShadow.split(separator: "\n").joined(separator: "\n") + "\n"
    let before = try run(setUp, nested: true)[.invalidations]
    let after = try run(setUp + "l1 tlbi alle1is\n", nested: true)[.invalidations]
    // 48 bits of nested IPA; the tables of three levels below the root are freed one by one.
    #expect(after - before == 1 << 18 + 3)
  }

  @Test func `a chunk of a gigabyte splits a block of a gigabyte at once (stage2_split_walker)`()
    throws
  {
    let setUp = "memslot 1 0x80000000 1G backing=hugetlb-1G\nl1 write 0x80000000\n"
    func counts(_ chunk: String) throws -> (
      leaves: [String], invalidations: UInt64, removed: UInt64
    ) {
      let before = try run("host eager-split \(chunk)\n" + setUp)
      let after = try run("host eager-split \(chunk)\n" + setUp + "host dirty-log on 0x80000000\n")
      return (
        leaves(after),
        after[.invalidations] - before[.invalidations],
        after[.unmaps] - before[.unmaps]
      )
    }
    let (whole, parts) = (try counts("1G"), try counts("2M"))
    #expect(whole.leaves == parts.leaves)
    // One break; and the invalidation after the write protection. By 2M, also one for each 2M block.
    #expect(whole.invalidations == 2)
    #expect(parts.invalidations == 2 + 512)
  }

  @Test func `a VNCR page is dirty once it is translated (kvm_translate_vncr)`() throws {
    _ = try run(
      """
      memslot 0 0x40000000 4M backing=4K
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=0
      l1 vncr 0x40005000
      host dirty-log on 0x40000000
      l2 read 0x40001000
      host dirty-log get 0x40000000
      expect dirty slot=0 word0=0x20
      """, nested: true)
  }

  @Test func `ageing drops no TLB entry (kvm_mmu_notifier_clear_young)`() throws {
    _ = try run(
      """
      policy cpu-tlb=kept
      memslot 1 0x80000000 2M backing=4K
      l1 write 0x80000000 value=1
      host idle 0x80000000
      l1 read 0x80000000
      host test-idle 0x80000000
      expect idle 0x80000000 1
      """)
  }

  @Test func `bits above 48 of a range operation are lost (decode_range_tlbi)`() throws {
    _ = try run(
      """
      memslot 0 0x40000000 4M backing=4K
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=0
      l2 read 0x40000000
      l1 tlbi ripas2e1is 0x1000040000000 pages=2 granule=64K
      expect leaf shadow=0 0x40000000 4K
      l1 tlbi ripas2e1is 0x2000040000000 pages=2 granule=64K
      expect leaf shadow=0 0x40000000 none
      """, nested: true)
  }

  // MARK: pKVM

  private static let protectedHost = "policy pkvm=v5\npkvm memory 0x800000000 64M\n"

  @Test(arguments: [
    // `host_stage2_get_guest_info`
    ("pkvm force-reclaim 0x1000", KernelError.efault),
    // `check_range_allowed_memory`
    ("pkvm share host hyp 0x10000000000", .eperm),
    // `pfn_range_is_valid`, first in the calls that take a number of pages
    ("pkvm donate host hyp 0x10000000000 4K", .einval),
    ("pkvm donate hyp host 0x10000000000 4K", .einval),
    ("pkvm share host ffa 0x10000000000 4K", .einval),
    ("pkvm unshare host ffa 0x10000000000 4K", .einval),
    ("pkvm create guest plain\npkvm share host guest 0x10000000000 4K 0 rw", .einval),
    // `__insert_vm_table_entry`
    ("pkvm create guest protected\npkvm create guest protected", .einval),
    // `__pkvm_start_teardown_vm`
    ("pkvm create guest protected\npkvm teardown guest\npkvm teardown guest", .einval),
    ("pkvm donate host hyp 0x803fff000 8K", .einval),
    ("pkvm create guest protected\npkvm donate host guest 0x10000000000 0x1000", .eperm),
    // `_kvm_pgtable_walk`
    ("pkvm create guest protected\npkvm share guest host 0x10000000000", .erange),
    // `guest_get_page_state`
    (
      """
      pkvm create guest plain
      pkvm share host guest 0x800001000 4K 0x1000 rw
      pkvm teardown guest
      pkvm reclaim guest 0x1000
      """, .eperm
    ),
    // `_kvm_pgtable_walk`, above an address whose page was reclaimed by force
    (
      """
      pkvm create guest protected
      pkvm donate host guest 0x800001000 0x1000
      pkvm force-reclaim 0x800001000
      pkvm teardown guest
      pkvm reclaim guest 0x10000001000
      """, .erange
    ),
  ])
  func `a hypercall of pKVM that is refused has the kernel's error`(
    statements: String, error: KernelError
  ) throws {
    #expect(try run(Self.protectedHost + statements).lastError == error)
  }

  @Test func `a page reclaimed by force is reclaimed again with success`() throws {
    // `__pkvm_host_force_reclaim_page_guest` rounds the address down;
    // `__pkvm_host_reclaim_page_guest` takes EHWPOISON for success.
    let machine = try run(
      Self.protectedHost + """
        pkvm create guest protected
        pkvm donate host guest 0x800001000 0x1000
        pkvm force-reclaim 0x800001008
        expect pkvm host 0x800001000 owned
        pkvm teardown guest
        pkvm reclaim guest 0x1000
        """)
    #expect(machine.lastError == nil)
  }

  @Test
  func `a guest that shares its page changes software bits alone (stage2_map_walker_try_leaf)`()
    throws
  {
    var machine = try run(
      Self.protectedHost + """
        pkvm create guest protected
        pkvm donate host guest 0x800001000 0x1000
        """)
    for call in [PKVMCall.guestShareHost(0, 0x1000), .guestUnshareHost(0, 0x1000)] {
      let before = machine.walk(0x1000, in: try #require(machine.table(.protectedGuest(0))))
      let start = machine.memory.journalCount
      try machine.apply(.pkvm(.call(call)))
      #expect(machine.lastError == nil)
      let stored = (start..<machine.memory.journalCount).filter {
        machine.memory.journalEntry($0).slot == before.slot
      }
      // One store of the entry; a break and a make would be two.
      #expect(stored.count == 1)
      let after = machine.memory.load(before.slot)
      #expect(
        (after ^ before.descriptor.bits) & ~(0xf << 55) == 0 && after != before.descriptor.bits)
    }
  }

  @Test func `the host's fetch from MMIO never ends (handle_host_mem_abort)`() throws {
    let machine = try run(
      Self.protectedHost + "pkvm host exec 0x1000\nexpect leaf pkvm-host 0x1000 1G\n")
    #expect(machine.lastError == nil)
  }

  @Test func `a page is the hypervisor's before the host loses it (__pkvm_host_donate_hyp)`() throws
  {
    var machine = try run(Self.protectedHost + "pkvm host read 0x800001000\n")
    machine.steps.isRecording = true
    try machine.apply(.pkvm(.call(.hostDonateHyp(0x8_0000_1000..<0x8_0000_2000))))
    let names = machine.steps.steps.map(\.action.caseName)
    let (hypervisor, host) = (
      names.firstIndex(of: "hypervisorState"), names.firstIndex(of: "hostState")
    )
    #expect(try #require(hypervisor) < #require(host))
  }

  // MARK: Realms, and devices

  @Test func `destroyed memory of a realm does not come back as RAM (RMI_DATA_CREATE_UNKNOWN)`()
    throws
  {
    _ = try run(
      """
      policy cca=on
      memslot 0 0x80000000 4M backing=4K
      host write 0x80000000 8K
      realm rtt-create 0x80000000 2
      realm rtt-create 0x80000000 3
      realm ripas 0x80000000 4K ram
      realm delegate 0x80000000 8K
      realm data-create 0x80000000
      expect leaf canonical 0x80000000 4K
      realm data-destroy 0x80000000
      realm data-create 0x80000000
      expect leaf canonical 0x80000000 none
      l1 read 0x80000000
      expect error efault
      realm ripas 0x80000000 4K ram
      expect leaf canonical 0x80000000 4K
      """)
  }

  @Test(arguments: ["iommufd", "vfio"])
  func `pinned areas are unmapped one by one, over holes (iopt_unmap_iova_range)`(
    pinning: String
  ) throws {
    _ = try run(
      """
      policy iommu-pin=\(pinning)
      memslot 0 0x80000000 8M backing=4K
      iommu attach
      iommu pin 0x80000000 2M
      iommu pin 0x80400000 2M
      iommu map 0x80700000 4K 0x900000000 rw
      iommu unmap 0x80000000 8M
      dev read 0x80000000
      expect dma fault=translation
      dev read 0x80400000
      expect dma fault=translation
      dev read 0x80700000
      expect dma fault=translation
      """)
  }

  @Test func `VFIO unmaps an area run by run, and syncs each 512 (vfio_unmap_unpin)`() throws {
    // Every other page is older: 1,024 pages, no two of which lie together.
    var text = "policy iommu-pin=vfio\nmemslot 0 0x80000000 4M backing=4K\n"
    for page in stride(from: 0, to: 1024, by: 2) {
      text += "host write 0x\(hex(0x8000_0000 + UInt64(page) * 4096)) 4K\n"
    }
    var machine = try run(text + "iommu attach\niommu pin 0x80000000 4M\n")
    machine.steps.isRecording = true
    try machine.apply(.iommu(device: 0, .unmap(0x8000_0000..<0x8040_0000)))
    let names = machine.steps.steps.map(\.action.caseName)
    #expect(names.count { $0 == "unmapCall" } == 1024)
    #expect(names.count { $0 == "pagesUnpinned" } == 2)
    #expect(names.count { $0 == "sync" } == 2)
    // Pages are unmapped by pages, so no table is freed.
    #expect(!names.contains("freeTable"))
    #expect(machine.lastError == nil)
  }

  @Test func `VFIO maps what lies before a hole, and takes it back (vfio_pin_map_dma)`() throws {
    var machine = try run(
      """
      policy iommu-pin=vfio
      memslot 0 0x80000000 2M backing=4K
      host write 0x80001000 4K
      host write 0x80000000 4K
      host unmap 0x80003000 4K
      iommu attach
      """)
    machine.steps.isRecording = true
    try machine.apply(.iommu(device: 0, .pin(0x8000_0000..<0x8000_4000)))
    #expect(machine.lastError == .efault)
    let steps = machine.steps.steps
    // Two runs end where the next page lies elsewhere, and are mapped. The third asks for more pages, and fails.
    for call in ["mapCall", "unmapCall"] {
      #expect(
        steps.filter { $0.action.caseName == call }.map(\.address) == [0x8000_0000, 0x8000_1000])
    }
    #expect(!machine.isAnyPinned(in: 0x8000_0000..<0x8020_0000, of: 0))
    let outcome = machine.deviceOutcome(of: 0x8000_0000, write: false, device: 0)
    if case .fault = outcome {} else { Issue.record("\(outcome)") }
  }

  @Test func `a page that fork no longer shares is reused with a local TLBI (fault.c)`() throws {
    _ = try run(
      """
      policy iommu-tlbi=broadcast
      policy sva-asid=process
      policy sva-notifier=off
      policy iommu-fault=stall
      memslot 0 0x80000000 2M backing=4K
      host write 0x80000000 4K
      host fork
      iommu sva
      dev read 0xffff9be00000
      host write 0x80000000 4K
      dev write 0xffff9be00000
      expect dma stalled
      """)
  }

  @Test(arguments: [
    // `dup_mmap`: one flush of the process, after the notifications of all VMAs.
    ("host fork", 2, ["hostAll"]),
    // `change_pmd_range` ends the notification, `tlb_end_vma` flushes.
    ("host protect 0x80000000 2M r", 1, ["host"]),
    // `zap_page_range_single`: under the notification.
    ("host discard 0x80000000 4K", 1, []),
  ])
  func `the process' translations are invalidated after the notifier, or in it`(
    event: String, notifications: Int, after: [String]
  ) throws {
    var session = try session(
      """
      memslot 0 0x80000000 2M backing=4K
      memslot 1 0xc0000000 2M backing=4K
      host write 0x80000000 4K
      host write 0xc0000000 4K
      iommu sva
      \(event)
      """)
    // Going there finds the micro-steps.
    session.seek(to: session.timeline.moment)
    let names = session.timeline.steps.map(\.action.caseName)
    #expect(names.count { $0 == "notifierEnd" } == notifications)
    let last = try #require(names.lastIndex(of: "notifierEnd"))
    let flushes: Set = ["host", "hostAll"]
    #expect(names[last...].filter { flushes.contains($0) } == after)
    #expect(names.filter { flushes.contains($0) }.count == max(1, after.count))
  }

  // MARK: What the host does to memory that is pinned

  /// The micro-steps of a scenario's last event.
  private func lastSteps(
    _ text: String, nested: Bool = false, vcpus: Int = 1
  ) throws -> [Step] {
    let head = "pagewalk 1\nvm ipa=40 vcpus=\(vcpus) nested=\(nested ? "on" : "off")\n"
    var session = Session(try Scenario(parsing: [UInt8]((head + text).utf8), file: "f.pw"))
    try session.finish()
    #expect(session.failures == [])
    // Going there finds the micro-steps.
    session.seek(to: session.timeline.moment)
    return session.timeline.steps
  }

  /// Why a statement after an unfinished scenario is refused; nil if it is not.
  private func refusal(
    of statement: String, after text: String, nested: Bool = false, vcpus: Int = 1
  ) -> String? {
    do {
      _ = try run(text + "\n" + statement, nested: nested, vcpus: vcpus)
      return nil
    } catch { return "\(error)" }
  }

  @Test(arguments: ["iommu pin 0x80000000 2M", "iommu pin 0x80001000 4K"])
  func `fork splits a huge page of which any part is pinned (copy_huge_pmd)`(pin: String) throws {
    let machine = try run(
      """
      memslot 0 0x80000000 8M backing=thp
      host write 0x80000000 4M
      iommu attach
      \(pin)
      l1 write 0x80000000
      l1 write 0x80200000
      host fork
      l1 write 0x80000000
      l1 read 0x80001000
      l1 read 0x80200000
      """)
    // All 512 pages stay writable and the parent's own; the other huge page is shared with the child.
    #expect(
      leaves(machine) == [
        "80000000 8K 3 R W px ux AF", "80200000 2M 2 R px ux AF BLK",
      ])
  }

  @Test
  func
    `a hugetlb page of which a part is pinned is copied for the child (hugetlb_try_dup_anon_rmap)`()
    throws
  {
    let machine = try run(
      """
      memslot 0 0x40000000 2G backing=hugetlb-1G
      host write 0x40000000 2G
      iommu attach
      iommu pin 0x40001000 4K
      host fork
      l1 read 0x40000000
      l1 read 0x80000000
      """)
    #expect(leaves(machine) == ["40000000 1G 1 R W px ux AF BLK", "80000000 1G 1 R px ux AF BLK"])
  }

  /// Three equal pages, of which one is pinned; KVM maps all.
  private static func equalPages(pinned: String) -> String {
    """
    memslot 0 0x80000000 2M backing=4K
    l1 write 0x80000000 value=0
    l1 write 0x80001000 value=0
    l1 write 0x80002000 value=0
    iommu attach
    iommu pin \(pinned) 4K
    l1 read 0x80000000
    l1 read 0x80001000
    l1 read 0x80002000
    host merge 0x80000000 2M

    """
  }

  @Test func `a pinned page is notified, and stays as it was (write_protect_page)`() throws {
    // Of three pages the middle one is pinned: the others become one.
    let text = Self.equalPages(pinned: "0x80001000")
    let machine = try run(text)
    // No leaf is left: the notifier came before the pin was seen.
    #expect(leaves(machine) == [])
    let pages = [0x8000_0000, 0x8000_1000, 0x8000_2000].map { machine.hostPage(at: $0)?.physical }
    #expect(pages[0] == pages[2] && pages[0] != pages[1])
    let read = "l1 read 0x80000000\nl1 read 0x80001000\nl1 read 0x80002000\n"
    #expect(
      leaves(try run(text + read)) == [
        "80000000 4K 3 R px ux AF", "80001000 4K 3 R W px ux AF", "80002000 4K 3 R px ux AF",
      ])
  }

  @Test func `a page whose equal is pinned is broken out of KSM again (break_cow)`() throws {
    let text = Self.equalPages(pinned: "0x80000000")
    let steps = try lastSteps(text).map(\.action.caseName)
    // The tree has the pinned page, and each of the others meets it.
    #expect(steps.count { $0 == "mergeRefused" } == 2)
    #expect(steps.count { $0 == "unshared" } == 2)
    let machine = try run(text + "l1 write 0x80001000\nl1 write 0x80002000\n")
    let pages = [0x8000_0000, 0x8000_1000, 0x8000_2000].map { machine.hostPage(at: $0)?.physical }
    #expect(Set(pages).count == 3)
  }

  // MARK: The host's locks

  @Test func `a collapse ends its notifier before it copies (collapse_huge_page)`() throws {
    let steps = try lastSteps(
      """
      memslot 0 0x80000000 4M backing=thp
      host hugepages 0x80000000 4M off
      host write 0x80000000 8K
      host read 0x80004000 4K
      host hugepages 0x80000000 4M on
      host collapse 0x80000000 2M
      """)
    let names = steps.map(\.action.caseName)
    let end = try #require(names.lastIndex(of: "notifierEnd"))
    let copy = try #require(names.firstIndex(of: "collapse"))
    #expect(end < copy)
    // Two pages were written; the zero page is not copied.
    let action = steps[copy].action
    if case .host(.collapse(_, let copied)) = action {
      #expect(copied == 2)
    } else {
      Issue.record("\(action)")
    }
  }

  private static let twoSlots = """
    memslot 0 0x80000000 2G backing=4K
    memslot 1 0x40000000 16M backing=4K
    l1 write 0x80000000
    l1 write 0x40000000

    """

  @Test func `munmap has removed its VMAs before the notifier (vms_complete_munmap_vmas)`() throws {
    let paused = Self.twoSlots + "pause\nhost unmap 0x80000000 2G\n"
    _ = try run(
      paused + """
        l1@1 read 0x80001000
        expect error efault
        host write 0x40001000 4K
        host discard 0x40001000 4K
        iommu attach
        iommu pin 0x40002000 4K
        resume
        expect leaf canonical 0x80000000 none
        """, vcpus: 2)
    // Whoever changes VMAs waits for the readers; faults elsewhere wait for the invalidation alone.
    #expect(refusal(of: "host unmap 0x40000000 4K", after: paused)?.contains("lock") ?? false)
    let machine = try run(paused + "l1@1 read 0x40001000\n", vcpus: 2)
    #expect(machine.outcome(of: .l1, vcpu: 1) == .blocked)
  }

  @Test(arguments: [
    // A VMA's own lock leaves mmap_lock free: what concerns other VMAs goes on.
    ("host discard 0x80000000 2G", "host protect 0x40000000 16M r", true),
    ("host discard 0x80000000 2G", "host unmap 0x40000000 16M", true),
    ("host discard 0x80000000 2G", "host protect 0x80000000 4K r", false),
    ("host discard 0x80000000 2G", "host fork", false),
    ("host discard 0x80000000 2G", "host discard 0x80001000 4K", true),
    ("host protect 0x80000000 2G r", "host discard 0x40000000 4K", true),
    ("host protect 0x80000000 2G r", "host write 0x40000000 4K", true),
    ("host protect 0x80000000 2G r", "host discard 0x80000000 4K", false),
    ("host protect 0x80000000 2G r", "host protect 0x40000000 4K r", false),
  ])
  func `MADV_DONTNEED and page faults hold the lock of their VMA (lock_vma_under_rcu)`(
    paused: String, other: String, runs: Bool
  ) throws {
    let text = Self.twoSlots + "pause\n\(paused)\n"
    #expect((refusal(of: other, after: text) == nil) == runs)
    // Where nothing was written there is no anon_vma, which is made under mmap_lock (vmf_anon_prepare).
    if paused.contains("protect") {
      let fresh = text.replacing("l1 write 0x40000000\n", with: "")
      #expect(refusal(of: "host write 0x40000000 4K", after: fresh) != nil)
    }
  }

  @Test(arguments: ["host dirty-log on 0x40000000", "memslot 2 0x20000000 4M backing=4K"])
  func `no slot changes while an invalidation is under way (kvm_swap_active_memslots)`(
    change: String
  ) throws {
    let paused = Self.twoSlots + "pause\nhost discard 0x80000000 2G\n"
    #expect(refusal(of: change, after: paused)?.contains("mn_active_invalidate_count") ?? false)
    #expect(refusal(of: "resume\n" + change, after: paused) == nil)
    // A call that changes nothing swaps nothing.
    #expect(refusal(of: "host dirty-log off 0x40000000", after: paused) == nil)
  }

  // MARK: Tables and their pages

  @Test func `splitting may drop mmu_lock between chunks (kvm_mmu_split_huge_pages)`() throws {
    let paused = """
      host eager-split 2M
      memslot 1 0x80000000 8M backing=thp
      l1 write 0x80000000
      l1 write 0x80200000
      l1 write 0x80400000
      pause at=0x80200000
      host dirty-log on 0x80000000

      """
    let machine = try run(paused + "l1 write 0x80400000\n")
    #expect(
      leaves(machine) == [
        "80000000 2M 3 R px ux AF", "80200000 2M 2 R px ux AF BLK", "80400000 4K 3 R W px ux AF",
      ])
    let resumed = try run(paused + "l1 write 0x80400000\nresume\n")
    #expect(
      leaves(resumed) == ["80000000 4M 3 R px ux AF", "80400000 4K 3 R W px ux AF"])
    let steps = try lastSteps(paused + "resume\n")
    #expect(steps.contains { $0.action == .fault(.locked(.split)) })
    // Its pages come from a cache of their own, and the entry leads to a full table.
    let names = Set(steps.map(\.action.caseName))
    #expect(names.isSuperset(of: ["allocateForSplit", "linkTable"]))
    #expect(names.isDisjoint(with: ["allocateTable", "makeTable"]))
  }

  @Test func `a table that a block replaces is freed by RCU (stage2_free_unlinked_table)`() throws {
    let steps = try lastSteps(
      """
      memslot 0 0x80000000 2M backing=thp
      l1 write 0x80000000
      host dirty-log on 0x80000000
      l1 write 0x80000000
      l1 read 0x80001000
      host dirty-log off 0x80000000
      l1 write 0x80001000
      """)
    let freed = steps.filter { $0.stepClass == .tableFreed }
    #expect(freed.map(\.action.caseName) == ["freeReplaced"])
    #expect(freed.first?.explanation.source.detail == "stage2_free_unlinked_table")
  }

  @Test
  func `the TLBI of a freed table names the address where the walk was (stage2_unmap_put_pte)`()
    throws
  {
    let steps = try lastSteps(
      """
      memslot 0 0x80000000 2M backing=4K
      l1 write 0x80005000
      host discard 0x80005000 4K
      """)
    let addresses = steps.compactMap { step in
      if case .tlb(.invalidate(.tableFreed, _)) = step.action { step.address } else { nil }
    }
    #expect(Set(addresses) == [0x8000_5000])
  }

  @Test func `a leaf that another vCPU relaxed is not stored again (stage2_attr_walker)`() throws {
    let text = """
      policy cpu-tlb=kept
      memslot 0 0x80000000 2M backing=4K
      host write 0x80000000 4K
      host dirty-log on 0x80000000
      l1 read 0x80000000
      l1@1 read 0x80000000
      l1 write 0x80000000
      """
    let before = try run(text, vcpus: 2)
    let after = try run(text + "\nl1@1 write 0x80000000", vcpus: 2)
    #expect(after.outcome(of: .l1, vcpu: 1) == .completed)
    #expect(after[.relaxes] == before[.relaxes])
    // The TLBI of this CPU alone is left.
    #expect(after[.invalidations] == before[.invalidations] + 1)
  }

  @Test func `a write below 35 bits of IPA faults for ever (kvm_s2_fault_map)`() throws {
    let text = """
      memslot 0 0x40000000 1G backing=hugetlb-1G
      l1 read 0x40000000
      l1 write 0x40000000

      """
    let stuck = try run(text, bits: 32)
    #expect(stuck.lastOutcome == .endless)
    #expect(leaves(stuck) == ["40000000 1G 2 R px ux AF BLK"])
    // With level 1 the granule is the size.
    let fine = try run(text, bits: 36)
    #expect(fine.lastOutcome == .completed)
  }

  // MARK: L1's registers and tables

  @Test(arguments: [8, 16])
  func `L1 has VMIDs of 16 bits only if the CPU has (kvm_init_nv_sysregs)`(bits: Int) throws {
    let head = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on vmid-bits=\(bits)\n"
    let text =
      tables + """
        l1 context vttbr=0x0101000040100000 vtcr=0x80083559 hcr=1
        l2 read 0
        l1 context vttbr=0x0001000040100000 vtcr=0x80083559 hcr=1
        l2 read 0
        """
    var session = Session(try Scenario(parsing: [UInt8]((head + text).utf8), file: "f.pw"))
    try session.finish()
    let machine = session.timeline.machine
    let contexts = (0..<machine.configuration.shadows).map { machine.shadowContext($0) }
      .filter(\.isValid)
    #expect(contexts.map { $0.vttbr >> 48 } == (bits == 8 ? [1] : [0x101, 1]))
    #expect(contexts.allSatisfy { $0.vtcr >> 19 & 1 == (bits == 8 ? 0 : 1) })
  }

  @Test func `an access flag stored into a KSM page costs no fault (__kvm_at_swap_desc)`() throws {
    let text = """
      memslot 0 0x40000000 8M backing=4K
      l1 store 0x40010000 0x40011003
      l1 store 0x40011000 0x40012003
      l1 store 0x40012000 0x400203ff
      l1 store 0x40013000 0x400203ff
      l1 write 0x40020000 value=5
      host merge 0x40012000 8K
      l1 context vttbr=0x0001000040010000 vtcr=0x80223558 hcr=1
      l2 read 0x0
      expect value 0x5

      """
    let machine = try run(text, nested: true)
    #expect(machine[.shadowFaults] == 1)
    let names = try lastSteps(text, nested: true).map(\.action.caseName)
    #expect(names.count { $0 == "guestRead" } == 3)
    #expect(names.count { $0 == "guestAccessFlag" } == 1)
    // The page was copied, so it has the flag and its twin has not.
    #expect(
      machine.guestWord(at: try #require(machine.hostPage(at: 0x4001_2000)?.physical))
        == 0x4002_07ff)
    #expect(
      machine.guestWord(at: try #require(machine.hostPage(at: 0x4001_3000)?.physical))
        == 0x4002_03ff)
  }

  @Test(arguments: ["v3", "repaired"])
  func `an invalidation says whether the reverse map had entries`(version: String) throws {
    let text =
      "policy revmap=\(version)\n" + tables + """
        l1 store 0x40102000 0x800007ff
        l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
        l2 read 0
        l1 tlbi ipas2e1is 0x0

        """
    let first = try lastSteps(text, nested: true).map(\.action)
    #expect(first.contains(.reverseMap(.forget(isEmpty: false))))
    let second = try lastSteps(text + "l1 tlbi ipas2e1is 0x0\n", nested: true).map(\.action)
    #expect(second.contains(.reverseMap(.forget(isEmpty: true))))
  }

  @Test(arguments: ["0x90000000", "0x80001000"])
  func `L1 gets an external abort for a VNCR page without memory (kvm_handle_vncr_abort)`(
    page: String
  ) throws {
    let text =
      Self.secondShadow + "host unmap 0x80001000 4K\nl1 vncr \(page)\nl2 read 0x40001000\n"
    let machine = try session(text, nested: true).timeline.machine
    #expect(machine.lastOutcome == .externalAbort)
    let steps = try lastSteps(text, nested: true)
    #expect(steps.last { $0.stepClass == .injection }?.facts.convention == .vncr)
    #expect(!steps.contains { $0.stepClass == .data }, "L2 does not come to its access")
  }

  // MARK: Rules while an event is stopped

  @Test(arguments: [
    // Protected, and not yet invalidated.
    """
    memslot 0 0x40000000 2G backing=4K
    l1 write 0x40000000
    pause
    host dirty-log on 0x40000000
    """,
    // Unmapped run by run, and not yet synchronised.
    """
    policy iommu-pin=vfio
    memslot 0 0x40000000 4M backing=4K
    iommu attach
    host write 0x40001000 4K
    host write 0x40000000 4K
    iommu pin 0x40000000 8K
    dev write 0x40000000
    pause
    iommu unmap 0x40000000 8K
    """,
    // The first of two VMAs is protected; the flush of the process comes after the second.
    """
    memslot 0 0x80000000 2M backing=4K
    memslot 1 0xc0000000 2G backing=4K
    host write 0x80000000 4K
    host write 0xc0000000 4K
    iommu sva
    dev write 0xffff9be00000
    pause
    host fork
    """,
  ])
  func `what a stopped event has yet to invalidate breaks no rule`(text: String) throws {
    let stopped = try run(text + "\nexpect violation none\n")
    #expect(stopped.isPaused)
    let resumed = try run(text + "\nresume\nexpect violation none\n")
    #expect(!resumed.isPaused)
  }

  // MARK: Ranges of TLBIs

  @Test(arguments: [(1, 1), (8, 1), (9, 2), (32, 4)])
  func `a slot is invalidated in ranges of 8G (kvm_tlb_flush_vmid_range)`(
    gigabytes: Int, count: Int
  ) throws {
    var machine = try run("memslot 0 0x100000000 \(gigabytes)G backing=4K\nl1 write 0x100000000")
    machine.steps.isRecording = true
    machine.steps.removeAll()
    try machine.apply(.host(.dirtyLog(0x1_0000_0000, true)))
    let invalidations = machine.steps.steps.compactMap { step -> Int? in
      if case .tlb(let step) = step.action { step.invalidations } else { nil }
    }
    #expect(invalidations == [count])
  }
}
