import Engine

/// The host's requests to the RMM for a realm.
enum RealmStatement: StatementFamily {
  case delegate, undelegate, createTable, fold, destroyTable, createData, destroyData, setState

  var form: StatementForm {
    switch self {
    case .delegate:
      form(
        "realm delegate IPA SIZE",
        "The host delegates the memory behind a range to the RMM (RMI_GRANULE_DELEGATE)."
      ) { .delegate($0.range(0)) }
    case .undelegate:
      form(
        "realm undelegate IPA SIZE",
        "The host takes delegated memory back (RMI_GRANULE_UNDELEGATE). The RMM must not be using it."
      ) { .undelegate($0.range(0)) }
    case .createTable:
      form(
        "realm rtt-create IPA 1|2|3",
        "The RMM makes a table of this level. If there is a block, it is unfolded (RMI_RTT_CREATE)."
      ) { .createTable($0[0], level: $0.int(1) + 1) }
    case .fold:
      form(
        "realm rtt-fold IPA 1|2|3",
        "The RMM folds the table of this level into one entry (RMI_RTT_FOLD)."
      ) { .fold($0[0], level: $0.int(1) + 1) }
    case .destroyTable:
      form(
        "realm rtt-destroy IPA 1|2|3",
        "The RMM removes the table of this level, and its addresses are DESTROYED (RMI_RTT_DESTROY)."
      ) { .destroyTable($0[0], level: $0.int(1) + 1) }
    case .createData:
      form(
        "realm data-create IPA",
        "A delegated page becomes memory of the realm (RMI_DATA_CREATE_UNKNOWN)."
      ) { .createData($0[0]) }
    case .destroyData:
      form(
        "realm data-destroy IPA",
        "The host takes a page of the realm, which finds the address DESTROYED (RMI_DATA_DESTROY)."
      ) { .destroyData($0[0]) }
    case .setState:
      form(
        "realm ripas IPA SIZE empty|ram",
        "The realm says whether a range of its addresses is empty or memory (RMI_RTT_SET_RIPAS)."
      ) { .setState($0.range(0), $0[2] == 0 ? .empty : .ram) }
    }
  }

  private func form(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> RealmOperation
  ) -> StatementForm {
    StatementForm(pattern, meaning, .event { .realm(make($0)) })
  }
}

extension RealmOperation {
  var statement: String {
    switch self {
    case .delegate(let range): RealmStatement.delegate.text(range)
    case .undelegate(let range): RealmStatement.undelegate.text(range)
    case .createTable(let ipa, let level): RealmStatement.createTable.text(ipa, level - 1)
    case .fold(let ipa, let level): RealmStatement.fold.text(ipa, level - 1)
    case .destroyTable(let ipa, let level): RealmStatement.destroyTable.text(ipa, level - 1)
    case .createData(let ipa): RealmStatement.createData.text(ipa)
    case .destroyData(let ipa): RealmStatement.destroyData.text(ipa)
    case .setState(let range, let state): RealmStatement.setState.text(range, state == .ram ? 1 : 0)
    }
  }

  var sentence: String {
    switch self {
    case .delegate(let range): "The host delegates the memory behind \(Phrase.range(range))."
    case .undelegate(let range): "The host takes the memory behind \(Phrase.range(range)) back."
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
      "The realm wants \(Phrase.range(range)) to be \(Phrase.name(of: state))."
    }
  }
}
