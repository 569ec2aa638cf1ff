import Engine

/// What `expect` may ask for.
enum ExpectStatement: StatementFamily {
  case abort, externalOrSize, kernelError, value, mmio, dirty, idle, noViolation, violation
  case shadowLeaf, leaf, broken, stale, known, unknown, payload
  case translated, fault, aborted, stalled, pageState, guestPageState, pageCount, under

  var form: StatementForm {
    switch self {
    case .abort:
      form(
        "expect l1 data-abort|insn-abort fsc=F [write] ipa=PAGE",
        "The last access of this vCPU's L2 gave L1 this exception: F is the fault status with its level, PAGE "
          + "the page in HPFAR_EL2.",
        operands: ["fsc=F": .number("F", 0...0x3f, .hexadecimal)]
      ) {
        .abort(
          vcpu: $0.int(0), instruction: $0[1] == 1, status: UInt8(truncatingIfNeeded: $0[2]),
          write: $0.has(3), ipa: $0[4])
      }
    case .externalOrSize:
      form(
        "expect error external|size",
        "The last access ended in an external abort, or in an address size fault. No table changed."
      ) { $0[0] == 0 ? .externalAbort : .sizeFault }
    case .kernelError:
      form(
        "expect error \(Self.errors.map { $0.name.lowercased() }.joined(separator: "|"))",
        "The last event, or KVM_RUN in it, ended in this error of the kernel or of the RMM."
      ) { .error(Self.errors[$0.int(0)]) }
    case .value: form("expect value V", "The last read returned V.") { .value($0[0]) }
    case .mmio:
      form(
        "expect mmio read|write IPA LEN",
        "The last access left to user space with this canonical IPA. LEN says what the guest's instruction was; "
          + "nothing depends on it."
      ) { .mmio(write: $0[0] == 1, ipa: $0[1]) }
    case .dirty:
      form(
        "expect dirty slot=ID word0=V",
        "The last `host dirty-log get` of the slot returned V for its first 64 pages."
      ) { .dirty(slot: $0[0], word: $0[1]) }
    case .idle:
      form(
        "expect idle IPA 0|1", "The idle bit of the page is so. This only looks, and ages nothing."
      ) { .idle($0[0], $0[1] == 1) }
    case .noViolation: form("expect violation none", "Every rule holds.") { _ in .violation(nil) }
    case .violation:
      form("expect violation RULE", "This rule does not hold now.") {
        .violation(Invariant.allCases[$0.int(0)])
      }
    case .shadowLeaf:
      form(
        "expect leaf shadow=N ADDRESS none|4K|2M|1G",
        "Shadow N maps the address by a leaf of this size, or does not map it."
      ) { .leaf(.shadow($0.int(0)), $0[1], size: Self.sizes[$0.int(2)]) }
    case .leaf:
      form(
        "expect leaf TABLE ADDRESS none|4K|2M|1G",
        "The table maps the address by a leaf of this size, or does not map it."
      ) { .leaf($0.table, $0[1], size: Self.sizes[$0.int(2)]) }
    case .broken:
      form(
        "expect revmap shadow=N broken|whole",
        "An insertion into the shadow's reverse map has failed since the map was reset, or none has."
      ) { .broken(shadow: $0.int(0), $0[1] == 0) }
    case .stale:
      form(
        "expect revmap shadow=N stale=N",
        "The shadow's reverse map has so many entries without a leaf."
      ) { .stale(shadow: $0.int(0), $0[1]) }
    case .known:
      form(
        "expect revmap shadow=N IPA known NIPA",
        "The shadow's reverse map says that the canonical IPA is mapped at NIPA."
      ) { .reverseMap(shadow: $0.int(0), ipa: $0[1], .known($0[2])) }
    case .unknown:
      form(
        "expect revmap shadow=N IPA unknown|none",
        "The shadow's reverse map says that the canonical IPA is mapped at an unknown address, or has no entry "
          + "for it."
      ) { .reverseMap(shadow: $0.int(0), ipa: $0[1], $0[2] == 0 ? .unknown : .nothing) }
    case .payload:
      form(
        "expect revmap shadow=N IPA payload V",
        "The entry of the shadow's reverse map that covers the canonical IPA is the word V."
      ) { .reverseMap(shadow: $0.int(0), ipa: $0[1], .payload($0[2])) }
    case .translated:
      form(
        "expect dma pa=PA [cached|walked]",
        "The last DMA reached this physical address, by the SMMU's TLB (`cached`) or by a walk (`walked`)."
      ) { .dma(.translated($0[0], cached: $0.option(1).map { $0 == 0 })) }
    case .fault:
      form(
        "expect dma fault=\(Self.faults.map(\.word).joined(separator: "|")) [level=N]",
        "The last DMA ended in this fault, at this level."
      ) { .dma(.fault(Self.faults[$0.int(0)].fault, level: $0.has(1) ? $0.int(1) : nil)) }
    case .aborted:
      form(
        "expect dma aborted",
        "The last DMA was terminated without an event, because the stream is blocked."
      ) { _ in .dma(.aborted) }
    case .stalled: form("expect dma stalled", "The last DMA is stalled.") { _ in .dma(.stalled) }
    case .pageState:
      form(
        "expect pkvm host|hyp PA owned|shared-owned|shared-borrowed|nopage|poison",
        "The page has this state for the host or the hypervisor."
      ) { .pageState($0[0] == 0 ? .host : .hypervisor, $0[1], Self.states[$0.int(2)]) }
    case .guestPageState:
      form(
        "expect pkvm guest IPA owned|shared-owned|shared-borrowed|nopage|poison",
        "The page that the guest has at IPA has this state for the guest."
      ) { .pageState(.guest($0.int(0)), $0[1], Self.states[$0.int(2)]) }
    case .pageCount:
      form("expect pkvm shares PA N", "The host shares the page with N plain guests.") {
        .pageCount($0[0], shares: $0[1])
      }
    case .under:
      StatementForm(
        "expect under=POLICIES EXPECTATION",
        "Another expectation, which counts under these reverse maps only.", .condition)
    }
  }

