import Canvas

extension Look: CustomStringConvertible {
  /// The look in words: its attributes, then its colours, as in `bold bright blue` or `209 on 24`.
  public var description: String {
    let names: [(Attributes, String)] = [
      (.bold, "bold"), (.dim, "dim"), (.italic, "italic"), (.underline, "underline"),
      (.reverse, "reverse"),
    ]
    var words = names.filter { attributes.contains($0.0) }.map(\.1)
    if let foreground { words.append(Self.name(of: foreground)) }
    if let background { words.append("on \(Self.name(of: background))") }
    return words.isEmpty ? "plain" : words.joined(separator: " ")
  }

  /// The name of a basic colour or its bright form, the number of any other.
  private static func name(of colour: Colour) -> String {
    let basic = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
    return switch Int(colour) {
    case 0..<8: basic[Int(colour)]
    case 8..<16: "bright " + basic[Int(colour) - 8]
    default: "\(colour)"
    }
  }
}
