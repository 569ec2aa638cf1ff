import Engine

/// Calls of a real kernel, as `pagewalk import` writes them.
enum RecordedStatement: Int, StatementFamily {
  case map, relax, unmap, take, writeProtect, split, age
  case context, invalidate, invalidateRange, emptyShadows
  case seen, seenEmpty, unseen, unused, seenEntry, seenNoEntry, unseenMap

  private static let access = "none|r|w|rw"
  /// By XN[1:0].
  private static let execution = "x|ux|xn|px"

  private static let level = "L0|L1|L2|L3"

  /// A recording has millions of calls, and each becomes text: so the forms are made once.
  private static let made = allCases.map(\.declared)

  var form: StatementForm { Self.made[rawValue] }

  private var declared: StatementForm {
    switch self {
    case .map:
      form(
        "kernel map TABLE ADDRESS SIZE PA \(Self.access) \(Self.execution) [l1-level=1|2|3] [ipa=IPA]",
        "A leaf of 4K, 2M or 1G was mapped in the canonical table or a shadow (`kvm_pgtable_stage2_map`), "
          + "executable everywhere (`x`), at EL0 (`ux`), at EL1 (`px`) or nowhere (`xn`). Of a shadow: "
          + "`l1-level` is that of L1's leaf, `ipa` the canonical IPA, which a reverse map records."
      ) { values in
        .map(
          values.table, values.range(1), to: values[3], canonical: values.option(7),
          Self.permissions(values[4], values[5]),
          guestLevel: values.has(6) ? UInt8(values.int(6)) + 1 : 0)
      }
    case .relax:
      form(
        "kernel relax TABLE ADDRESS \(Self.access) \(Self.execution)",
        "The leaf at ADDRESS was given more permissions (`kvm_pgtable_stage2_relax_perms`)."
      ) { .relax($0.table, $0[1], Self.permissions($0[2], $0[3])) }
    case .unmap:
      form(
        "kernel unmap TABLE ADDRESS SIZE",
        "A range of one table was unmapped (`kvm_stage2_unmap_range`)."
      ) { .unmap($0.table, $0.range(1)) }
    case .take:
      form(
        "kernel take IPA SIZE notifier|memslot",
        "The host took canonical memory from the VM: the MMU notifier (`kvm_unmap_gfn_range`), or the end of "
          + "a slot. What the shadows lose is up to `policy revmap`."
      ) { .take($0.range(0), isMemslot: $0[2] == 1) }
    case .writeProtect:
      form(
        "kernel write-protect IPA SIZE",
        "Dirty logging write-protected a range of the canonical table (`kvm_stage2_wp_range`), and with it "
          + "all shadows."
      ) { .writeProtect($0.range(0)) }
    case .split:
      form(
        "kernel split IPA SIZE",
        "Blocks of the canonical table were split into pages (`kvm_pgtable_stage2_split`)."
      ) { .split($0.range(0)) }
    case .age:
      form(
        "kernel age IPA SIZE",
        "Access flags of the canonical table were cleared (`kvm_pgtable_stage2_test_clear_young`)."
      ) { .age($0.range(0)) }
    case .context:
      form(
        "kernel context TABLE vttbr=V vtcr=V on|off",
        "A shadow serves these registers of L1, with its stage 2 on or off. If it served others, it is "
          + "emptied before."
      ) { .context($0.table, vttbr: $0[1], vtcr: $0[2], stage2Enabled: $0[3] == 0) }
    case .invalidate:
      form(
        "kernel tlbi TABLE NIPA [ttl=G:L]",
        "L1's TLBI of a nested IPA was carried out on a shadow (`s2_mmu_unmap_ipa`)."
      ) { .invalidate($0.table, $0[1], ttl: UInt8(truncatingIfNeeded: $0[2])) }
    case .invalidateRange:
      form(
        "kernel tlbi-range TABLE ADDRESS SIZE",
        "L1's TLBI of a range was carried out on a shadow (`s2_mmu_unmap_range`)."
      ) { .invalidateRange($0.table, $0.range(1)) }
    case .emptyShadows:
      form(
        "kernel empty-shadows",
        "All shadows were emptied, since L1 invalidated everything (`kvm_nested_s2_unmap`)."
      ) { _ in .emptyShadows }
    case .seen:
      form(
        "kernel seen TABLE ADDRESS SIZE \(Self.level) \(Self.access) \(Self.execution) [af=on|off] [bits=V]",
        "A dump shows leaves of one level, with these permissions, accessed unless `af=off`, and with what else "
          + "of their bits it tells. When they came to be, and by what, is not known."
      ) { values in
        .seen(
          values.table, values.range(1), level: values.int(3),
          Self.leaf(
            level: values.int(3), Self.permissions(values[4], values[5]), isOld: values[6] == 1,
            bits: values[7]))
      }
    case .seenEmpty:
      form(
        "kernel seen-empty TABLE ADDRESS SIZE \(Self.level) [bits=V]",
        "A dump shows entries of one level that map nothing; `bits` are those of an entry that is not valid and "
          + "not zero."
      ) {
        .seen(
          $0.table, $0.range(1), level: $0.int(3), Descriptor($0[4] & ~Descriptor.valid))
      }
    case .unseen:
      form(
        "kernel unseen TABLE ADDRESS SIZE",
        "What a range of a table is no dump tells: before the first, and where a kernel leaves out the last run."
      ) { .unseen($0.table, $0.range(1)) }
    case .unused:
      form(
        "kernel unused TABLE", "The dump of a shadow is empty: it serves nobody."
      ) { .unused($0.table) }
    case .seenEntry:
      form(
        "kernel seen-revmap TABLE IPA SIZE [nipa=NIPA]",
        "A dump of a shadow's reverse map has this entry; without `nipa` its nested IPA is unknown. `policy "
          + "revmap` says in which form it is kept here."
      ) { .seenEntry($0.table, $0.range(1), nested: $0.option(3)) }
    case .seenNoEntry:
      form(
        "kernel seen-no-revmap TABLE IPA SIZE",
        "A dump of a shadow's reverse map has no entry there."
      ) { .seenNoEntry($0.table, $0.range(1)) }
    case .unseenMap:
      form(
        "kernel unseen-revmap TABLE [from=IPA]",
        "No dump says what a shadow's reverse map holds: it was not read, could not be, or broke off at an IPA, "
          + "before which its rows are known."
      ) { .unseenMap($0.table, from: $0.option(1) ?? 0) }
    }
  }