  private func form(
    _ pattern: String, _ meaning: String, operands: [String: Operand] = [:],
    _ make: @escaping @Sendable (OperandValues) -> Expectation
  ) -> StatementForm {
    StatementForm(pattern, meaning, operands: operands, .expectation(make))
  }

  /// In the order of their words, as are the lists below.
  fileprivate static let errors = KernelError.allCases
  fileprivate static let sizes: [UInt64?] = [nil, Page.size, 2 << 20, 1 << 30]
  fileprivate static let states: [PageState] = [
    .owned, .sharedOwned, .sharedBorrowed, .noPage, .poison,
  ]
  fileprivate static let faults: [(word: String, fault: DeviceFault)] = [
    ("translation", .translation), ("size", .addressSize), ("access", .accessFlag),
    ("permission", .permission), ("conflict", .conflict), ("ste", .badStreamEntry), ("rmp", .rmp),
    ("granule", .granule),
  ]
}

extension Expectation {
  /// Expects that an event ended in an error: errors of KVM_RUN have their own cases.
  fileprivate static func error(_ error: KernelError) -> Expectation {
    switch error {
    case .efault: .efault
    case .enomem: .outOfMemory
    case .eperm, .enoent, .e2big, .eagain, .ebusy, .eexist, .einval, .enospc, .erange, .ehwpoison,
      .rmiInput, .rmiTable:
      .kernelError(error)
    }
  }

  /// The `expect` statement for it.
  package var statement: String {
    switch self {
    case .abort(let vcpu, let instruction, let status, let write, let ipa):
      return ExpectStatement.abort.text(vcpu, instruction ? 1 : 0, UInt64(status), write, ipa)
    case .externalAbort: return ExpectStatement.externalOrSize.text(0)
    case .sizeFault: return ExpectStatement.externalOrSize.text(1)
    case .efault: return Self.statement(of: .efault)
    case .outOfMemory: return Self.statement(of: .enomem)
    case .kernelError(let error): return Self.statement(of: error)
    case .value(let value): return ExpectStatement.value.text(value)
    case .mmio(let write, let ipa): return ExpectStatement.mmio.text(write ? 1 : 0, ipa, 8)
    case .dirty(let slot, let word): return ExpectStatement.dirty.text(slot, word)
    case .idle(let ipa, let isIdle): return ExpectStatement.idle.text(ipa, isIdle ? 1 : 0)
    case .violation(nil): return ExpectStatement.noViolation.text()
    case .violation(let rule?):
      return ExpectStatement.violation.text(Self.word(rule, of: Invariant.allCases))
    case .reverseMap(let shadow, let ipa, let answer):
      switch answer {
      case .known(let nested): return ExpectStatement.known.text(shadow, ipa, nested)
      case .unknown: return ExpectStatement.unknown.text(shadow, ipa, 0)
      case .nothing: return ExpectStatement.unknown.text(shadow, ipa, 1)
      case .payload(let word): return ExpectStatement.payload.text(shadow, ipa, word)
      }
    case .broken(let shadow, let isBroken):
      return ExpectStatement.broken.text(shadow, isBroken ? 0 : 1)
    case .stale(let shadow, let count): return ExpectStatement.stale.text(shadow, count)
    case .leaf(.shadow(let shadow), let address, let size):
      return ExpectStatement.shadowLeaf.text(
        shadow, address, Self.word(size, of: ExpectStatement.sizes))
    case .leaf(let table, let address, let size):
      return ExpectStatement.leaf.text(
        table.name, address, Self.word(size, of: ExpectStatement.sizes))
    case .dma(.translated(let physical, let cached)):
      return ExpectStatement.translated.text(physical, cached.map { $0 ? 0 : 1 })
    case .dma(.fault(let fault, let level)):
      return ExpectStatement.fault.text(
        Self.word(fault, of: ExpectStatement.faults.map(\.fault)), level)
    case .dma(.aborted): return ExpectStatement.aborted.text()
    case .dma(.stalled): return ExpectStatement.stalled.text()
    case .pageState(.guest(let guest), let ipa, let state):
      return ExpectStatement.guestPageState.text(
        guest, ipa, Self.word(state, of: ExpectStatement.states))
    case .pageState(.host, let page, let state):
      return ExpectStatement.pageState.text(
        0, page, Self.word(state, of: ExpectStatement.states))
    case .pageState(.hypervisor, let page, let state):
      return ExpectStatement.pageState.text(
        1, page, Self.word(state, of: ExpectStatement.states))
    case .pageCount(let page, let shares): return ExpectStatement.pageCount.text(page, shares)
    case .under(let policies, let expectation):
      return ExpectStatement.under.text(
        policies.map(\.rawValue).joined(separator: ","),
        String(expectation.statement.dropFirst("expect ".count)))
    }
  }

  private static func statement(of error: KernelError) -> String {
    ExpectStatement.kernelError.text(word(error, of: ExpectStatement.errors))
  }

  /// The number of the word for a value.
  private static func word<Value: Equatable>(_ value: Value, of values: [Value]) -> Int {
    guard let word = values.firstIndex(of: value) else {
      preconditionFailure("no word stands for \(value)")
    }
    return word
  }
}
