/// Numbers as the event language writes them.
package enum Number {
  /// The value of a text: decimal or hexadecimal with `0x`, `_` between digits, K M G T for powers of 1024;
  /// nil if it is none.
  package static func value(of text: some StringProtocol) -> UInt64? {
    let bytes = [UInt8](text.utf8)
    return Lexer(bytes).number(0..<bytes.count)
  }
}
