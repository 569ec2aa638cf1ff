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
  /// The words without a value.
  private static func names(for subject: Filter.Subject) -> [String] {
    switch subject {
    case .entries:
      [
        "r", "w", "x", "block", "page", "alias", "stale", "changed", "known", "unknown",
      ]
    case .events: EventKind.allCases.map(\.name) + Filter.Effect.allCases.map(\.rawValue)
    }
  }

  /// The words with a value after `=`, and an example value.
  private static func options(for subject: Filter.Subject) -> [(name: String, value: String)] {
    switch subject {
    case .entries:
      [
        ("perm", "RWX"), ("size", "4K"), ("level", "3"), ("from", "ADDRESS"), ("to", "ADDRESS"),
      ]
    case .events: [("touches", "ADDRESS"), ("changes", "TABLE:ADDRESS"), ("table", "NAME")]
    }
  }

  /// The possible terms, for messages.
  package static func help(for subject: Filter.Subject) -> String {
    (names(for: subject) + options(for: subject).map { "\($0.name)=\($0.value)" })
      .joined(separator: ", ") + ", or \"TEXT\""
  }

  /// The words of the language, for completion.
  package static func words(for subject: Filter.Subject) -> [String] {
    names(for: subject) + options(for: subject).map { $0.name + "=" } + ["not", "or"]
  }

  init(parsing word: Substring, for subject: Filter.Subject) throws(FilterError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts[0].lowercased()
    let value = parts.count > 1 ? parts[1] : nil
    let term: Filter.Term? =
      switch subject {
      case .entries: try Self.entryTerm(name, value)
      case .events: try Self.eventTerm(name, value)
      }
    guard let term else {
      throw FilterError(Self.unknown(value == nil ? String(word) : name + "=", for: subject))
    }
    self = term
  }

  /// The message for a word outside the language.
  private static func unknown(_ word: String, for subject: Filter.Subject) -> String {
    let nearest = Spelling.nearest(to: word, in: words(for: subject))
    return "\(word) is not a condition" + (nearest.map { "; did you mean \($0)?" } ?? ".")
      + " Expected \(help(for: subject))."
  }

  private static func entryTerm(
    _ name: String, _ value: Substring?
  ) throws(FilterError) -> Filter.Term? {
    if let value {
      switch name {
      case "perm":
        let letters = Set(value.lowercased())
        guard letters.isSubset(of: "rwx-"), !letters.isEmpty else {
          throw FilterError("Expected letters of perm=RWX, as in perm=rw or perm=r-x.")
        }
        return .permissions(letters.subtracting("-"))
      case "size":
        let size = try number(value)
        guard size >= Page.size, size & (size - 1) == 0 else {
          throw FilterError("Expected the size of an entry, as size=4K, size=2M or size=1G.")
        }
        return .size(size)
      case "level":
        guard let level = Int(value), (0...3).contains(level) else {
          throw FilterError("Expected level=0 to level=3.")
        }
        return .level(level)
      case "from": return .from(try range(value))
      case "to": return .to(try range(value))
      default: return nil
      }
    }
    switch name {
    case "r": return .permits(.read)
    case "w": return .permits(.write)
    case "x": return .permits(.execute)
    case "alias": return .alias
    case "stale": return .stale
    case "changed": return .changed
    case "block": return .block
    case "page": return .page
    case "known": return .recorded(known: true)
    case "unknown": return .recorded(known: false)
    default: return nil
    }
  }

  private static func eventTerm(
    _ name: String, _ value: Substring?
  ) throws(FilterError) -> Filter.Term? {
    if let value {
      switch name {
      case "touches": return .touches(try range(value))
      case "table": return .table(try table(value))
      case "changes":
        let parts = value.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
          throw FilterError("Expected changes=TABLE:ADDRESS, as in shadow0:0x30000.")
        }
        return .changes(try table(parts[0]), try number(parts[1]))
      default: return nil
      }
    }
    if let kind = EventKind.allCases.first(where: { $0.name == name }) { return .kind(kind) }
    return Filter.Effect(rawValue: name).map { .effect($0) }
  }

  private static func number(_ text: Substring) throws(FilterError) -> UInt64 {
    guard let number = Number.value(of: text) else {
      throw FilterError("Expected a number, not \(text).")
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
