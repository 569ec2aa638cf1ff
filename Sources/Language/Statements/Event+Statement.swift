import Engine

extension Event {
  /// The event as a statement of the event language: reading it gives the same event.
  public var statement: String {
    switch self {
    case .addMemslot(let id, let range, let backing):
      WorldStatement.memslot.text(id, range, backing.word)
    case .host(let operation): operation.statement
    case .access(let guest, let vcpu, .write, let address, let value):
      GuestStatement.access(by: guest, .write).text(vcpu, address, value)
    case .access(let guest, let vcpu, let kind, let address, _):
      GuestStatement.access(by: guest, kind).text(vcpu, address)
    case .context(let vcpu, let vttbr, let vtcr, let hcr):
      GuestStatement.context.text(vcpu, vttbr, vtcr, hcr)
    case .invalidate(let vcpu, let operation): operation.statement(vcpu: vcpu)
    case .l2Invalidate(let vcpu): GuestStatement.l2Invalidate.text(vcpu)
    case .vncr(let vcpu, let ipa): GuestStatement.vncr.text(vcpu, ipa)
    case .run(let vcpu): GuestStatement.run.text(vcpu)
    case .wait(let vcpu): GuestStatement.wait.text(vcpu)
    case .otherVM(let number, let operation): operation.statement(ofVM: number)
    case .otherProcess(let number, let operation): operation.statement(ofProcess: number)
    case .pause(let address): PauseStatement.pause.text(address == 0 ? nil : address)
    case .resume(let next): PauseStatement.resume.text(next)
    case .iommu(let device, let operation): operation.statement(ofDevice: device)
    case .dma(let device, let iova, let write):
      (write ? DeviceStatement.write : DeviceStatement.read).text(device, iova)
    case .rmp(let operation): operation.statement
    case .realm(let operation): operation.statement
    case .pkvm(let operation): operation.statement
    case .recorded(let call): call.statement
    case .failReverseMap(let insertions, let erasures):
      erasures > 0
        ? PauseStatement.failErasures.text(erasures)
        : PauseStatement.failInsertions.text(insertions)
    }
  }

  /// The actor of the event.
  public var actor: String {
    switch self {
    case .access(_, let vcpu, _, _, _), .context(let vcpu, _, _, _), .invalidate(let vcpu, _),
      .l2Invalidate(let vcpu), .vncr(let vcpu, _), .run(let vcpu), .wait(let vcpu):
      "vCPU \(vcpu)"
    case .dma(let device, _, _): "device \(device)"
    case .addMemslot, .host, .iommu: "the VMM"
    case .pkvm, .realm, .rmp: "a CPU of the host"
    case .otherVM, .otherProcess, .recorded: "the host"
    case .pause, .resume, .failReverseMap: "nobody"
    }
  }

  /// What happens, as a sentence.
  public var sentence: String { clause.prefix(1).uppercased() + clause.dropFirst() }

  private var clause: String {
    switch self {
    case .addMemslot(let id, let range, let backing):
      return "The VMM adds memory slot \(id): \(Phrase.canonical(range)), \(backing.phrase)."
    case .host(let operation): return operation.sentence
    case .access(let guest, let vcpu, let kind, let address, let value):
      let stored = value.map { ", value \(Phrase.address($0))" } ?? ""
      let space = guest == .l1 ? "canonical" : "nested"
      return
        "\(Self.name(guest, vcpu)) \(kind.verb) \(space) IPA \(Phrase.address(address))\(stored)."
    case .context(let vcpu, let vttbr, _, let hcr):
      let name = Self.name(.l1, vcpu)
      if hcr & 1 == 0 { return "\(name) switches stage 2 of its guest off." }
      return "\(name) points stage 2 of its guest to the table at canonical "
        + "\(Phrase.address(VTTBR(vttbr).base)), VMID \(VTTBR(vttbr).vmid)."
    case .invalidate(let vcpu, let operation):
      return "\(Self.name(.l1, vcpu)) invalidates \(operation.sentence)."
    case .l2Invalidate(let vcpu):
      return "\(Self.name(.l2, vcpu)) invalidates its stage 1 (TLBI VMALLE1IS)."
    case .vncr(let vcpu, let ipa):
      return "\(Self.name(.l1, vcpu)) puts its VNCR page at canonical IPA \(Phrase.address(ipa))."
    case .run(let vcpu): return "\(Self.name(.l1, vcpu)) runs, and stays on CPU \(vcpu)."
    case .wait(let vcpu): return "\(Self.name(.l1, vcpu)) waits (WFI): the vCPU leaves its CPU."
    case .otherVM(let number, let operation): return operation.sentence(ofVM: number)
    case .otherProcess(let number, let operation): return operation.sentence(ofProcess: number)
    case .pause(let address):
      return address == 0
        ? "The next event that can be stopped in the middle will stop there."
        : "The next event that can be stopped at or above \(Phrase.address(address)) will stop."
    case .resume(let next):
      return "The stopped event continues\(next ? " to the next place where it may stop" : "")."
    case .iommu(let device, let operation): return operation.sentence(ofDevice: device)
    case .dma(let device, let iova, let write):
      return "\(Phrase.device(device)) \(write ? "writes" : "reads") IOVA \(Phrase.address(iova))."
    case .rmp(let operation): return operation.sentence
    case .realm(let operation): return operation.sentence
    case .pkvm(let operation): return operation.sentence
    case .recorded(let call): return call.sentence
    case .failReverseMap(let insertions, let erasures):
      return erasures > 0
        ? "The next \(erasures) erasures from a reverse map will fail."
        : "The next \(insertions) insertions into a reverse map will fail."
    }
  }

  private static func name(_ guest: Guest, _ vcpu: Int) -> String {
    (guest == .l1 ? "L1" : "L2") + (vcpu > 0 ? " on vCPU \(vcpu)" : "")
  }
}

extension Phrase {
  /// A range by its size and start, with the kind of address.
  static func range(_ range: Range<UInt64>, _ space: String = "") -> String {
    "\(size(range.size)) at \(space)\(space.isEmpty ? "" : " ")"
      + address(range.lowerBound)
  }

  static func canonical(_ range: Range<UInt64>) -> String { self.range(range, "canonical") }
}
