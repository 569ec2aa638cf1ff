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

  mutating func expectation() throws(Mistake) -> Expectation {
    if operands.takeIf("value") { return .value(try operands.number("the value")) }
    if operands.takeIf("error") {
      return try operands.take([
        "external": Expectation.externalAbort, "size": .sizeFault, "efault": .efault,
      ])
    }
    if operands.takeIf("mmio") {
      let write = try operands.take(["read": false, "write": true])
      let ipa = try operands.number("IPA")
      // The length says what the guest's instruction was; nothing depends on it.
      _ = try operands.number("the length")
      return .mmio(write: write, ipa: ipa)
    }
    if operands.takeIf("dirty") {
      let slot = try operands.required("slot=")
      return .dirty(slot: slot, word: try operands.required("word0="))
    }
    if operands.takeIf("idle") {
      let ipa = try operands.number("IPA")
      return .idle(ipa, try operands.take(["0": false, "1": true]))
    }
    if let word = operands.next, operands.words.hasPrefix(word, "l1") { return try abort() }
    throw operands.mistake("l1, error, value, mmio, dirty or idle")
  }

  private mutating func abort() throws(Mistake) -> Expectation {
    let vcpu = try vcpu("l1")
    let instruction = try operands.take(["data-abort": false, "insn-abort": true])
    let place = operands.next
    let status = try operands.required("fsc=")
    if status > 0x3f {
      throw Mistake(offset: place?.range.lowerBound ?? 0, message: "expected fsc=0 to fsc=0x3f")
    }
    let write = operands.takeIf("write")
    let ipa = try operands.required("ipa=")
    return .abort(
      vcpu: vcpu, instruction: instruction, status: UInt8(status), write: write, ipa: ipa)
  }
}
