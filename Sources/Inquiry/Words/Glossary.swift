/// The words of the field and of this program, each with its meaning.
package enum Glossary {
  /// A word.
  package struct Entry: Encodable, Sendable {
    /// The word as used here; the only word for its meaning.
    package let name: String
    /// Other words and spellings for the same, or words explained with it.
    package let also: [String]
    /// What it means.
    package let definition: String
    /// Where it is seen.
    package let shows: String
    /// Names of entries that are close to it.
    package let see: [String]

    init(
      _ name: String, also: [String] = [], _ definition: String, shows: String, see: [String]
    ) {
      self.name = name
      self.also = also
      self.definition = definition
      self.shows = shows
      self.see = see
    }
  }

  /// All words, in the order of their names.
  package static let entries: [Entry] =
    (tables + faults + reverseMap + memory + devices + isolation
    + program)
    .sorted { ($0.name.lowercased(), $0.name) < ($1.name.lowercased(), $1.name) }

  /// The entry of a word, whatever the case of its letters; nil if there is none.
  package static func entry(_ word: some StringProtocol) -> Entry? { byWord[word.lowercased()] }

  /// Entries in which a text occurs, those with it in their names first; all, if the text is empty.
  package static func search(_ text: some StringProtocol) -> [Entry] {
    let text = text.lowercased()
    if text.isEmpty { return entries }
    func words(_ entry: Entry) -> [String] { [entry.name] + entry.also }
    let named = entries.filter { words($0).contains { $0.lowercased().contains(text) } }
    let others = entries.filter { entry in
      !words(entry).contains { $0.lowercased().contains(text) }
        && entry.definition.lowercased().contains(text)
    }
    return named.filter { $0.name.lowercased().hasPrefix(text) }
      + named.filter { !$0.name.lowercased().hasPrefix(text) } + others
  }

  private static let byWord: [String: Entry] = {
    var index: [String: Entry] = [:]
    // A word's own entry goes before one that only mentions it.
    for entry in entries { for word in entry.also { index[word.lowercased()] = entry } }
    for entry in entries { index[entry.name.lowercased()] = entry }
    return index
  }()
}
