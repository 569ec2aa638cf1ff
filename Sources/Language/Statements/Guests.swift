import Engine

/// What L1 and L2 do.
///
/// Most statements of long files are accesses: the closures that make their events capture nothing, since
/// captures cost reference counts.
enum GuestStatement: StatementFamily {
  case l1Read, l1Write, l1Execute, l1Store, context
  case invalidateAddress, invalidateRange, invalidateVMID, invalidateAll, invalidateStage1
  case vncr, run, wait
  case l2Read, l2Write, l2Execute, l2Invalidate

  var form: StatementForm {
    switch self {
    case .l1Read:
      StatementForm(
        "l1 read IPA",
        "L1 loads 8 bytes. The address is rounded down to a multiple of 8; stage 1 is off.",
        .event { .access(.l1, vcpu: $0.int(0), .read, $0[1], value: $0.option(2)) })
    case .l1Write:
      StatementForm(
        "l1 write IPA [value=V]",
        "L1 stores 8 bytes. Without `value` what it stores is unknown, and like no other value.",
        .event { .access(.l1, vcpu: $0.int(0), .write, $0[1], value: $0.option(2)) })
    case .l1Execute:
      StatementForm(
        "l1 exec IPA", "L1 fetches an instruction.",
        .event { .access(.l1, vcpu: $0.int(0), .execute, $0[1], value: $0.option(2)) })
    case .l1Store:
      StatementForm(
        "l1 store IPA V", "The same as `l1 write IPA value=V`, short for storing descriptors.",
        .event { .access(.l1, vcpu: $0.int(0), .write, $0[1], value: $0.option(2)) })
    case .context:
      StatementForm(
        "l1 context vttbr=V vtcr=V hcr=V",
        "L1 writes VTTBR_EL2, VTCR_EL2 and HCR_EL2. Of HCR_EL2 only bit 0, VM, matters. KVM chooses a shadow "
          + "when L2 runs next.",
        .event { .context(vcpu: $0.int(0), vttbr: $0[1], vtcr: $0[2], hcr: $0[3]) })
    case .invalidateAddress:
      Self.invalidation(
        "l1 tlbi ipas2e1is NIPA [ttl=G:L]",
        "L1 invalidates one nested IPA, with a level hint in the operand or without."
      ) { .address($0[1], ttl: UInt8(truncatingIfNeeded: $0[2])) }
    case .invalidateRange:
      StatementForm(
        "l1 tlbi ripas2e1is NIPA pages=N granule=4K|16K|64K",
        "L1 invalidates N granules. The range starts at NIPA, rounded down to a granule. An operand holds "
          + "(NUM + 1) << (5 * SCALE + 1) granules; another number takes several instructions, the largest "
          + "first, and IPAS2E1IS with a level hint for an odd one at the end.",
        operands: ["pages=N": .number("N", 1...1 << 36)],
        .event {
          .invalidate(
            vcpu: $0.int(0), .range($0[1], pages: $0[2], granuleShift: 12 + 2 * $0.int(3)))
        })
    case .invalidateVMID:
      Self.invalidation(
        "l1 tlbi vmalls12e1is", "L1 invalidates both stages of its current virtual VMID."
      ) { _ in .currentVMID }
    case .invalidateAll:
      Self.invalidation(
        "l1 tlbi alle1is", "L1 invalidates both stages of every VMID."
      ) { _ in .all }
    case .invalidateStage1:
      Self.invalidation(
        "l1 tlbi vmalle1is", "L1 invalidates stage 1 only, which changes no table."
      ) { _ in .stage1 }
    case .vncr:
      StatementForm(
        "l1 vncr IPA",
        "L1 writes VNCR_EL2 for a guest hypervisor of its own. KVM translates the page when L2 runs next; if there is "
          + "no memory, L1 gets an external abort.",
        .event { .vncr(vcpu: $0.int(0), $0[1]) })
    case .run:
      StatementForm(
        "l1 run",
        "L1 runs on the vCPU, and stays on its CPU until the vCPU's next event. Its VMID is active there.",
        .event { .run(vcpu: $0.int(0)) })
    case .wait:
      StatementForm(
        "l1 wait", "L1 executes WFI, and the vCPU leaves its CPU.",
        .event { .wait(vcpu: $0.int(0)) })
    case .l2Read:
      StatementForm(
        "l2 read NIPA",
        "L2 loads 8 bytes at EL1 with stage 1 off. NIPA is a canonical IPA if HCR_EL2.VM is 0.",
        .event { .access(.l2, vcpu: $0.int(0), .read, $0[1], value: $0.option(2)) })
    case .l2Write:
      StatementForm(
        "l2 write NIPA [value=V]",
        "L2 stores 8 bytes. Without `value` what it stores is unknown, and like no other value.",
        .event { .access(.l2, vcpu: $0.int(0), .write, $0[1], value: $0.option(2)) })
    case .l2Execute:
      StatementForm(
        "l2 exec NIPA", "L2 fetches an instruction.",
        .event { .access(.l2, vcpu: $0.int(0), .execute, $0[1], value: $0.option(2)) })
    case .l2Invalidate:
      StatementForm(
        "l2 tlbi vmalle1is", "L2 is entered and invalidates its stage 1, which changes no table.",
        .event { .l2Invalidate(vcpu: $0.int(0)) })
    }
  }

  private static func invalidation(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> GuestInvalidation
  ) -> StatementForm {
    StatementForm(
      pattern, meaning, .event { .invalidate(vcpu: $0.int(0), make($0)) })
  }

  /// The form of an access.
  static func access(by guest: Guest, _ kind: AccessKind) -> GuestStatement {
    switch (guest, kind) {
    case (.l1, .read): .l1Read
    case (.l1, .write): .l1Write
    case (.l1, .execute): .l1Execute
    case (.l2, .read): .l2Read
    case (.l2, .write): .l2Write
    case (.l2, .execute): .l2Execute
    }
  }
}

extension GuestInvalidation {
  func statement(vcpu: Int) -> String {
    switch self {
    case .address(let nested, let ttl):
      GuestStatement.invalidateAddress.text(vcpu, nested, ttl == 0 ? nil : UInt64(ttl))
    case .range(let nested, let pages, let granuleShift):
      GuestStatement.invalidateRange.text(vcpu, nested, pages, (granuleShift - 12) / 2)
    case .currentVMID: GuestStatement.invalidateVMID.text(vcpu)
    case .all: GuestStatement.invalidateAll.text(vcpu)
    case .stage1: GuestStatement.invalidateStage1.text(vcpu)
    }
  }

  var sentence: String {
    switch self {
    case .address(let address, let ttl):
      "nested IPA \(Phrase.address(address)) (TLBI IPAS2E1IS"
        + (ttl == 0 ? ", no level hint)" : ", level hint \(ttl & 3))")
    case .range(let address, let pages, let shift):
      "\(Phrase.size(pages << UInt64(shift))) from nested IPA \(Phrase.address(address)) "
        + "(TLBI RIPAS2E1IS)"
    case .currentVMID: "all of its VMID (TLBI VMALLS12E1IS)"
    case .all: "everything (TLBI ALLE1IS)"
    case .stage1: "stage 1 only (TLBI VMALLE1IS)"
    }
  }
}

extension AccessKind {
  /// The verb for such an access.
  var verb: String {
    switch self {
    case .read: "reads"
    case .write: "writes"
    case .execute: "executes"
    }
  }
}
