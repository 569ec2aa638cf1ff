import Engine

extension StatementParser {
  /// `KEY=VALUE`.
  mutating func policy() throws(Mistake) -> Policy.Setting {
    guard let word = operands.next,
      let policy = Policy.all.first(where: { operands.words.hasPrefix(word, $0.key) })
    else {
      let keys = Policy.all.map { "\($0.key)" }
      throw operands.mistake("\(keys.dropLast().joined(separator: ", ")) or \(keys.last ?? "")")
    }
    return Policy.Setting(key: "\(policy.key)", change: try change(of: policy, word))
  }

  private mutating func change(of policy: Policy, _ word: Word) throws(Mistake) -> Policy.Change {
    switch policy.values {
    case .words(let words): return try operands.required(policy.key, words)
    case .pages(let range, let change):
      let size = try operands.required(policy.key)
      guard range.contains(size), size % 4096 == 0 else {
        let (least, most) = (Phrase.size(range.lowerBound), Phrase.size(range.upperBound))
        throw Mistake(
          offset: word.range.lowerBound,
          message: "expected \(policy.key)\(least) to \(policy.key)\(most), a multiple of 4K")
      }
      return { change(&$0, size) }
    }
  }
}
