/// Numbers as the event language writes them.
package enum Number {
  /// The value of a text: decimal or hexadecimal with `0x`, `_` between digits, K M G T for powers of 1024;
  /// nil if it is not a number.
  package static func value(of text: some StringProtocol) -> UInt64? {
    let bytes = [UInt8](text.utf8)
    return Lexer(bytes).number(0..<bytes.count)
  }

  /// The digits of a count in groups of three, as `1,000,000`, for human-readable lines.
  package static func grouped(_ count: some BinaryInteger) -> String {
    var text = String(count)
    var place = text.endIndex
    while text.distance(from: text.startIndex, to: place) > (count < 0 ? 4 : 3) {
      place = text.index(place, offsetBy: -3)
      text.insert(",", at: place)
    }
    return text
  }
}
