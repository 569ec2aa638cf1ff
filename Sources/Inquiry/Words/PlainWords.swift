import Engine

/// Sentences without abbreviations, for a second-year student.
package enum PlainWords {
  /// The meaning of each abbreviation or name. Longer ones come before those that they contain.
  private static let meanings: [(word: String, meaning: String)] = [
    ("canonical IPA", "guest address"), ("nested IPA", "nested address"),
    ("nested IPAs", "nested addresses"), ("canonical IPAs", "guest addresses"),
    ("IPA", "guest address"), ("IPAs", "guest addresses"), ("nIPA", "nested address"),
    ("PA", "physical address"), ("IOVA", "device address"), ("HVA", "host address"),
    ("VMM address", "host address"), ("VMM VMAs", "memory areas of the host process"),
    ("L1's", "the guest's"), ("L2's", "the nested guest's"), ("L1", "the guest"),
    ("L2", "the nested guest"), ("KVM's", "the hypervisor's"), ("KVM", "the hypervisor"),
    ("the VMM's", "the host process's"), ("The VMM's", "The host process's"),
    ("the VMM", "the host process"), ("The VMM", "The host process"), ("VMM", "host process"),
    ("a VM", "a virtual machine"), ("VM", "virtual machine"), ("VMs", "virtual machines"),
    ("vCPU's", "virtual processor's"), ("vCPU", "virtual processor"),
    ("vCPUs", "virtual processors"), ("CPU's", "processor's"), ("CPUs'", "processors'"),
    ("CPU", "processor"), ("CPUs", "processors"), ("TLBs", "translation caches"),
    ("TLB", "translation cache"), ("TLBI", "invalidation"), ("TLBIs", "invalidations"),
    ("VMID", "machine number"), ("VMIDs", "machine numbers"), ("ASID", "process number"),
    ("ASIDs", "process numbers"), ("no ASET", "shared with the processors"),
    ("with ASET", "that are not shared"),
    ("ASET", "not shared"),
    ("SMMU's", "device unit's"), ("SMMU", "device unit"),
    ("IOMMU", "device"), ("device's DMA", "device's access"), ("a DMA", "a device access"),
    ("A DMA", "A device access"), ("DMA", "device access"), ("an SMMU", "a device unit"),
    ("the VMM's process", "the host process"), ("The VMM's process", "The host process"),
    ("VTTBR", "the table at"),
    ("VMA", "memory area"),
    ("mmu_lock", "the lock of the tables"), ("KSM", "the host's merging of equal pages"),
    ("RMP", "ownership table"), ("RMM's", "realm manager's"), ("RMM", "realm manager"),
    ("pKVM's", "the hypervisor's"), ("pKVM", "the hypervisor"), ("MMIO", "device registers"),
    ("VNCR", "register"), ("AMD's", "the processor's"), ("RIPAS", "state"), ("EMPTY", "empty"),
    ("RAM", "memory"), ("DESTROYED", "destroyed"), ("RTT", "realm table"),
    ("revmap=none", "no reverse map"), ("revmap", "reverse map"), ("GPF", "fault"),
    ("STE", "stream's entry"), ("DTE", "device's entry"), ("DomainID", "device number"),
    ("DeviceID", "device number"), ("GPA", "guest address"), ("FROZEN_SPTE", "frozen"),
    ("#VMEXIT", "an exit"),
    ("MMU notifier invalidations", "times that the host took memory back"),
    ("MMU notifier calls", "calls of the host"), ("TLB entry", "cached translation"),
    ("TLB entries", "cached translations"), ("VNCR page", "register page"),
    ("reverse and direct map", "the two maps"),
    ("granule", "page"), ("shared-owned", "its own and lent out"),
    ("shared-borrowed", "borrowed"), ("nopage", "not there"), ("poison", "taken by force"),
    ("EL1", "the kernel"), ("EL2", "the hypervisor"),
  ]

  private static let meaningOf = Dictionary(
    meanings.map { ($0.word, $0.meaning) }, uniquingKeysWith: { first, _ in first })
  private static let wordsAtMost = 4

  /// A sentence without abbreviations, and without parenthesised parts.
  package static func sentence(_ text: String) -> String { expand(text).capitalized }

  /// The same of a part of a line, whose blanks are its columns.
  static func column(_ text: String) -> String {
    expand(text, keepingBlanks: true)
  }

  /// A text without abbreviations, and without parenthesised parts.
  package static func expand(_ text: String) -> String { expand(text, keepingBlanks: false) }

  private static func expand(_ text: String, keepingBlanks: Bool) -> String {
    let words = withoutParentheses(text)
      .split(separator: " ", omittingEmptySubsequences: !keepingBlanks).map { Token($0) }
    var result: [String] = []
    var index = 0
    while index < words.count {
      let (text, count) = meaning(at: index, in: words)
      result.append(text)
      index += count
    }
    return result.joined(separator: " ")
  }

  /// The plain form of the words at an index, and the number of words replaced.
  private static func meaning(at index: Int, in words: [Token]) -> (text: String, count: Int) {
    for count in (1...wordsAtMost).reversed() where index + count <= words.count {
      let run = words[index..<index + count]
      guard run.dropLast().allSatisfy(\.tail.isEmpty), let first = run.first, let last = run.last
      else { continue }
      if let meaning = meaningOf[run.map(\.core).joined(separator: " ")] {
        return (first.head + meaning + last.tail, count)
      }
    }
    let word = words[index]
    if let rights = Permissions(text: word.core) {
      return (word.head + rights.shortWords + word.tail, 1)
    }
    if let table = TableID(name: word.core), table != .canonical {
      return (word.head + table.plainPhrase + word.tail, 1)
    }
    // A policy, as in revmap=v2.
    let parts = word.core.split(separator: "=").map { meaningOf[String($0)] ?? String($0) }
    return (word.head + parts.joined(separator: " ") + word.tail, 1)
  }

  /// A word, and the signs around it.
  private struct Token {
    let head: String
    let core: String
    let tail: String

    init(_ word: some StringProtocol) {
      func isSign(_ character: Character) -> Bool { ".,:;?!\"".contains(character) }
      head = String(word.prefix(while: isSign))
      let rest = word.dropFirst(head.count)
      tail = String(rest.reversed().prefix(while: isSign).reversed())
      core = String(rest.dropLast(tail.count))
    }

    var text: String { head + core + tail }
  }

  private static func withoutParentheses(_ text: String) -> String {
    var depth = 0
    let kept = text.filter { character in
      if character == "(" { depth += 1 }
      defer { if character == ")" { depth -= 1 } }
      return depth == 0
    }
    return kept.replacing(" .", with: ".").replacing(" ,", with: ",").replacing(" ;", with: ";")
  }

  /// Whether a sentence is plain: no abbreviation, and no name from source code.
  package static func arePlain(_ sentence: String) -> Bool {
    sentence.split(separator: " ").allSatisfy { word in
      let core = Token(word).core
      let capitals = core.count { $0.isUppercase }
      return !core.contains { "_()=[]/".contains($0) }
        && (capitals == 0 || capitals == 1 && core.first?.isUppercase ?? false
          || isSize(core) || core.hasPrefix("0x"))
    }
  }

  /// Whether a word is a size or a range, as `4K` or `0x1000+2M`.
  private static func isSize(_ word: String) -> Bool {
    guard let last = word.last, "KMGT".contains(last) else { return false }
    return word.drop { $0 == "+" }.first?.isNumber ?? false
  }

  /// The first of the sentences in a text.
  package static func first(of text: String) -> String {
    guard let end = text.firstRange(of: ". ") else { return text }
    return String(text[..<end.lowerBound]) + "."
  }
}

