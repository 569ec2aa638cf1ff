import Engine

/// What the host, its guests and the hypervisor do under pKVM.
enum PKVMStatement: StatementFamily {
  case memory, hostAccess, hostWrite, create, tearDown, guestAccess, guestWrite
  case shareHyp, unshareHyp, pinHyp, unpinHyp, donateHyp, hypDonate
  case donateGuest, shareGuest, unshareGuest, guestShare, guestUnshare, reclaim, forceReclaim
  case shareFFA, unshareFFA, pin, unpin, snapshot

  var form: StatementForm {
    switch self {
    case .memory:
      form(
        "pkvm memory PA SIZE",
        "The host has a region of memory, from 0x800000000 on. What is in no region is MMIO. The statement must "
          + "come before anything is mapped there."
      ) { .memory($0.range(0)) }
    case .hostAccess:
      form(
        "pkvm host read|exec PA",
        "The host makes an access at EL1, where stage 1 is the identity. A fault maps the largest block that "
          + "fits. On a page of another the host gets an abort (`expect error efault`)."
      ) { .hostAccess($0[0] == 0 ? .read : .execute, $0[1], value: nil) }
    case .hostWrite:
      form("pkvm host write PA [value=V]", "The host stores 8 bytes at EL1.") {
        .hostAccess(.write, $0[0], value: $0.option(1))
      }
    case .create:
      form(
        "pkvm create guest protected|plain",
        "The host makes a guest. Memory is donated to a protected guest, and shared with a plain one."
      ) { .createGuest($0.int(0), isProtected: $0[1] == 0) }
    case .tearDown:
      form(
        "pkvm teardown guest",
        "The host tears a guest down. The guest runs no more, and the host can reclaim its pages."
      ) { .tearDownGuest($0.int(0)) }
    case .guestAccess:
      form(
        "pkvm guest read|exec IPA",
        "A guest makes an access. Where it has no page this ends in `error enoent`, where its leaf forbids the "
          + "access in `error eperm`, on a poisoned page in `error efault`."
      ) { .guestAccess($0.int(0), $0[1] == 0 ? .read : .execute, $0[2], value: nil) }
    case .guestWrite:
      form("pkvm guest write IPA [value=V]", "A guest stores 8 bytes.") {
        .guestAccess($0.int(0), .write, $0[1], value: $0.option(2))
      }
    case .shareHyp:
      call("pkvm share host hyp PA", "The host shares a page with the hypervisor.") {
        .hostShareHyp($0[0])
      }
    case .unshareHyp:
      call(
        "pkvm unshare host hyp PA",
        "The host stops sharing a page with the hypervisor. It fails with `ebusy` while the page is pinned."
      ) { .hostUnshareHyp($0[0]) }
    case .pinHyp:
      call(
        "pkvm pin hyp PA",
        "The hypervisor pins a page that the host shares with it, so that the host cannot unshare it."
      ) { .hypPin($0[0]) }
    case .unpinHyp:
      call("pkvm unpin hyp PA", "The hypervisor unpins a page that the host shares with it.") {
        .hypUnpin($0[0])
      }
    case .donateHyp:
      call("pkvm donate host hyp PA SIZE", "The host donates pages to the hypervisor.") {
        .hostDonateHyp($0.range(0))
      }
    case .hypDonate:
      call("pkvm donate hyp host PA SIZE", "The hypervisor donates pages to the host.") {
        .hypDonateHost($0.range(0))
      }
    case .donateGuest:
      call(
        "pkvm donate host guest PA IPA",
        "The host donates the page at PA to a protected guest, which has it at IPA."
      ) { .hostDonateGuest($0.int(0), $0[1], at: $0[2]) }
    case .shareGuest:
      call(
        "pkvm share host guest PA SIZE IPA r|rw",
        "The host shares 4K or 2M at PA with a plain guest, which has it at IPA, read-only or read-write. A page "
          + "can be shared with several guests."
      ) { .hostShareGuest($0.int(0), $0.range(1), at: $0[3], write: $0[4] == 1) }
    case .unshareGuest:
      call(
        "pkvm unshare host guest IPA SIZE",
        "The host stops sharing the memory that a plain guest has at IPA."
      ) { .hostUnshareGuest($0.int(0), $0.range(1)) }
    case .guestShare:
      call(
        "pkvm share guest host IPA", "A protected guest shares its page at IPA with the host."
      ) { .guestShareHost($0.int(0), $0[1]) }
    case .guestUnshare:
      call(
        "pkvm unshare guest host IPA",
        "A protected guest stops sharing its page at IPA with the host."
      ) { .guestUnshareHost($0.int(0), $0[1]) }
    case .reclaim:
      call(
        "pkvm reclaim guest IPA",
        "The host takes the page at IPA of a guest that is torn down. It is zeroed if the guest had not shared "
          + "it."
      ) { .reclaimGuest($0.int(0), $0[1]) }
    case .forceReclaim:
      call(
        "pkvm force-reclaim PA",
        "The host takes the page at PA from a guest that runs. It is zeroed, and poisoned in the guest's table."
      ) { .forceReclaim($0[0]) }
    case .shareFFA:
      call("pkvm share host ffa PA SIZE", "The host shares pages with firmware.") {
        .hostShareFFA($0.range(0))
      }
    case .unshareFFA:
      call("pkvm unshare host ffa PA SIZE", "The host stops sharing pages with firmware.") {
        .hostUnshareFFA($0.range(0))
      }
    case .pin:
      call(
        "pkvm pin host PA SIZE",
        "The host pins pages that a device uses: each is mapped by a leaf of its own, and cannot be given away. "
          + "This is a proposal, and not in Linux."
      ) { .hostPin($0.range(0)) }
    case .unpin:
      call(
        "pkvm unpin host PA SIZE",
        "The host unpins pages, which can be given away again. This is a proposal, and not in Linux."
      ) { .hostUnpin($0.range(0)) }
    case .snapshot:
      form(
        "pkvm snapshot",
        "The hypervisor's SMMU driver makes its identity map from the host's stage 2. `iommu attach` does this "
          + "if it was not done before."
      ) { _ in .snapshot }
    }
  }

