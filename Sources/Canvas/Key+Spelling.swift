extension Key: CustomStringConvertible {
  /// The one spelling of the key, for key maps, configuration, key scripts and help: `j`, `G`,
  /// `ctrl-d`, `shift-right`, `alt-x`, `space`, `F1`.
  public var description: String {
    var name = ""
    if modifiers.contains(.control) { name += "ctrl-" }
    if modifiers.contains(.alt) { name += "alt-" }
    if modifiers.contains(.shift) { name += "shift-" }
    return name + base.name
  }

  /// Reads the spelling of a key: ``description``, in any letter case where that makes no difference.
  ///
  /// A name that is not one character has no case; a single character is taken literally. Modifiers may
  /// be in any order.
  ///
  /// - Returns: Nil if no key is spelled that way, or if terminals do not report it: Shift with a
  ///   character other than a letter.
  public init?(spelling: some StringProtocol) {
    var rest = Substring(spelling)
    var modifiers: Modifiers = []
    while let prefix = Self.prefixes.first(where: { rest.lowercased().hasPrefix($0.name) }),
      rest.count > prefix.name.count, !modifiers.contains(prefix.modifier)
    {
      modifiers.insert(prefix.modifier)
      rest = rest.dropFirst(prefix.name.count)
    }
    guard let base = Base(name: rest) else { return nil }
    if case .character(let scalar) = base, modifiers.contains(.shift),
      !("a"..."z").contains(scalar), !("A"..."Z").contains(scalar)
    {
      return nil
    }
    self.init(base, modifiers)
  }

  private static let prefixes: [(name: String, modifier: Modifiers)] = [
    ("ctrl-", .control), ("alt-", .alt), ("shift-", .shift),
  ]
}

extension Key.Base {
  /// The names of the keys that are neither graphic characters nor function keys.
  private static let names: [(name: String, base: Key.Base)] = [
    ("up", .up), ("down", .down), ("left", .left), ("right", .right), ("home", .home),
    ("end", .end), ("pageup", .pageUp), ("pagedown", .pageDown), ("tab", .tab),
    ("enter", .enter), ("escape", .escape), ("backspace", .backspace), ("insert", .insert),
    ("delete", .delete), ("space", .character(" ")),
  ]

  /// The name of the key: a word, or the character itself.
  ///
  /// A character that cannot be drawn is spelled by its number, as in `U+200B`.
  fileprivate var name: String {
    switch self {
    case .function(let number): return "F\(number)"
    case .character(let scalar) where scalar != " ":
      let text = String(scalar)
      return SafeText(text).string == text
        ? text : "U+" + String(scalar.value, radix: 16, uppercase: true)
    default: return Self.names.first { $0.base == self }?.name ?? ""
    }
  }

  /// The key of that name; nil if there is none.
  fileprivate init?(name: Substring) {
    let scalars = name.unicodeScalars
    if let scalar = scalars.first, scalars.count == 1 {
      guard scalar != " ", SafeText(name).string == name else { return nil }
      self = .character(scalar)
    } else if let named = Self.names.first(where: { $0.name == name.lowercased() }) {
      self = named.base
    } else if let number = (1...12).first(where: { name.lowercased() == "f\($0)" }) {
      self = .function(number)
    } else if name.hasPrefix("U+"), let value = UInt32(name.dropFirst(2), radix: 16), value >= 0x20,
      let scalar = Unicode.Scalar(value)
    {
      self = .character(scalar)
    } else {
      return nil
    }
  }
}
