import Canvas
import Engine
import Language

extension Filter {
  /// One condition.
  enum Term: Equatable {
    // On entries.
    case permits(AccessKind)
    /// Read, write and execute, each as said.
    case permissions(Set<Character>)
    case size(UInt64)
    case level(Int)
    case alias, stale, changed, block, page
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

  /// What an event brings about.
  enum Effect: String, CaseIterable, Equatable {
    case fault, inject, violation, mmio, nothing, unmap
    case fullUnmap = "full-unmap"
    case unknown, broken

    var summary: SafeText {
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
  /// What may be asked for, for messages.
  static func help(for subject: Filter.Subject) -> SafeText {
    switch subject {
    case .entries:
      "r, w, x, perm=RWX, size=4K, level=3, block, page, alias, stale, changed, from=ADDRESS, "
        + "to=ADDRESS or text"
    case .events:
      SafeText(
        (EventKind.allCases.map(\.name) + Filter.Effect.allCases.map(\.rawValue))
          .joined(separator: ", "))
        + ", touches=ADDRESS, changes=TABLE:ADDRESS, table=NAME or text"
    }
  }

  /// The words of the language, for completion.
  static func words(for subject: Filter.Subject) -> [String] {
    switch subject {
    case .entries:
      ["r", "w", "x", "perm=", "size=", "level=", "block", "page", "alias", "stale", "changed"]
        + ["from=", "to=", "not", "or"]
    case .events:
      EventKind.allCases.map(\.name) + Filter.Effect.allCases.map(\.rawValue)
        + ["touches=", "changes=", "table=", "not", "or"]
    }
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
    if let term {
      self = term
    } else if value != nil {
      throw FilterError(
        message: "\(SafeText(name))= is not known. Expected \(Self.help(for: subject)).")
    } else {
      self = .text(String(word))
    }
  }

  private static func entryTerm(
    _ name: String, _ value: Substring?
  ) throws(FilterError) -> Filter.Term? {
    if let value {
      switch name {
      case "perm": return .permissions(Set(value.lowercased().filter { "rwx".contains($0) }))
      case "size": return .size(try number(value))
      case "level":
        guard let level = Int(value), (0...3).contains(level) else {
          throw FilterError(message: "Expected level=0 to level=3.")
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
          throw FilterError(message: "Expected changes=TABLE:ADDRESS, as in shadow0:0x30000.")
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
      throw FilterError(message: "Expected a number, not \(SafeText(text)).")
    }
    return number
  }

  /// An address, which stands for its page, or an address and a size.
  private static func range(_ text: Substring) throws(FilterError) -> Range<UInt64> {
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    let start = try number(parts[0])
    if parts.count == 1 { return start & ~4095..<(start | 4095) + 1 }
    let (end, overflow) = start.addingReportingOverflow(try number(parts[1]))
    guard parts.count == 2, !overflow, end > start else {
      throw FilterError(message: "Expected ADDRESS or ADDRESS+SIZE.")
    }
    return start..<end
  }

  private static func table(_ text: Substring) throws(FilterError) -> TableID {
    guard let table = TableID(name: text) else {
      throw FilterError(message: "Expected canonical, guestVMID or shadowN, not \(SafeText(text)).")
    }
    return table
  }
}