  private func form(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> PKVMOperation
  ) -> StatementForm {
    StatementForm(pattern, meaning, .event { .pkvm(make($0)) })
  }

  private func call(
    _ pattern: String, _ meaning: String, _ make: @escaping @Sendable (OperandValues) -> PKVMCall
  ) -> StatementForm {
    StatementForm(pattern, meaning, .event { .pkvm(.call(make($0))) })
  }
}

extension PKVMOperation {
  var statement: String {
    switch self {
    case .memory(let range): PKVMStatement.memory.text(range)
    case .hostAccess(.write, let address, let value): PKVMStatement.hostWrite.text(address, value)
    case .hostAccess(.read, let address, _): PKVMStatement.hostAccess.text(0, address)
    case .hostAccess(.execute, let address, _): PKVMStatement.hostAccess.text(1, address)
    case .guestAccess(let guest, .write, let address, let value):
      PKVMStatement.guestWrite.text(guest, address, value)
    case .guestAccess(let guest, .read, let address, _):
      PKVMStatement.guestAccess.text(guest, 0, address)
    case .guestAccess(let guest, .execute, let address, _):
      PKVMStatement.guestAccess.text(guest, 1, address)
    case .createGuest(let guest, let isProtected):
      PKVMStatement.create.text(guest, isProtected ? 0 : 1)
    case .tearDownGuest(let guest): PKVMStatement.tearDown.text(guest)
    case .snapshot: PKVMStatement.snapshot.text()
    case .call(let call): call.statement
    }
  }

  var sentence: String {
    switch self {
    case .memory(let range): return "The host has memory: \(Phrase.range(range, "PA"))."
    case .hostAccess(let kind, let address, _):
      return "The host \(kind.verb) PA \(Phrase.address(address))."
    case .guestAccess(let guest, let kind, let address, _):
      return "Guest \(guest) \(kind.verb) IPA \(Phrase.address(address))."
    case .createGuest(let guest, let isProtected):
      return
        "The host makes guest \(guest), \(isProtected ? "a protected one" : "not a protected one")."
    case .tearDownGuest(let guest): return "The host tears guest \(guest) down."
    case .snapshot:
      return "The hypervisor's SMMU driver makes its identity map from the host's stage 2."
    case .call(let call):
      let words = call.sentence
      return words.prefix(1).uppercased() + words.dropFirst() + "."
    }
  }
}

extension PKVMCall {
  var statement: String {
    switch self {
    case .hostShareHyp(let page): PKVMStatement.shareHyp.text(page)
    case .hostUnshareHyp(let page): PKVMStatement.unshareHyp.text(page)
    case .hypPin(let page): PKVMStatement.pinHyp.text(page)
    case .hypUnpin(let page): PKVMStatement.unpinHyp.text(page)
    case .hostDonateHyp(let range): PKVMStatement.donateHyp.text(range)
    case .hypDonateHost(let range): PKVMStatement.hypDonate.text(range)
    case .hostDonateGuest(let guest, let page, let address):
      PKVMStatement.donateGuest.text(guest, page, address)
    case .hostShareGuest(let guest, let range, let address, let write):
      PKVMStatement.shareGuest.text(guest, range, address, write ? 1 : 0)
    case .hostUnshareGuest(let guest, let range): PKVMStatement.unshareGuest.text(guest, range)
    case .guestShareHost(let guest, let address): PKVMStatement.guestShare.text(guest, address)
    case .guestUnshareHost(let guest, let address):
      PKVMStatement.guestUnshare.text(guest, address)
    case .reclaimGuest(let guest, let address): PKVMStatement.reclaim.text(guest, address)
    case .forceReclaim(let page): PKVMStatement.forceReclaim.text(page)
    case .hostShareFFA(let range): PKVMStatement.shareFFA.text(range)
    case .hostUnshareFFA(let range): PKVMStatement.unshareFFA.text(range)
    case .hostPin(let range): PKVMStatement.pin.text(range)
    case .hostUnpin(let range): PKVMStatement.unpin.text(range)
    }
  }
}