  private func form(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> RecordedCall
  ) -> StatementForm {
    StatementForm(pattern, meaning, .event { .recorded(make($0)) })
  }

  private static func leaf(
    level: Int, _ permissions: Permissions, isOld: Bool, bits: UInt64
  ) -> Descriptor {
    Descriptor(
      Descriptor.valid | (level == Geometry.lastLevel ? Descriptor.tableOrPage : 0)
        | permissions.bits | (isOld ? 0 : Descriptor.accessed) | bits & ~Descriptor.worded)
  }

  private static func permissions(_ access: UInt64, _ execution: UInt64) -> Permissions {
    Permissions(
      read: access & 1 != 0, write: access & 2 != 0, executeNever: UInt8(execution & 3))
  }
}

extension Permissions {
  /// The numbers of the words for reading and writing, and for execution.
  fileprivate var words: [PrintedOperand] {
    [.number((read ? 1 : 0) | (write ? 2 : 0)), .number(UInt64(executeNever))]
  }
}

extension Descriptor {
  /// The bits of a leaf that `kernel seen` has words for.
  fileprivate static let worded = valid | tableOrPage | permissionMask | accessed

  /// The others; nil if there are none.
  fileprivate var otherBits: UInt64? {
    bits & ~Self.worded == 0 ? nil : bits & ~Self.worded
  }
}

extension Permissions: PrintableOperand {
  var operands: [PrintedOperand] { words }
}

extension TableID: PrintableOperand {
  var operands: [PrintedOperand] { [.text(name)] }
}

