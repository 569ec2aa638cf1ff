import Engine

extension Step {
  /// Steps of AMD's RMP, and of splitting what is mapped by more than a page.
  var rmpExplanation: Explanation? {
    let at = Phrase.address(address)
    let page = "PA \(Phrase.address(extra))"
    switch action {
    case .rmpAssigned:
      return Explanation(
        "RMPUPDATE", "\(Phrase.size(size)) at \(at), \(page), become the guest's",
        "The RMP says for each page who owns it, and at which size it was given.",
        .amd("rmp_make_private"))
    case .rmpValidated:
      return Explanation(
        "PVALIDATE", "the guest accepts \(Phrase.size(size)) at \(at)",
        "A page that the guest has not accepted is not used as its own.",
        .amd("snp_accept_memory"))
    case .rmpShared:
      return Explanation(
        "RMPUPDATE", "\(Phrase.size(size)) at \(at), \(page), become the hypervisor's",
        "The guest asked for pages that it shares with the host.", .amd("rmp_make_shared"))
    case .psmash:
      switch value {
      case 0:
        return Explanation(
          "PSMASH", "the RMP's 2M entry of \(page) becomes 512 of 4K",
          "Each stays the guest's, and accepted. From here on the IOMMU demands I/O pages of 4K.",
          .amd("snp_rmptable_psmash"))
      case Machine.psmashInUse:
        return Explanation(
          "PSMASH", "refused, result 3: the entry of \(page) is in use",
          "Another instruction has it in its hands: to be tried again.",
          .amd("snp_rmptable_psmash"))
      default:
        return Explanation(
          "PSMASH", "refused, result \(value): \(page) has no entry of 2M",
          "There is nothing to split.", .amd("snp_rmptable_psmash"))
      }
    case .rmpHeld:
      return Explanation(
        "hold", "the RMP entry of \(page) is \(value == 0 ? "free again" : "in use")",
        "While one instruction works on an entry, another is refused.",
        .amd("snp_rmptable_psmash"))
    case .dmaStalled:
      return Explanation(
        "stall", "firmware holds all DMA up",
        "Nobody can see the two tables out of step. The price is latency: a few milliseconds.",
        .seed("003"))
    case .dmaResumed:
      return Explanation(
        "resume", "DMA goes on", "Both tables say 4K now.", .seed("003"))
    case .fillTable:
      return Explanation(
        "fill",
        "512 leaves for \(Phrase.entry(value, level: level - 1)), in a table nobody sees yet",
        "With the same pages and permissions: nothing is absent at any time.", splitSource)
    case .swapEntry:
      return Explanation(
        "swap", "level \(level) at \(at): \(Phrase.entry(value, level: level))",
        "One store: a walk finds the block or the table. What is cached of the block stays for now.",
        splitSource)
    default: return nil
    }
  }

  /// AMD's driver splits so; in a table of CPUs it is what the architecture allows.
  private var splitSource: Source {
    if case .iommu = table { return .iommuGeneric("pt_iommu_map_pages") }
    return .architecture("D8.16, FEAT_BBM")
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
