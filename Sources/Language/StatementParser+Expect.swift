import Engine

/// What `expect` may ask for.
extension StatementParser {
  mutating func expectation() throws(Mistake) -> Expectation {
    if let policies = try policyNames() { return .under(policies, try expectation()) }
    if operands.takeIf("violation") { return .violation(try invariant()) }
    if operands.takeIf("revmap") { return try reverseMapExpectation() }
    if operands.takeIf("leaf") { return try leafExpectation() }
    if operands.takeIf("value") { return .value(try operands.number("the value")) }
    if operands.takeIf("dma") { return try dmaExpectation() }
    if operands.takeIf("pkvm") { return try pkvmExpectation() }
    if operands.takeIf("error") { return try errorExpectation() }
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
    throw operands.mistake(
      "l1, error, value, mmio, dirty, idle, violation, revmap, leaf, dma or pkvm")
  }

  private mutating func errorExpectation() throws(Mistake) -> Expectation {
    if let word = operands.next,
      let error = KernelError.allCases.first(where: {
        operands.words.bytes[word.range].elementsEqual($0.name.lowercased().utf8)
      })
    {
      _ = try operands.take("an error")
      return error == .efault ? .efault : error == .enomem ? .outOfMemory : .kernelError(error)
    }
    if operands.takeIf("external") { return .externalAbort }
    if operands.takeIf("size") { return .sizeFault }
    let names = KernelError.allCases.map { $0.name.lowercased() }.joined(separator: ", ")
    throw operands.mistake("external, size or an error of the kernel: \(names)")
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

  /// `under=NAME,…`, or nil if there is none.
  private mutating func policyNames() throws(Mistake) -> [ReverseMapPolicyName]? {
    guard let range = operands.takeValue("under=") else { return nil }
    let text = String(decoding: operands.words.bytes[range], as: UTF8.self)
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map {
      ReverseMapPolicyName(rawValue: String($0))
    }
    guard names.allSatisfy({ $0 != nil }) else {
      let all = ReverseMapPolicyName.allCases.map(\.rawValue).joined(separator: ", ")
      throw Mistake(
        offset: range.lowerBound, message: "expected names of policies with commas: \(all)")
    }
    return names.compactMap { $0 }
  }

  private mutating func invariant() throws(Mistake) -> Invariant? {
    if operands.takeIf("none") { return nil }
    let names = Invariant.allCases.map(\.rawValue).joined(separator: ", ")
    guard let word = operands.next,
      let invariant = Invariant(
        rawValue: String(decoding: operands.words.bytes[word.range], as: UTF8.self))
    else { throw operands.mistake("none or a rule: \(names)") }
    _ = try operands.take("a rule")
    return invariant
  }

  private mutating func reverseMapExpectation() throws(Mistake) -> Expectation {
    let shadow = Int(clamping: try operands.required("shadow="))
    if operands.takeIf("broken") { return .broken(shadow: shadow, true) }
    if operands.takeIf("whole") { return .broken(shadow: shadow, false) }
    if let count = try operands.option("stale=") { return .stale(shadow: shadow, count) }
    let ipa = try operands.number("broken, whole, stale=COUNT, or a canonical IPA")
    if operands.takeIf("known") {
      return .reverseMap(shadow: shadow, ipa: ipa, .known(try operands.number("nested IPA")))
    }
    if operands.takeIf("payload") {
      return .reverseMap(shadow: shadow, ipa: ipa, .payload(try operands.number("the word")))
    }
    let answer = try operands.take(["unknown": ReverseMapAnswer.unknown, "none": .nothing])
    return .reverseMap(shadow: shadow, ipa: ipa, answer)
  }

  private mutating func leafExpectation() throws(Mistake) -> Expectation {
    let table: TableID
    if let number = try operands.option("shadow=") {
      table = .shadow(Int(clamping: number))
    } else if let word = operands.next,
      let name = TableID(
        name: String(decoding: operands.words.bytes[word.range], as: UTF8.self))
    {
      _ = try operands.take("a table")
      table = name
    } else {
      throw operands.mistake("canonical, iommu or shadow=N")
    }
    let address = try operands.number("input address")
    let size: UInt64? = try operands.take([
      "none": UInt64?.none, "4K": 4096, "2M": 2 << 20, "1G": 1 << 30,
    ])
    return .leaf(table, address, size: size)
  }
}
