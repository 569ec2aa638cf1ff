import Engine

/// A kind of operand: how it is read, its legal values, and how it is printed.
struct Operand: Sendable {
  /// How a word becomes a value.
  enum Reading: UInt8, Sendable {
    /// A keyword as it is.
    case word
    /// A keyword, optionally followed by `@` and a number; 0 without.
    case indexed
    /// A number.
    case number
    /// The size of the range that begins at the preceding number.
    case size
    /// A word, or a text in quotes.
    case text
    /// A granule and a level, `4K:3`.
    case levelHint
    /// The name of a table.
    case table
    /// Names of reverse maps with commas between them; an expectation follows.
    case policies
  }

  /// How a number is printed.
  enum Notation: Sendable {
    case hexadecimal, decimal
    /// With K, M, G or T where that is exact.
    case size
  }

  /// Its name in patterns.
  let name: String
  let reading: Reading
  /// The range of a number.
  var bounds: ClosedRange<UInt64> = 0...UInt64.max
  /// A number must be a multiple of this.
  var multiple: UInt64 = 1
  var notation = Notation.hexadecimal
  /// Its role for the engine, as named in refusals.
  var role: Refusal.Operand?

  /// A number that is neither an address nor a size.
  static func number(
    _ name: String, _ bounds: ClosedRange<UInt64> = 0...UInt64.max, multipleOf multiple: UInt64 = 1,
    _ notation: Notation = .decimal, role: Refusal.Operand? = nil
  ) -> Operand {
    Operand(
      name: name, reading: .number, bounds: bounds, multiple: multiple, notation: notation,
      role: role)
  }

  private static func address(_ name: String) -> Operand {
    Operand(name: name, reading: .number, role: .address)
  }

  /// Operands that mean the same in every statement.
  static let common: [Operand] = [
    address("IPA"), address("NIPA"), address("IOVA"), address("PA"), address("ADDRESS"),
    Operand(name: "SIZE", reading: .size, notation: .size, role: .size),
    number("V", .hexadecimal), number("N"), number("ID", role: .slot),
    number("C", role: .cpu), number("PAGE", .hexadecimal), number("LEN"),
    Operand(name: "G:L", reading: .levelHint), Operand(name: "LABEL", reading: .text),
    Operand(name: "\"TEXT\"", reading: .text), Operand(name: "TABLE", reading: .table),
    Operand(name: "POLICIES", reading: .policies),
  ]

  private static func number(_ name: String, _ notation: Notation) -> Operand {
    number(name, 0...UInt64.max, notation)
  }

  /// Whether only some numbers are legal.
  var isBounded: Bool { bounds != 0...UInt64.max || multiple > 1 }

  /// A description of what is expected.
  var expectation: String {
    switch reading {
    case .word, .indexed: name
    case .number, .size: "\(name): a decimal or 0x number, K M G T allowed"
    case .text: name == "LABEL" ? "a label" : "a text in quotes"
    case .levelHint: "G:L, where G is 4K, 16K, 64K or none, and L is 0 to 3"
    case .table:
      "a table: canonical, shadow<N>, guest<VMID>, iommu, iommu<N>, pkvm-host or pkvm-guest<N>"
    case .policies:
      "names of reverse maps with commas between them: "
        + ReverseMapVersion.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }

  /// A value as a word of a statement.
  func text(_ value: UInt64) -> String {
    if reading == .levelHint {
      return "\(["none", "4K", "16K", "64K"][Int(value >> 2 & 3)]):\(value & 3)"
    }
    return Self.text(value, notation)
  }

  static func text(_ value: UInt64, _ notation: Notation) -> String {
    switch notation {
    case .hexadecimal: value < 10 ? "\(value)" : "0x\(hex(value))"
    case .decimal: "\(value)"
    case .size: Phrase.size(value)
    }
  }

  /// The requirement that a number out of bounds breaks.
  func bounds(after key: String) -> String {
    let least = Self.text(bounds.lowerBound, notation)
    let isLarge = bounds.upperBound >= 1 << 20 && bounds.upperBound.nonzeroBitCount == 1
    let most =
      notation == .decimal && isLarge
      ? "2^\(bounds.upperBound.trailingZeroBitCount)" : Self.text(bounds.upperBound, notation)
    let multiple = multiple > 1 ? ", a multiple of \(Phrase.size(multiple))" : ""
    if bounds.lowerBound == bounds.upperBound { return "\(key)\(least)" }
    return "\(key)\(least) to \(key)\(most)\(multiple)"
  }
}

/// A keyword that may have a number after it: `l1` is `l1@0`.
struct IndexedWord: Sendable {
  let name: String
  /// The exclusive upper bound of the number.
  let limit: Int
  let role: Refusal.Operand?
  /// What the number counts.
  let what: String

  static let all = [
    IndexedWord(
      name: "l1", limit: VMConfiguration.vcpusRange.upperBound, role: .vcpu, what: "a vCPU"),
    IndexedWord(
      name: "l2", limit: VMConfiguration.vcpusRange.upperBound, role: .vcpu, what: "a vCPU"),
    IndexedWord(name: "iommu", limit: SMMU.devices, role: .device, what: "a device"),
    IndexedWord(name: "dev", limit: SMMU.devices, role: .device, what: "a device"),
    IndexedWord(name: "guest", limit: PKVM.guests, role: nil, what: "a guest"),
  ]
}
