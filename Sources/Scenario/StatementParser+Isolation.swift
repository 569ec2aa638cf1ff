import Engine

/// Statements about the owners of memory.
extension StatementParser {
  /// `rmp ...`: pages of a guest of AMD's.
  mutating func rmp() throws(Mistake) -> RMPOperation {
    if operands.takeIf("assign") {
      let range = try operands.range()
      return .assign(range, large: try operands.take(["4K": false, "2M": true]))
    }
    if operands.takeIf("convert") {
      let range = try operands.range()
      return .convert(range, shared: try operands.take(["shared": true, "private": false]))
    }
    if operands.takeIf("smash") { return .smash(try operands.number("IPA")) }
    if operands.takeIf("hold") { return .hold(try operands.number("IPA"), true) }
    if operands.takeIf("release") { return .hold(try operands.number("IPA"), false) }
    throw operands.mistake("assign, convert, smash, hold or release")
  }
}