extension PlainWords {
  /// What an entry of a table of a shape is, after a colon.
  static func entry(_ entry: Descriptor, level: Int, in geometry: Geometry) -> String {
    func address(_ address: UInt64) -> String {
      entry.format.knowsOutputs ? Phrase.address(address) : "an address that is not known"
    }
    return switch geometry.kind(of: entry, at: level) {
    case .table where !entry.format.knowsPlaces: "a table"
    case .table: "a table at \(address(entry.address(granuleShift: geometry.granuleShift)))"
    case .block, .page:
      "leads to \(address(geometry.output(of: entry, at: level))), " + entry.permissions.purpose
    case .reserved: "reserved, so that a walk ends in a fault"
    case .illegalOutput: "leads beyond all memory, so that a walk ends in a fault"
    case .locked: "locked while it is changed"
    case .unseen: "not known"
    case .invalid: entry.bits == 0 ? "empty" : "not valid, so that a walk ends in a fault"
    case .annotation: expand(Phrase.entry(entry, level: level, in: geometry))
    }
  }
}

extension DetailLevel {
  /// A text, without abbreviations where the level asks for that.
  func text(_ text: String) -> String { self == .plain ? PlainWords.expand(text) : text }

  /// Permissions, in a column.
  func permissions(_ permissions: Permissions) -> String {
    self == .plain
      ? permissions.shortWords.padded(to: Permissions.shortColumns) : permissions.text
  }

  /// The name of a table in a sentence.
  func table(_ table: TableID) -> String {
    self == .plain ? table.plainPhrase : Phrase.table(table)
  }
}

extension Permissions {
  /// What they permit, as a verb of a sentence; empty for nothing.
  package var verbs: String {
    let verbs = [read ? "read" : "", write ? "write" : "", executes ? "execute" : ""]
      .filter { !$0.isEmpty }
    guard let last = verbs.last else { return "" }
    return verbs.count == 1 ? last : verbs.dropLast().joined(separator: ", ") + " and " + last
  }

  /// What an entry with them is for.
  package var purpose: String { verbs.isEmpty ? "and permits nothing" : "to \(verbs) it" }

  /// The permissions that `text` writes; nil for another text.
  init?(text: String) {
    let signs = Array(text)
    guard signs.count == 3, let execute = ["X", "u", "-", "p"].firstIndex(of: String(signs[2])),
      "R-".contains(signs[0]), "W-".contains(signs[1])
    else { return nil }
    self.init(read: signs[0] == "R", write: signs[1] == "W", executeNever: UInt8(execute))
  }

  /// What they permit, in a column of `shortColumns`.
  package var shortWords: String {
    switch (read, write, executes) {
    case (true, true, true): "all rights"
    case (true, true, false): "read, write"
    case (true, false, true): "read, run"
    case (true, false, false): "read only"
    case (false, true, true): "write, run"
    case (false, true, false): "write only"
    case (false, false, true): "run only"
    case (false, false, false): "no rights"
    }
  }

  /// Columns of the longest of these.
  package static let shortColumns = 11

  private var executes: Bool { executeNever != 2 }
}
