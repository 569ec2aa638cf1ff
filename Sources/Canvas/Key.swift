/// A key as a terminal reports it.
///
/// Equal keys have equal values: a terminal sends the same for Ctrl-I as for Tab, so the former becomes
/// the latter, and Shift is part of a character, not its modifier.
public struct Key: Hashable, Sendable {
  /// A key without its modifiers.
  public enum Base: Hashable, Sendable {
    /// A character, as typed.
    case character(Unicode.Scalar)
    /// The function key of that number, 1 to 12.
    case function(Int)
    /// A key that moves.
    case up, down, left, right, home, end, pageUp, pageDown
    /// A key with its own name.
    case tab, enter, escape, backspace, insert, delete
  }

  /// Keys held down with another.
  public struct Modifiers: OptionSet, Hashable, Sendable {
    /// One bit per modifier.
    public let rawValue: UInt8

    /// Makes the modifiers whose bits are set.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    /// Shift.
    public static let shift = Modifiers(rawValue: 1 << 0)
    /// Alt, or Escape just before the key.
    public static let alt = Modifiers(rawValue: 1 << 1)
    /// Ctrl.
    public static let control = Modifiers(rawValue: 1 << 2)
  }

  /// The key without its modifiers.
  public let base: Base
  /// The keys held down with it.
  public let modifiers: Modifiers

  /// Makes a key; see ``Key`` for which keys become equal.
  public init(_ base: Base, _ modifiers: Modifiers = []) {
    (self.base, self.modifiers) = Self.canonical(base, modifiers)
  }

  /// Makes the key for a character that a terminal sends.
  public init(typed scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x7F: self.init(.backspace)
    case 0x00..<0x20: self.init(.character(Unicode.Scalar(UInt8(scalar.value) + 0x40)), .control)
    default: self.init(.character(scalar))
    }
  }

  /// Shift and Tab: back to the previous of several.
  public static let backTab = Key(.tab, .shift)

  private static func canonical(_ base: Base, _ modifiers: Modifiers) -> (Base, Modifiers) {
    guard case .character(let scalar) = base else { return (base, modifiers) }
    if modifiers.contains(.control) {
      let others = modifiers.subtracting(.control)
      switch scalar {
      case "i", "I": return (.tab, others)
      case "m", "M": return (.enter, others)
      case "h", "H": return (.backspace, others)
      case "[": return (.escape, others)
      case "@": return (.character(" "), modifiers.subtracting(.shift))
      default: return (.character(scalar.lowercased), modifiers.subtracting(.shift))
      }
    }
    return modifiers.contains(.shift)
      ? (.character(scalar.uppercased), modifiers.subtracting(.shift))
      : (base, modifiers)
  }
}

extension Unicode.Scalar {
  /// The lower-case form of an ASCII letter.
  fileprivate var lowercased: Unicode.Scalar {
    ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 32) : self
  }

  /// The upper-case form of an ASCII letter.
  fileprivate var uppercased: Unicode.Scalar {
    ("a"..."z").contains(self) ? Unicode.Scalar(UInt8(value) - 32) : self
  }
}
