import Engine

/// The world of a scenario, and its chapters.
enum WorldStatement: StatementFamily {
  case version, title, vm, memslot, chapter, step

  var form: StatementForm {
    switch self {
    case .version:
      StatementForm(
        "pagewalk VERSION", "The version of the language, which is 1. The first statement.",
        operands: ["VERSION": .number("VERSION")],
        .prologue { (values) throws(StatementForm.Objection) in
          guard values[0] != Scenario.languageVersion else { return .version }
          throw StatementForm.Objection(
            message: values[0] > Scenario.languageVersion
              ? "'pagewalk 1': version \(values[0]) needs a newer program"
              : "'pagewalk 1': there is no version \(values[0])")
        })
    case .title:
      StatementForm(
        "title \"TEXT\"", "What the scenario is about.", .prologue { .title($0.text(0)) })
    case .vm:
      StatementForm(
        "vm [ipa=BITS] [vcpus=N] [nested=on|off] [vmid-bits=N] [recorded=on|off] [seen=\(Descriptor.Format.seen.map(\.word).joined(separator: "|"))]",
        """
        Creates the VM: once, before any event. The canonical table has 32 to 48 BITS (default 40), the VM \
        1 to 64 vCPUs (default 1), each with a CPU of its own. `nested=on` (default off) gives each vCPU two \
        shadow MMUs of 48 bits, invalid until they are used. `vmid-bits` is the width of a hardware VMID, 3 \
        to 16 (default 16); with few bits a rollover comes soon, and with fewer than 16 L1 has 8. With `recorded=on` (default off) the VM is \
        made of the calls of a real kernel, and what its memory holds is not known. With `seen` it is made of \
        dumps of a real kernel's tables, which tell what an entry permits by words (`px ux`), by marks (an `X` \
        where it must not execute) or with names of levels; where entries lead they do not tell. With \
        `descriptors` it is made of raw tables, which tell all bits of an entry.
        """,
        operands: [
          "ipa=BITS": .number("BITS", Self.bounds(VMConfiguration.ipaBitsRange)),
          "vcpus=N": .number("N", Self.bounds(VMConfiguration.vcpusRange)),
          "vmid-bits=N": .number("N", Self.bounds(VMConfiguration.vmidBitsRange)),
        ],
        .prologue { (values) throws(StatementForm.Objection) in .vm(try Self.vm(values)) })
    case .memslot:
      StatementForm(
        "memslot ID IPA SIZE backing=4K|thp|hugetlb-1G",
        """
        Adds a memory slot, at any time. Its memory is private and anonymous memory of the VMM, not present at \
        first. `4K` never uses huge pages, `thp` may use them, `hugetlb-1G` has only pages of 1G. The VMM's \
        address is congruent to the IPA modulo 2M, for hugetlb modulo 1G.
        """,
        .event {
          let backings: [Backing] = [.pages, .transparentHuge, .hugetlb1G]
          return .addMemslot(id: $0[0], $0.range(1), backings[$0.int(3)])
        })
    case .chapter:
      StatementForm(
        "chapter LABEL [\"TEXT\"]",
        "Ends a chapter of the timeline, which is also a folder of `run --dump-dir`.", .chapter)
    case .step:
      StatementForm("step LABEL [\"TEXT\"]", "An older spelling of `chapter`.", .chapter)
    }
  }

  private static func bounds(_ range: ClosedRange<Int>) -> ClosedRange<UInt64> {
    UInt64(range.lowerBound)...UInt64(range.upperBound)
  }

  private static func vm(
    _ values: OperandValues
  ) throws(StatementForm.Objection) -> Policy.Change {
    let change: Policy.Change = { configuration in
      if values.has(0) { configuration.ipaBits = values.int(0) }
      if values.has(1) { configuration.vcpus = values.int(1) }
      if values.has(2) { configuration.nested = values[2] == 0 }
      if values.has(3) { configuration.vmidBits = values.int(3) }
      if values.has(4), values[4] == 0 { configuration.evidence = .calls }
      if values.has(5) {
        configuration.evidence = .dumps(Descriptor.Format.seen[values.int(5)].format)
      }
    }
    var configuration = VMConfiguration()
    change(&configuration)
    if configuration.vcpus + 1 >= 1 << configuration.vmidBits {
      throw StatementForm.Objection(
        message: "more VMIDs than CPUs: a larger vmid-bits, or fewer vcpus")
    }
    return change
  }
}

extension Descriptor.Format {
  /// The formats of dumps, by the words of `vm seen=`.
  fileprivate static let seen: [(word: String, format: Descriptor.Format)] = [
    ("words", .dump(.words)), ("marks", .dump(.marks)), ("names", .dump(.names)),
    ("descriptors", .dump(.descriptors)),
  ]

  /// The word of `vm seen=` for a format of dumps; nil for others.
  package var seenWord: String? { Self.seen.first { $0.format == self }?.word }
}

extension Backing {
  /// The number of its word after `backing=`.
  var word: Int {
    switch self {
    case .pages: 0
    case .transparentHuge: 1
    case .hugetlb1G: 2
    }
  }

  var phrase: String {
    switch self {
    case .pages: "in 4K pages"
    case .transparentHuge: "with huge pages where they fit"
    case .hugetlb1G: "in 1G pages"
    }
  }
}
