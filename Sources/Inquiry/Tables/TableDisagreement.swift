import Engine
import Language

/// How an entry of a device's table differs from the CPUs' table at the same addresses.
package struct TableDisagreement: Equatable, Sendable, Encodable {
  package enum Kind: String, Encodable, Sendable {
    /// The device must not reach the memory: it has another owner.
    case foreign
    /// They map different memory.
    case output
    /// The CPUs' table maps nothing there.
    case presence
    case permissions
    case size
    /// Memory type, or shareability.
    case attribute
  }

  package let kind: Kind
  /// The first input address at which they differ.
  @Hex package private(set) var address: UInt64
  /// Whether that breaks a rule.
  package let isForbidden: Bool
  /// The CPUs' output address, if their table maps the address.
  @Hex package private(set) var output: UInt64?
  /// The CPUs' permissions there, and the size of their entry in bytes.
  package let permissions: Permissions?
  package let size: UInt64?

  fileprivate init(
    _ kind: Kind, at address: UInt64, _ other: MappedRange?, isForbidden: Bool = false
  ) {
    self.kind = kind
    self.isForbidden = isForbidden
    permissions = other?.descriptor.permissions
    size = other?.size
    _address = Hex(wrappedValue: address)
    _output = Hex(wrappedValue: other?.output(of: address))
  }

  /// The sign in a row: `!` if it breaks a rule, `≠` if not, and a letter for the kind.
  package var sign: String {
    let letter =
      switch kind {
      case .foreign: "f"
      case .output: "o"
      case .presence: "m"
      case .permissions: "p"
      case .size: "s"
      case .attribute: "a"
      }
    return (isForbidden ? Sign.mismatch : Sign.differs) + letter
  }

  /// Whether the next entry differs alike, so that one line can say it of both.
  func isContinued(by next: TableDisagreement, after bytes: UInt64) -> Bool {
    kind == next.kind && isForbidden == next.isForbidden && permissions == next.permissions
      && size == next.size && (output == nil) == (next.output == nil)
      && (kind != .output || output.map { $0 &+ bytes } == next.output)
  }

  /// Broken rules come first, and addresses that the CPUs have not faulted in yet come last.
  fileprivate var gravity: Int { isForbidden ? 3 : kind == .presence ? 1 : 2 }

  package var emphasis: Report.Emphasis { isForbidden ? .mismatch : .dim }

  /// What it is, and why it is allowed or not.
  package var sentence: String { sentence(of: "\(hex: address)", at: "at \(hex: address)") }

  /// The same of a run of entries, whose addresses are named before.
  var sentenceOfAll: String { sentence(of: "them", at: "there") }

  private func sentence(of address: String, at place: String) -> String {
    let output = output ?? 0
    let from = address == "them" ? "from \(hex: output) on" : "\(hex: output)"
    switch kind {
    case .foreign:
      return
        "\(address == "them" ? "They lead" : address + " leads") to memory that the device's owner does not own: "
        + "not allowed."
    case .output where isForbidden:
      return
        "The CPUs' table maps \(address) to other memory, \(from), although it is "
        + "pinned: the device and the CPUs must use the same page."
    case .output:
      return
        "The CPUs' table maps \(address) to other memory, \(from). This is allowed: nothing is "
        + "pinned there."
    case .presence:
      return
        "The CPUs' table maps nothing \(place). This is allowed: CPU tables are filled on "
        + "fault, device tables in advance."
    case .permissions:
      return
        "The CPUs' table permits \(permissions?.text ?? "") \(place). This is allowed: each "
        + "table has its own permissions."
    case .size:
      return
        "The CPUs' table has a \(Phrase.size(size ?? 0)) entry \(place). This is allowed: "
        + "each table chooses its own sizes."
    case .attribute:
      return
        "The CPUs' table has another memory type \(place). This is allowed: the device's "
        + "DMA has its own."
    }
  }
}

extension Machine {
  /// The gravest difference of a device's entries from the CPUs' table, among at most 64 uniformly mapped
  /// pieces; nil if there is none, or if it is the CPUs' own table.
  package func disagreement(of run: EntryRun, ofDevice device: Int) -> TableDisagreement? {
    guard run.descriptor.isLeaf(run.level), let cpus = cpuReader(besideDevice: device)
    else { return nil }
    var found: TableDisagreement?
    var address = run.address
    for _ in 0..<Self.piecesAtMost where address < run.end {
      let start = address & ~(run.entrySize - 1)
      let leaf = MappedRange(
        range: start..<start + run.entrySize, level: run.level, descriptor: run.descriptor,
        output: run.descriptor.address + (start - run.address))
      let (other, end) = cpus.leaf(at: address)
      let next = disagreement(of: leaf, at: address, device: device, with: other)
      if let next, next.gravity > found?.gravity ?? 0 { found = next }
      address = end
    }
    return found
  }

  /// A reader of the CPUs' table, unless the device walks that very table.
  func cpuReader(besideDevice device: Int) -> TableReader? {
    guard let cpus = table(cpuTableID), let table = table(.iommu(device)),
      table.rootAddress != cpus.rootAddress
    else { return nil }
    return TableReader(cpus, in: self)
  }

  private static let piecesAtMost = 64

  /// The difference of a device's leaf from the CPUs' at an address, or nil.
  func disagreement(
    of leaf: MappedRange, at address: UInt64, device: Int, with other: MappedRange?
  ) -> TableDisagreement? {
    if !mayReach(leaf.output(of: address), device: device) {
      return TableDisagreement(.foreign, at: address, other, isForbidden: true)
    }
    switch Difference.Kind(at: address, leaf, other, .outputs) {
    case .onlyFirst: return TableDisagreement(.presence, at: address, other)
    case .output:
      let isPinned = pinnedPage(at: address, device: device) != nil
      return TableDisagreement(.output, at: address, other, isForbidden: isPinned)
    case .weaker, .stronger, .permissions:
      return TableDisagreement(.permissions, at: address, other)
    case .size: return TableDisagreement(.size, at: address, other)
    case .attribute: return TableDisagreement(.attribute, at: address, other)
    case .onlySecond, .bits, .entry, nil: return nil
    }
  }
}
