import Engine

/// A statement as it was read.
enum ParsedStatement {
  case version
  case title(String)
  case vm(Configuration)
  case policy(Policy.Setting)
  case event(Event)
  case step(label: String, text: String)
  case expect(Expectation)
}

/// The grammar of statements. See assets/event-language.md for what they mean.
struct StatementParser {
  var operands: Operands

  init(_ words: Words) { operands = Operands(words) }

  static func parse(_ words: Words) throws(Mistake) -> ParsedStatement {
    var parser = StatementParser(words)
    return try parser.parse()
  }

  /// The statement that the operands are.
  mutating func parse() throws(Mistake) -> ParsedStatement {
    let statement = try statement()
    try operands.finish()
    return statement
  }

  private mutating func statement() throws(Mistake) -> ParsedStatement {
    guard let word = operands.next else { throw operands.mistake("a statement") }
    // First what long files consist of.
    if operands.words.hasPrefix(word, "l1") { return .event(try l1()) }
    if operands.words.hasPrefix(word, "l2") { return .event(try l2()) }
    if operands.takeIf("host") { return .event(.host(try host())) }
    if operands.words.hasPrefix(word, "iommu") { return .event(try iommu()) }
    if operands.words.hasPrefix(word, "dev") { return .event(try dma()) }
    if operands.takeIf("expect") { return .expect(try expectation()) }
    if operands.takeIf("step") {
      let label = try operands.words.text(try operands.take("a label"))
      return .step(label: label, text: operands.isAtEnd ? "" : try operands.text("a text"))
    }
    if operands.takeIf("memslot") { return .event(try memslot()) }
    if operands.takeIf("title") { return .title(try operands.text("the title")) }
    if operands.takeIf("vm") { return .vm(try vm()) }
    if operands.takeIf("policy") { return .policy(try policy()) }
    if operands.takeIf("revmap") { return .event(try reverseMap()) }
    if operands.takeIf("other-vm") { return .event(try otherVM()) }
    if operands.takeIf("other-process") { return .event(try otherProcess()) }
    if operands.takeIf("pause") { return .event(.pause(try operands.option("at=") ?? 0)) }
    if operands.takeIf("resume") { return .event(.resume(next: operands.takeIf("next"))) }
    if operands.takeIf("pkvm") { return .event(.pkvm(try pkvm())) }
    if operands.takeIf("realm") { return .event(.realm(try realm())) }
    if operands.takeIf("rmp") { return .event(.rmp(try rmp())) }
    if operands.takeIf("pagewalk") {
      guard try operands.number("the version of the language") == 1 else {
        throw Mistake(offset: word.range.lowerBound, message: "expected 'pagewalk 1'")
      }
      return .version
    }
    throw operands.mistake(
      "a statement: pagewalk, title, vm, policy, memslot, step, host, l1, l2, revmap, other-vm, "
        + "other-process, pkvm, iommu, dev, rmp, realm, pause, resume or expect")
  }

  private mutating func vm() throws(Mistake) -> Configuration {
    var configuration = Configuration()
    var given: Set<String> = []
    while let word = operands.next {
      let offset = word.range.lowerBound
      let key: String
      if let bits = try operands.option("ipa=") {
        guard bits <= 48, Configuration.ipaBitsRange.contains(Int(bits)) else {
          throw Mistake(offset: offset, message: "expected ipa=32 to ipa=48")
        }
        configuration.ipaBits = Int(bits)
        key = "ipa"
      } else if let vcpus = try operands.option("vcpus=") {
        guard vcpus <= 64, Configuration.vcpusRange.contains(Int(vcpus)) else {
          throw Mistake(offset: offset, message: "expected vcpus=1 to vcpus=64")
        }
        configuration.vcpus = Int(vcpus)
        key = "vcpus"
      } else if let bits = try operands.option("vmid-bits=") {
        guard bits <= 16, Configuration.vmidBitsRange.contains(Int(bits)) else {
          throw Mistake(offset: offset, message: "expected vmid-bits=3 to vmid-bits=16")
        }
        configuration.vmidBits = Int(bits)
        key = "vmid-bits"
      } else if operands.words.hasPrefix(word, "nested=") {
        configuration.nested = try operands.required("nested=", ["on": true, "off": false])
        key = "nested"
      } else {
        throw operands.mistake("ipa=BITS, vcpus=N, nested=on|off or vmid-bits=N")
      }
      if !given.insert(key).inserted {
        throw Mistake(offset: offset, message: "expected each option of 'vm' once")
      }
    }
    if configuration.vcpus + 1 >= 1 << configuration.vmidBits {
      throw operands.mistake("more VMIDs than CPUs: a larger vmid-bits, or fewer vcpus")
    }
    return configuration
  }

  /// `revmap fail N` and `revmap fail-erase N`.
  private mutating func reverseMap() throws(Mistake) -> Event {
    let isErasure = try operands.take(["fail": false, "fail-erase": true])
    let count = try operands.number("how many will fail")
    return .failReverseMap(insertions: isErasure ? 0 : count, erasures: isErasure ? count : 0)
  }

  /// `other-vm N run [cpu=C]`, `other-vm N wait`, `other-vm N unmap IPA SIZE`, `other-vm N attach` and
  /// `other-vm N detach`.
  private mutating func otherVM() throws(Mistake) -> Event {
    let number = try operands.number("the number of the VM")
    if operands.takeIf("run") {
      return .otherVM(number, .run(cpu: Int(clamping: try operands.option("cpu=") ?? 0)))
    }
    if operands.takeIf("wait") { return .otherVM(number, .wait) }
    if operands.takeIf("unmap") { return .otherVM(number, .unmap(try operands.range())) }
    return .otherVM(
      number, try operands.take(["attach": OtherVMOperation.attach, "detach": .detach]))
  }

