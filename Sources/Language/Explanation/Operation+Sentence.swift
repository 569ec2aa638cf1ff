import Engine

extension IOMMUOperation {
  func sentence(of device: Int) -> String {
    let name = Phrase.device(device)
    switch self {
    case .attach: return "\(name) is attached to its domain."
    case .shareAddresses: return "\(name) is bound to the VMM's address space (SVA)."
    case .detach: return "\(name) is detached: all of its DMA is refused."
    case .bypass: return "\(name) is the host's own, and its DMA not translated."
    case .free: return "The domain of \(name) is freed."
    case .pin(let range):
      return "The VMM pins \(Phrase.size(range.upperBound - range.lowerBound)) at canonical IPA "
        + "\(Phrase.address(range.lowerBound)) and maps it for \(name)."
    case .map(let range, let physical, let write):
      return "The kernel maps \(Self.span(range)) of \(name) to PA \(Phrase.address(physical)), "
        + (write ? "read-write." : "read-only.")
    case .clean(let range):
      return "The kernel cleans the entries for \(Self.span(range)) of \(name) to memory."
    case .unmap(let range): return "The kernel unmaps \(Self.span(range)) of \(name)."
    }
  }

  private static func span(_ range: Range<UInt64>) -> String {
    "\(Phrase.size(range.upperBound - range.lowerBound)) at IOVA \(Phrase.address(range.lowerBound))"
  }
}

extension RMPOperation {
  /// The operation as a sentence.
  var sentence: String {
    switch self {
    case .assign(let range, let large):
      "The host gives the guest \(Self.span(range)) in \(large ? "regions of 2M" : "pages of 4K")."
    case .convert(let range, let shared):
      "The guest makes \(Self.span(range)) \(shared ? "shared with the host" : "private")."
    case .smash(let ipa): "The host splits the RMP entry at \(Phrase.address(ipa)) (PSMASH)."
    case .hold(let ipa, true): "Another instruction takes the RMP entry at \(Phrase.address(ipa))."
    case .hold(let ipa, false): "The RMP entry at \(Phrase.address(ipa)) is let go."
    }
  }

  private static func span(_ range: Range<UInt64>) -> String {
    "\(Phrase.size(range.upperBound - range.lowerBound)) at \(Phrase.address(range.lowerBound))"
  }
}

extension RealmOperation {
  /// The operation as a sentence.
  var sentence: String {
    switch self {
    case .delegate(let range): "The host delegates the memory behind \(Self.span(range))."
    case .undelegate(let range): "The host takes the memory behind \(Self.span(range)) back."
    case .createTable(let ipa, let level):
      "The host has a level \(level) table made at \(Phrase.address(ipa)) (RMI_RTT_CREATE)."
    case .fold(let ipa, let level):
      "The host has the level \(level) table at \(Phrase.address(ipa)) folded (RMI_RTT_FOLD)."
    case .destroyTable(let ipa, let level):
      "The host has the level \(level) table at \(Phrase.address(ipa)) destroyed."
    case .createData(let ipa):
      "The host gives the realm a page at \(Phrase.address(ipa)) (RMI_DATA_CREATE_UNKNOWN)."
    case .destroyData(let ipa):
      "The host takes the realm's page at \(Phrase.address(ipa)) (RMI_DATA_DESTROY)."
    case .setState(let range, let state):
      "The realm wants \(Self.span(range)) to be \(Phrase.name(of: state))."
    }
  }

  private static func span(_ range: Range<UInt64>) -> String {
    "\(Phrase.size(range.upperBound - range.lowerBound)) at \(Phrase.address(range.lowerBound))"
  }
}

extension PKVMOperation {
  /// What happens, as a sentence.
  var sentence: String {
    switch self {
    case .memory(let range):
      return "The host has \(Phrase.size(range.upperBound - range.lowerBound)) of memory at PA "
        + "\(Phrase.address(range.lowerBound))."
    case .hostAccess(let kind, let address, _):
      return "The host \(Self.verb(kind)) PA \(Phrase.address(address))."
    case .guestAccess(let guest, let kind, let address, _):
      return "Guest \(guest) \(Self.verb(kind)) IPA \(Phrase.address(address))."
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

  private static func verb(_ kind: AccessKind) -> String {
    switch kind {
    case .read: "reads"
    case .write: "writes"
    case .execute: "executes"
    }
  }
}
