import Canvas

/// The words of the field and of this program, each with its meaning.
struct Glossary {
  /// A word.
  struct Entry {
    /// The word as it is used here; the one word for what it means.
    let name: String
    /// Other words and spellings that are met for the same, or that are explained with it.
    let also: [String]
    /// What it means.
    let definition: String
    /// Where it is seen.
    let shows: String
    /// Names of entries that are close to it.
    let see: [String]

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
  static let entries: [Entry] =
    (tables + faults + reverseMap + memory + devices + isolation
    + program)
    .sorted { ($0.name.lowercased(), $0.name) < ($1.name.lowercased(), $1.name) }

  /// The entry of a word, whatever the case of its letters; nil if it is none of these.
  static func entry(_ word: some StringProtocol) -> Entry? { byWord[word.lowercased()] }

  /// Entries in which a text occurs, those with it in their names first; without a text, all.
  static func search(_ text: some StringProtocol) -> [Entry] {
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

extension Document {
  /// An entry of the glossary; its related words lead to theirs.
  init(_ entry: Glossary.Entry) {
    self.init()
    var title = Line(SafeText(entry.name), .title)
    if !entry.also.isEmpty {
      title.add("  also: " + SafeText(entry.also.joined(separator: ", ")), .dim)
    }
    add(title)
    addBlank()
    add(SafeText(entry.definition))
    addBlank()
    add(Line("Where: ", .heading).adding(SafeText(entry.shows)))
    for name in entry.see {
      add(Line("See ", .dim).adding(SafeText(name), .key), to: .term(name))
    }
  }

  /// The entries that a search finds, each with the first words of its meaning.
  init(glossary found: [Glossary.Entry]) {
    self.init()
    if found.isEmpty { add("No word here has this in its name or meaning.", .dim) }
    for entry in found {
      add(
        Line(SafeText(entry.name).padded(to: 20), .key)
          .adding(" " + SafeText(Self.firstSentence(of: entry.definition))),
        to: .term(entry.name))
    }
  }

  private static func firstSentence(of text: String) -> String {
    text.firstRange(of: ". ").map { text[..<$0.lowerBound] + "." } ?? text
  }
}
