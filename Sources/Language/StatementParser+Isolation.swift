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

  /// `realm ...`: what the host asks the RMM.
  mutating func realm() throws(Mistake) -> RealmOperation {
    if operands.takeIf("delegate") { return .delegate(try operands.range()) }
    if operands.takeIf("undelegate") { return .undelegate(try operands.range()) }
    if operands.takeIf("rtt-create") {
      return .createTable(try operands.number("IPA"), level: try level())
    }
    if operands.takeIf("rtt-fold") {
      return .fold(try operands.number("IPA"), level: try level())
    }
    if operands.takeIf("rtt-destroy") {
      return .destroyTable(try operands.number("IPA"), level: try level())
    }
    if operands.takeIf("data-create") { return .createData(try operands.number("IPA")) }
    if operands.takeIf("data-destroy") { return .destroyData(try operands.number("IPA")) }
    if operands.takeIf("ripas") {
      let range = try operands.range()
      return .setState(range, try operands.take(["empty": RealmState.empty, "ram": .ram]))
    }
    throw operands.mistake(
      "delegate, undelegate, rtt-create, rtt-fold, rtt-destroy, data-create, data-destroy or ripas")
  }

  private mutating func level() throws(Mistake) -> Int {
    try operands.take(["1": 1, "2": 2, "3": 3])
  }
}
