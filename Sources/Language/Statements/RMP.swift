import Engine

/// Owners of memory under AMD's RMP.
enum RMPStatement: StatementFamily {
  case assign, convert, smash, hold, release

  var form: StatementForm {
    switch self {
    case .assign:
      form(
        "rmp assign IPA SIZE 4K|2M",
        "The host gives the guest the memory behind a range, in pages of 4K or regions of 2M, and the guest "
          + "accepts it (RMPUPDATE, PVALIDATE). The memory must be present in pieces of that size."
      ) { .assign($0.range(0), large: $0[2] == 1) }
    case .convert:
      form(
        "rmp convert IPA SIZE shared|private",
        "The guest shares pages of one 2M region with the host, or makes them private again."
      ) { .convert($0.range(0), shared: $0[2] == 0) }
    case .smash:
      form(
        "rmp smash IPA",
        "The host splits the 2M entry at IPA into entries of 4K (PSMASH). It fails with `eagain` while the "
          + "entry is held."
      ) { .smash($0[0]) }
    case .hold:
      form(
        "rmp hold IPA", "Another instruction holds the RMP entry at IPA, until `rmp release`."
      ) { .hold($0[0], true) }
    case .release:
      form("rmp release IPA", "The other instruction releases the RMP entry at IPA.") {
        .hold($0[0], false)
      }
    }
  }

  private func form(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> RMPOperation
  ) -> StatementForm {
    StatementForm(pattern, meaning, .event { .rmp(make($0)) })
  }
}

extension RMPOperation {
  var statement: String {
    switch self {
    case .assign(let range, let large): RMPStatement.assign.text(range, large ? 1 : 0)
    case .convert(let range, let shared): RMPStatement.convert.text(range, shared ? 0 : 1)
    case .smash(let ipa): RMPStatement.smash.text(ipa)
    case .hold(let ipa, let holds):
      (holds ? RMPStatement.hold : RMPStatement.release).text(ipa)
    }
  }

  var sentence: String {
    switch self {
    case .assign(let range, let large):
      "The host gives the guest \(Phrase.range(range)) in \(large ? "regions of 2M" : "pages of 4K")."
    case .convert(let range, let shared):
      "The guest makes \(Phrase.range(range)) \(shared ? "shared with the host" : "private")."
    case .smash(let ipa): "The host splits the RMP entry at \(Phrase.address(ipa)) (PSMASH)."
    case .hold(let ipa, true): "Another instruction holds the RMP entry at \(Phrase.address(ipa))."
    case .hold(let ipa, false):
      "The other instruction releases the RMP entry at \(Phrase.address(ipa))."
    }
  }
}
