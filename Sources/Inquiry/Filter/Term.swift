import Engine
import Language

extension Filter {
  /// One condition.
  package enum Term: Equatable, Sendable {
    // On entries.
    case permits(AccessKind)
    /// Read, write and execute, each exactly as given.
    case permissions(Set<Character>)
    case size(UInt64)
    case level(Int)
    case alias, stale, changed, block, page
    /// A shadow's reverse map has a known, or an unknown, nested IPA for the memory.
    case recorded(known: Bool)
    case from(Range<UInt64>)
    case to(Range<UInt64>)

    // On events.
    case kind(EventKind)
    case effect(Effect)
    case touches(Range<UInt64>)
    case changes(TableID, UInt64)
    case table(TableID)

    // On both.
    case text(String)
  }

  /// The effect of an event.
  package enum Effect: String, CaseIterable, Equatable, Sendable {
    case fault, inject, violation, mmio, nothing, unmap
    case fullUnmap = "full-unmap"
    case unknown, broken

    package var summary: String {
      switch self {
      case .fault: "a stage-2 fault"
      case .inject: "an exception for L1"
      case .violation: "a rule that does not hold"
      case .mmio: "an exit for MMIO"
      case .nothing: "no change"
      case .unmap: "a leaf is removed"
      case .fullUnmap: "a shadow is unmapped as a whole"
      case .unknown: "a range of a reverse map becomes unknown"
      case .broken: "a reverse map breaks"
      }
    }
  }
}

extension Filter.Term {
  /// A word with a value after `=`.
  private struct Option {
    let name: String
    /// An example of a value.
    let value: String
    let read: (Substring) throws(FilterError) -> Filter.Term

    init(
      _ name: String, _ value: String,
      _ read: @escaping (Substring) throws(FilterError) -> Filter.Term
    ) {
      self.name = name
      self.value = value
      self.read = read
    }
  }

  /// The words without a value.
  private static func plain(for subject: Filter.Subject) -> [(name: String, term: Filter.Term)] {
    switch subject {
    case .entries:
      [
        ("r", .permits(.read)), ("w", .permits(.write)), ("x", .permits(.execute)),
        ("block", .block), ("page", .page), ("alias", .alias), ("stale", .stale),
        ("changed", .changed), ("known", .recorded(known: true)),
        ("unknown", .recorded(known: false)),
      ]
    case .events:
      EventKind.allCases.map { ($0.name, .kind($0)) }
        + Filter.Effect.allCases.map { ($0.rawValue, .effect($0)) }
    }
  }

  /// The words with a value.
  private static func options(for subject: Filter.Subject) -> [Option] {
    switch subject {
    case .entries:
      [
        Option("perm", "RWX") { (value) throws(FilterError) in
          let letters = Set(value.lowercased())
          guard letters.isSubset(of: "rwx-"), !letters.isEmpty else {
            throw FilterError("Expected letters of perm=RWX, as in perm=rw or perm=r-x.")
          }
          let given = value.lowercased().filter { $0 != "-" }
          guard given.count == letters.subtracting("-").count else {
            let once = "rwx".filter { letters.contains($0) }
            throw FilterError("perm=\(value) has a letter twice; did you mean perm=\(once)?")
          }
          return .permissions(letters.subtracting("-"))
        },
        Option("size", "4K") { (value) throws(FilterError) in
          let size = try number(value)
          guard size >= Page.size, size & (size - 1) == 0 else {
            throw FilterError("Expected the size of an entry, as size=4K, size=2M or size=1G.")
          }
          return .size(size)
        },
        Option("level", "3") { (value) throws(FilterError) in
          guard let level = Int(value), (0...3).contains(level) else {
            throw FilterError("Expected level=0 to level=3.")
          }
          return .level(level)
        },
        Option("from", "ADDRESS") { (value) throws(FilterError) in .from(try range(value)) },
        Option("to", "ADDRESS") { (value) throws(FilterError) in .to(try range(value)) },
      ]
    case .events:
      [
        Option("touches", "ADDRESS") { (value) throws(FilterError) in .touches(try range(value)) },
        Option("changes", "TABLE:ADDRESS") { (value) throws(FilterError) in
          let parts = value.split(separator: ":", omittingEmptySubsequences: false)
          guard parts.count == 2 else {
            throw FilterError("Expected changes=TABLE:ADDRESS, as in shadow0:0x30000.")
          }
          return .changes(try table(parts[0]), try number(parts[1]))
        },
        Option("table", "NAME") { (value) throws(FilterError) in .table(try table(value)) },
      ]
    }
  }

  /// The possible terms, for messages.
  package static func help(for subject: Filter.Subject) -> String {
    (plain(for: subject).map(\.name) + options(for: subject).map { "\($0.name)=\($0.value)" })
      .joined(separator: ", ") + ", or \"TEXT\""
  }

  /// The words of the language, for completion.
  package static func words(for subject: Filter.Subject) -> [String] {
    plain(for: subject).map(\.name) + options(for: subject).map { $0.name + "=" } + ["not", "or"]
  }

  init(parsing word: Substring, for subject: Filter.Subject) throws(FilterError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts[0].lowercased()
    if parts.count == 1, let found = Self.plain(for: subject).first(where: { $0.name == name }) {
      self = found.term
    } else if parts.count > 1,
      let option = Self.options(for: subject).first(where: { $0.name == name })
    {
      self = try option.read(parts[1])
    } else {
      throw FilterError(Self.unknown(parts.count > 1 ? name + "=" : String(word), for: subject))
    }
  }

  /// The message for a word outside the language.
  private static func unknown(_ word: String, for subject: Filter.Subject) -> String {
    let nearest = Spelling.nearest(to: word, in: words(for: subject))
    return "\(word) is not a condition" + (nearest.map { "; did you mean \($0)?" } ?? ".")
      + " Expected \(help(for: subject))."
  }

  private static func number(_ text: Substring) throws(FilterError) -> UInt64 {
    guard let number = Number.value(of: text) else {
      // Units are written large everywhere.
      let large = text.dropLast() + (text.last?.uppercased() ?? "")
      let isMeant = Number.value(of: large) != nil
      throw FilterError(
        "Expected a number, not \(text)" + (isMeant ? "; did you mean \(large)?" : "."))
    }
    return number
  }

  /// An address, which means its page, or an address and a size.
  private static func range(_ text: Substring) throws(FilterError) -> Range<UInt64> {
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    let start = try number(parts[0])
    if parts.count == 1 {
      // The very last page has no end address.
      let page = min(start.page, .max - Page.size)
      return page..<page + Page.size
    }
    let (end, overflow) = start.addingReportingOverflow(try number(parts[1]))
    guard parts.count == 2, !overflow, end > start else {
      throw FilterError("Expected ADDRESS or ADDRESS+SIZE.")
    }
    return start..<end
  }

  private static func table(_ text: Substring) throws(FilterError) -> TableID {
    guard let table = TableID(name: text) else {
      throw FilterError(
        "Expected \(TableKind.forms), not \(text).")
    }
    return table
  }
}