  /// `other-process N run` and `other-process N unmap ADDRESS SIZE`.
  private mutating func otherProcess() throws(Mistake) -> Event {
    let number = try operands.number("the number of the process")
    if operands.takeIf("unmap") {
      return .otherProcess(number, .unmap(try operands.range("ADDRESS")))
    }
    if operands.takeIf("run") { return .otherProcess(number, .run) }
    throw operands.mistake("run or unmap")
  }

  private mutating func memslot() throws(Mistake) -> Event {
    let id = try operands.number("the slot's ID")
    let range = try operands.range()
    let backing = try operands.required(
      "backing=",
      ["4K": Backing.pages, "thp": .transparentHuge, "hugetlb-1G": .hugetlb1G])
    return .addMemslot(id: id, range, backing)
  }

  /// The number in `NAME@N`, or 0 for `NAME` alone.
  mutating func number(
    after name: StaticString, below limit: Int, _ what: String
  ) throws(Mistake) -> Int {
    let word = try operands.take("'\(name)'")
    if operands.words.word(word, is: name) { return 0 }
    let start = word.range.lowerBound + name.utf8CodeUnitCount
    guard operands.words.hasPrefix(word, name), start < word.range.upperBound,
      operands.words.bytes[start] == UInt8(ascii: "@"),
      let number = operands.words.number(start + 1..<word.range.upperBound), number < limit
    else {
      throw Mistake(
        offset: word.range.lowerBound,
        message: "expected '\(name)' or '\(name)@' and \(what), 0 to \(limit - 1)")
    }
    return Int(number)
  }

  /// The vCPU of `l1`, `l2`, `l1@N` or `l2@N`.
  mutating func vcpu(_ name: StaticString) throws(Mistake) -> Int {
    try number(after: name, below: Configuration.vcpusRange.upperBound, "a vCPU")
  }

  private mutating func l1() throws(Mistake) -> Event {
    let vcpu = try vcpu("l1")
    if operands.takeIf("write") { return try access(.l1, vcpu, .write) }
    if operands.takeIf("read") { return try access(.l1, vcpu, .read) }
    if operands.takeIf("exec") { return try access(.l1, vcpu, .execute) }
    if operands.takeIf("store") {
      let ipa = try operands.number("IPA")
      let value = try operands.number("the value")
      return .access(.l1, vcpu: vcpu, .write, ipa, value: value)
    }
    if operands.takeIf("context") {
      let vttbr = try operands.required("vttbr=")
      let vtcr = try operands.required("vtcr=")
      let hcr = try operands.required("hcr=")
      return .context(vcpu: vcpu, vttbr: vttbr, vtcr: vtcr, hcr: hcr)
    }
    if operands.takeIf("tlbi") { return .invalidate(vcpu: vcpu, try invalidation()) }
    if operands.takeIf("vncr") {
      return .vncr(vcpu: vcpu, try operands.number("IPA of the page"))
    }
    if operands.takeIf("run") { return .run(vcpu: vcpu) }
    if operands.takeIf("wait") { return .wait(vcpu: vcpu) }
    throw operands.mistake("read, write, exec, store, context, tlbi, vncr, run or wait")
  }

  private mutating func l2() throws(Mistake) -> Event {
    let vcpu = try vcpu("l2")
    if operands.takeIf("exec") { return try access(.l2, vcpu, .execute) }
    if operands.takeIf("write") { return try access(.l2, vcpu, .write) }
    if operands.takeIf("read") { return try access(.l2, vcpu, .read) }
    if operands.takeIf("tlbi") {
      try operands.take(keyword: "vmalle1is")
      return .l2Invalidate(vcpu: vcpu)
    }
    throw operands.mistake("read, write, exec or tlbi")
  }

  private mutating func access(
    _ guest: Guest, _ vcpu: Int, _ kind: AccessKind
  ) throws(Mistake) -> Event {
    let address = try operands.number(guest == .l1 ? "IPA" : "nested IPA")
    let value = kind == .write ? try operands.option("value=") : nil
    return .access(guest, vcpu: vcpu, kind, address, value: value)
  }

  private mutating func invalidation() throws(Mistake) -> GuestInvalidation {
    if operands.takeIf("ipas2e1is") {
      let ipa = try operands.number("nested IPA")
      return .address(ipa, ttl: try levelHint())
    }
    if operands.takeIf("ripas2e1is") {
      let ipa = try operands.number("nested IPA")
      let place = operands.next
      let pages = try operands.required("pages=")
      if pages == 0 || pages > 1 << 36 {
        throw Mistake(
          offset: place?.range.lowerBound ?? 0, message: "expected pages=1 to pages=2^36")
      }
      let shift = try operands.required("granule=", ["4K": 12, "16K": 14, "64K": 16])
      return .range(ipa, pages: pages, granuleShift: shift)
    }
    return try operands.take([
      "vmalls12e1is": GuestInvalidation.currentVMID, "alle1is": .all, "vmalle1is": .stage1,
    ])
  }

  /// `ttl=G:L` as the four bits of the operand; 0 without it.
  private mutating func levelHint() throws(Mistake) -> UInt8 {
    guard let range = operands.takeValue("ttl=") else { return 0 }
    let text = String(decoding: operands.words.bytes[range], as: UTF8.self)
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let granules: [Substring: UInt8] = ["none": 0, "4K": 1, "16K": 2, "64K": 3]
    guard parts.count == 2, let granule = granules[parts[0]], let level = UInt8(parts[1]), level < 4
    else {
      throw Mistake(
        offset: range.lowerBound, message: "expected ttl=GRANULE:LEVEL, 4K 16K 64K or none : 0 to 3"
      )
    }
    return granule << 2 | level
  }
}