extension RecordedCall {
  var statement: String {
    switch self {
    case .map(let table, let range, let physical, let canonical, let permissions, let level):
      RecordedStatement.map.text(
        table, range, physical, permissions, level == 0 ? nil : UInt64(level - 1), canonical)
    case .relax(let table, let address, let permissions):
      RecordedStatement.relax.text(table, address, permissions)
    case .unmap(let table, let range): RecordedStatement.unmap.text(table, range)
    case .take(let range, let isMemslot): RecordedStatement.take.text(range, isMemslot ? 1 : 0)
    case .writeProtect(let range): RecordedStatement.writeProtect.text(range)
    case .split(let range): RecordedStatement.split.text(range)
    case .age(let range): RecordedStatement.age.text(range)
    case .context(let shadow, let vttbr, let vtcr, let isEnabled):
      RecordedStatement.context.text(shadow, vttbr, vtcr, isEnabled ? 0 : 1)
    case .invalidate(let shadow, let address, let ttl):
      RecordedStatement.invalidate.text(shadow, address, ttl == 0 ? nil : UInt64(ttl))
    case .invalidateRange(let shadow, let range):
      RecordedStatement.invalidateRange.text(shadow, range)
    case .emptyShadows: RecordedStatement.emptyShadows.text()
    case .seen(let table, let range, let level, let first) where first.isValid:
      RecordedStatement.seen.text(
        table, range, level, first.permissions,
        first.bits & Descriptor.accessed == 0 ? 1 : nil, first.otherBits)
    case .seen(let table, let range, let level, let first):
      RecordedStatement.seenEmpty.text(table, range, level, first.bits == 0 ? nil : first.bits)
    case .unseen(let table, let range): RecordedStatement.unseen.text(table, range)
    case .unused(let shadow): RecordedStatement.unused.text(shadow)
    case .seenEntry(let shadow, let range, let nested):
      RecordedStatement.seenEntry.text(shadow, range, nested)
    case .seenNoEntry(let shadow, let range): RecordedStatement.seenNoEntry.text(shadow, range)
    case .unseenMap(let shadow, let from):
      RecordedStatement.unseenMap.text(shadow, from == 0 ? nil : from)
    }
  }

  var sentence: String {
    switch self {
    case .map(let table, let range, let physical, _, _, _):
      "\(Phrase.range(range)) of \(table.phrase) was mapped to PA \(Phrase.address(physical))."
    case .relax(let table, let address, _):
      "The leaf at \(Phrase.address(address)) of \(table.phrase) was given more permissions."
    case .unmap(let table, let range): "\(Phrase.range(range)) of \(table.phrase) was unmapped."
    case .take(let range, false): "The host took \(Phrase.canonical(range)): an MMU notifier."
    case .take(let range, true): "The slot of \(Phrase.canonical(range)) went."
    case .writeProtect(let range):
      "\(Phrase.canonical(range)), and all shadows, were write-protected for dirty logging."
    case .split(let range): "Blocks of \(Phrase.canonical(range)) were split."
    case .age(let range): "\(Phrase.canonical(range)) was aged."
    case .context(let shadow, let vttbr, _, _):
      "\(shadow.phrase.prefix(1).uppercased() + shadow.phrase.dropFirst()) serves VMID \(VTTBR(vttbr).vmid), the table at canonical "
        + "\(Phrase.address(VTTBR(vttbr).base))."
    case .invalidate(let shadow, let address, _):
      "L1 invalidated nested IPA \(Phrase.address(address)), which \(shadow.phrase) may map."
    case .invalidateRange(let shadow, let range):
      "L1 invalidated \(Phrase.range(range, "nested IPA")), which \(shadow.phrase) may map."
    case .emptyShadows: "L1 invalidated everything, and all shadows were emptied."
    case .seen(let table, let range, let level, let first):
      "\(Phrase.range(range)) of \(table.phrase) was seen to be "
        + (first.isValid
          ? "mapped at level \(level), \(first.permissions.text)"
          : first.bits == 0
            ? "empty at level \(level)" : "not valid, but not zero, at level \(level)")
        + ". Since when, and by what, is not known."
    case .unseen(let table, let range):
      "What \(Phrase.range(range)) of \(table.phrase) is was not told."
    case .unused(let shadow):
      "\(shadow.phrase.prefix(1).uppercased() + shadow.phrase.dropFirst()) was seen to serve nobody."
    case .seenEntry(let shadow, let range, let nested):
      "The reverse map of \(shadow.phrase) was seen to have \(Phrase.canonical(range)) at "
        + (nested.map { "nested IPA \(Phrase.address($0))." } ?? "an unknown nested IPA.")
    case .seenNoEntry(let shadow, let range):
      "The reverse map of \(shadow.phrase) was seen to have no entry for \(Phrase.canonical(range))."
    case .unseenMap(let shadow, let from):
      "What the reverse map of \(shadow.phrase) holds"
        + (from == 0 ? "" : " from canonical \(Phrase.address(from)) on") + " was not told."
    }
  }
}
