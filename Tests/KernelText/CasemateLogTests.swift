import Testing

@testable import KernelText

/// Records of casemate in all the forms in which its versions and its manual write them.
@Suite struct CasemateLogTests {
  private func read(_ text: String) throws -> CasemateLog { try CasemateLog([UInt8](text.utf8)) }

  @Test(arguments: [
    "(mem-write (id 9) (tid 1) (mem-order release) (address 0x40102008) (value 0x40103003) (src \"a.c:3\"))",
    "(mem-write (id 9) (tid 1) (mem-order release) (address 40102008) (value 40103003) (src \"a.c:3\"))",
    "(MEM-WRITE (ID 9) (THREAD 1) (VALUE 0x40103003) (ADDRESS 0x40102008) (MEM-ORDER RELEASE)\n  (SRC \"a.c:3\"))",
    "\r\n( mem-write\r\n(id 9)(tid 1)(mem-order release)(address 0x40102008)(value 0x40103003)(src \"a.c:3\") )",
  ])
  func `a record is the same in any form`(text: String) throws {
    #expect(CasemateLog.accepts([UInt8](text.utf8)))
    let log = try read(text)
    #expect(log.records.count == 1 && log.verdict == nil)
    let record = log.records[0]
    #expect(record.id == 9 && record.thread == 1 && record.place == "a.c:3")
    #expect(record.action == .write(0x4010_2008, value: 0x4010_3003, isRelease: true))
  }

  @Test func `every kind of record is read`() throws {
    let log = try read(
      """
      (mem-init (id 0) (tid 0) (address 1000) (size 1000))
      (mem-set (id 1) (tid 0) (address 0x2000) (size 0x10) (value 0xff))
      (mem-free (id 2) (tid 0) (address 0x1000) (size 0x1000))
      (mem-read (id 3) (tid 0) (address 0x2000) (value 0xff))
      (barrier (id 4) (tid 0) isb)
      (barrier (id 5) (tid 0) dsb (kind ishst))
      (barrier (id 6) (tid 0) dsb (kind sy))
      (tlbi (id 7) (tid 0) ipas2e1is (value 0x700000012345))
      (tlbi (id 8) (tid 0) ipas2e1is (addr 0x12345000) (level 0x3))
      (tlbi (id 9) (tid 0) vmalls12e1)
      (sysreg-write (id 10) (tid 0) (sysreg vttbr_el2) (value 1000040100000))
      (msr (id 11) (tid 0) (sysreg VTCR_EL2) (value 10))
      (hint (id 12) (tid 0) (kind set_root_lock) (location 0x1000) (value 0x5000))
      (trylock (id 13) (tid 0) (address 0x5000))
      (unlock (id 14) (tid 0) (address 0x5000))
      (exit-context (id 15) (tid 0)  (src "a.c:28"))
      (enter-context (id 16) (tid 0) (el 1))
      ! BBM invalid unclean->valid
      """)
    #expect(
      log.records.map(\.action) == [
        .initialize(0x1000..<0x2000), .set(0x2000..<0x2010, value: 0xff), .free(0x1000..<0x2000),
        .read(0x2000, value: 0xff), .barrier(.isb), .barrier(.ishst), .barrier(.sy),
        .invalidate(.init(kind: .ipas2e1, isBroadcast: true, operand: 0x7000_0001_2345)),
        .invalidate(.init(kind: .ipas2e1, isBroadcast: true, operand: 0x3000_0001_2345)),
        .invalidate(.init(kind: .vmalls12e1, isBroadcast: false, operand: 0)),
        .register(.vttbr, value: 0x1_0000_4010_0000), .register(.vtcr, value: 0x10),
        .hint(.setRootLock, 0x1000, value: 0x5000), .lock(0x5000), .unlock(0x5000),
        .other("exit-context"), .other("enter-context"),
      ])
    #expect(log.records.map(\.line) == Array(1...17))
    #expect(
      log.verdict == .init(line: 18, text: "BBM invalid unclean->valid", records: 17))
  }

  @Test(arguments: [
    ("(mem-write (id 0) (tid 0) (address 0x1000))", "1:1: a mem-write without the fields"),
    ("(barrier (id 0) (tid 0) dsb (kind osh))", "1:1: a barrier without"),
    ("(mem-write (tid 0) (address 1) (value 1))", "1:1: expected (id N) and (tid N)"),
    ("(mem-write (id 0) (tid 0) (address 0x1000) (value 0x1)", "1:55: expected a field"),
    ("(lock (id 0) (tid 0)\n(address 0x1000", "2:16: expected ')'"),
    ("(lock (id 0) (tid 0) (src \"a\n\"))", "1:29: expected a closing quote"),
    ("nothing", "1:1: expected a record"),
    ("(jump (id 0) (tid 0))", "1:1: a jump without"),
    ("(mem-init (id 0) (tid 0) (address 0xffffffffffffffff) (size 2))", "1:1: a mem-init without"),
  ])
  func `what is wrong is named with its place`(text: String, message: String) {
    let error = #expect(throws: TextError.self) { try read(text) }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }
}
