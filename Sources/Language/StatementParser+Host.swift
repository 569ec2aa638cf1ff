import Engine

extension StatementParser {
  mutating func host() throws(Mistake) -> HostOperation {
    if operands.takeIf("write") { return .touch(try operands.range(), write: true) }
    if operands.takeIf("read") { return .touch(try operands.range(), write: false) }
    if operands.takeIf("discard") { return .discard(try operands.range()) }
    if operands.takeIf("unmap") { return .unmap(try operands.range()) }
    if operands.takeIf("protect") {
      let range = try operands.range()
      return .protect(range, write: try operands.take(["r": false, "rw": true]))
    }
    if operands.takeIf("hugepages") {
      let range = try operands.range()
      return .hugePages(range, try operands.take(["on": true, "off": false]))
    }
    if operands.takeIf("collapse") { return .collapse(try operands.range()) }
    if operands.takeIf("merge") { return .merge(try operands.range()) }
    if operands.takeIf("fork") { return .fork }
    if operands.takeIf("idle") { return .idle(try operands.number("IPA")) }
    if operands.takeIf("test-idle") { return .testIdle(try operands.number("IPA")) }
    if operands.takeIf("dirty-log") {
      if operands.takeIf("get") { return .getDirtyLog(try operands.number("IPA")) }
      let on = try operands.take(["on": true, "off": false])
      return .dirtyLog(try operands.number("IPA"), on)
    }
    if operands.takeIf("eager-split") { return .eagerSplit(try operands.number("SIZE")) }
    if operands.takeIf("delete-memslot") { return .deleteMemslot(try operands.number("IPA")) }
    if operands.takeIf("no-thp") { return .noHugePages(try operands.range()) }
    throw operands.mistake(
      "write, read, discard, unmap, protect, hugepages, collapse, merge, fork, idle, test-idle, "
        + "dirty-log, eager-split, delete-memslot or no-thp")
  }
}
