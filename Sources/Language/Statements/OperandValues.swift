import Engine

/// The values of a statement's operands, by their numbers in the pattern from 0. Alternative words, and
/// optional words, count as operands; other keywords do not.
struct OperandValues {
  private var numbers = InlineArray<8, UInt64>(repeating: 0)
  private var given: UInt8 = 0
  private var texts: [String] = []
  /// The table that the statement names.
  var table = TableID.canonical
  /// Columns of the operands that the engine can name.
  var columns = OperandColumns()

  /// Maximum number of operands of a statement.
  static let count = 8

  @inline(__always)
  mutating func clear() {
    if given == 0 { return }
    numbers = InlineArray(repeating: 0)
    given = 0
    columns = OperandColumns()
    if !texts.isEmpty { texts.removeAll() }
  }

  @inline(__always)
  mutating func set(_ operand: Int, _ value: UInt64) {
    numbers[operand] = value
    given |= 1 << UInt8(truncatingIfNeeded: operand)
  }

  mutating func set(_ operand: Int, _ text: String) {
    set(operand, UInt64(texts.count))
    texts.append(text)
  }

  /// The value of an operand; 0 if it was omitted. Of alternative words, the number of the word, from 0.
  subscript(operand: Int) -> UInt64 {
    @inline(__always) get { numbers[operand] }
  }

  /// Whether an operand was given.
  func has(_ operand: Int) -> Bool { given & 1 << UInt8(truncatingIfNeeded: operand) != 0 }

  /// The value of an operand; nil if it was left out.
  func option(_ operand: Int) -> UInt64? { has(operand) ? self[operand] : nil }

  /// The value of an operand with a small range.
  func int(_ operand: Int) -> Int { Int(clamping: self[operand]) }

  /// The range of a start operand and the size after it, which were checked to fit.
  func range(_ operand: Int) -> Range<UInt64> {
    let start = self[operand]
    return start..<max(start, start &+ self[operand + 1])
  }

  /// A text; empty if it was omitted.
  func text(_ operand: Int) -> String { has(operand) ? texts[int(operand)] : "" }
}

/// Columns, from 1, of a statement's operands by their role for the engine. Only generated lines are
/// longer than a byte can count: then the column is unknown.
struct OperandColumns: Sendable {
  /// One for each operand that the engine can name; it brings a statement to 64 bytes.
  private var columns = InlineArray<7, UInt8>(repeating: 0)

  @inline(__always)
  mutating func set(_ role: Int, _ column: Int) {
    columns[role] = UInt8(exactly: column) ?? 0
  }

  /// The column of an operand; nil if it is not known.
  func column(of role: Refusal.Operand) -> Int? {
    let column = columns[Int(role.rawValue)]
    return column == 0 ? nil : Int(column)
  }
}

/// What can be printed as one operand of a statement, or as several.
protocol PrintableOperand {
  var operands: [PrintedOperand] { get }
}

/// The value of an operand to print.
enum PrintedOperand {
  case absent
  case number(UInt64)
  case text(String)
}

extension UInt64: PrintableOperand {
  var operands: [PrintedOperand] { [.number(self)] }
}

/// A number, or the number of one of alternative words.
extension Int: PrintableOperand {
  var operands: [PrintedOperand] { [.number(UInt64(clamping: self))] }
}

/// Whether an optional word is present.
extension Bool: PrintableOperand {
  var operands: [PrintedOperand] { [self ? .number(0) : .absent] }
}

extension String: PrintableOperand {
  var operands: [PrintedOperand] { [.text(self)] }
}

/// A start and a size.
extension Range<UInt64>: PrintableOperand {
  var operands: [PrintedOperand] { [.number(lowerBound), .number(size)] }
}

extension Optional: PrintableOperand where Wrapped: PrintableOperand {
  var operands: [PrintedOperand] { self?.operands ?? [.absent] }
}
