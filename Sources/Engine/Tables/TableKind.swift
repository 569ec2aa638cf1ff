/// Identifies a translation table.
public enum TableID: Hashable, Sendable {
  /// `kvm->arch.mmu`: canonical IPA to PA.
  case canonical
  /// A shadow table, by the number of its MMU: nested IPA to PA.
  case shadow(Int)
  /// A table of L1 in its own memory, by virtual VMID: nested IPA to canonical IPA.
  case guest(UInt16)
  /// The VMM's stage-1 table in the host: HVA to PA.
  case vmmStage1
  /// The table that the SMMU walks for a device, by its number: IOVA to PA. Its own, or the CPUs'.
  case iommu(Int)
  /// The host's stage 2 under pKVM: PA to the same PA.
  case pkvmHost
  /// A guest of pKVM, by its number: IPA to PA.
  case protectedGuest(Int)
}

/// The kinds of tables: how each is typed, its names, its address spaces.
///
/// This is the only list of them. A new kind needs a case here and in `TableID`, and in
/// `Machine+Tables.swift` its root and when it exists; help, errors, sentences and `--table` follow.
public enum TableKind: Int, CaseIterable, Sendable {
  /// See `TableID` for what each is.
  case canonical, shadow, guest, vmmStage1, iommu, pkvmHost, protectedGuest

  /// The address space of an address.
  public enum AddressKind: Sendable {
    /// L1's physical addresses.
    case canonicalIPA
    /// L2's physical addresses.
    case nestedIPA
    /// The physical addresses of a guest of pKVM.
    case guestIPA
    /// The machine's memory.
    case physical
    /// A device's addresses.
    case iova
    /// The VMM's address space.
    case hostVirtual

    /// Its name in a sentence.
    public var name: String {
      switch self {
      case .canonicalIPA: "canonical IPA"
      case .nestedIPA: "nested IPA"
      case .guestIPA: "IPA"
      case .physical: "PA"
      case .iova: "IOVA"
      case .hostVirtual: "VMM address"
      }
    }

    /// Its name where there is little room.
    public var shortName: String {
      switch self {
      case .canonicalIPA, .guestIPA: "IPA"
      case .nestedIPA: "nIPA"
      case .physical: "PA"
      case .iova: "IOVA"
      case .hostVirtual: "HVA"
      }
    }
  }

  /// Who makes and changes a table.
  public enum Keeper: Sendable {
    /// KVM, at EL1 or in the host's EL2.
    case kvm
    /// KVM on x86, of a guest with AMD's RMP.
    case amdKVM
    /// The hypervisor of pKVM, which the host can only ask.
    case pkvm
    /// L1, in its own memory.
    case guestHypervisor
    /// The host's memory management.
    case hostMemory
    /// The driver of the SMMU, or whatever keeps tables for devices in its place.
    case iommu
    /// The RMM: a realm's table, which its devices walk too.
    case realmManager
    /// The SMMU driver in pKVM's hypervisor.
    case pkvmDriver
    /// AMD's IOMMU driver.
    case amdDriver
  }

  /// The number in a table's name, if there may be several of the kind.
  struct Number {
    /// Its name in help, and its legal values.
    let placeholder: String
    let range: Range<Int>
    /// Whether 0 is left out.
    var isOptional = false
  }

  /// The facts about a kind.
  struct Facts {
    /// Its name as it is typed, before the number.
    let name: String
    var number: Number?
    /// Its name in a sentence, with the number if there can be several.
    let phrase: (Int) -> String
    /// The same for someone who does not know the abbreviations.
    let plainPhrase: (Int) -> String
    let input: AddressKind
    let output: AddressKind
    let keeper: Keeper
    /// Whether it is a stage-2 table, which can be dumped and compared by name.
    var isTyped = true
  }

  var facts: Facts {
    switch self {
    case .canonical:
      Facts(
        name: "canonical", phrase: { _ in "the canonical table" },
        plainPhrase: { _ in "the canonical table" },
        input: .canonicalIPA,
        output: .physical, keeper: .kvm)
    case .shadow:
      Facts(
        name: "shadow", number: Number(placeholder: "N", range: 0..<Int.max),
        phrase: { "shadow \($0)" }, plainPhrase: { "shadow table \($0)" },
        input: .nestedIPA, output: .physical, keeper: .kvm)
    case .guest:
      Facts(
        name: "guest", number: Number(placeholder: "VMID", range: 0..<1 << 16),
        phrase: { "L1's table, VMID \($0)" }, plainPhrase: { _ in "the guest's table" },
        input: .nestedIPA, output: .canonicalIPA,
        keeper: .guestHypervisor)
    case .iommu:
      Facts(
        name: "iommu",
        number: Number(placeholder: "N", range: 0..<SMMU.devices, isOptional: true),
        phrase: { "the IOMMU table" + ($0 == 0 ? "" : " of device \($0)") },
        plainPhrase: { $0 == 0 ? "the device's table" : "the table of device \($0)" },
        input: .iova,
        output: .physical, keeper: .iommu)
    case .pkvmHost:
      Facts(
        name: "pkvm-host", phrase: { _ in "the host's stage 2" },
        plainPhrase: { _ in "the host's table" },
        input: .physical,
        output: .physical, keeper: .pkvm)
    case .protectedGuest:
      Facts(
        name: "pkvm-guest", number: Number(placeholder: "N", range: 0..<PKVM.guests),
        phrase: { "the stage 2 of guest \($0)" }, plainPhrase: { "the table of guest \($0)" },
        input: .guestIPA, output: .physical, keeper: .pkvm
      )
    case .vmmStage1:
      Facts(
        name: "host", phrase: { _ in "the VMM's table" },
        plainPhrase: { _ in "the host process's table" },
        input: .hostVirtual, output: .physical,
        keeper: .hostMemory,
        isTyped: false)
    }
  }

  /// Address space of its input addresses.
  public var input: AddressKind { facts.input }
  /// Address space of its output addresses.
  public var output: AddressKind { facts.output }
  /// Who makes and changes it.
  public var keeper: Keeper { facts.keeper }

  /// What can be typed for a table of the kind, as in `shadow<N>`.
  private var form: String { facts.name + (facts.number.map { "<\($0.placeholder)>" } ?? "") }

  /// All forms that can be typed for a table, as in a sentence: `canonical, shadow<N> ... or pkvm-guest<N>`.
  public static var forms: String {
    let forms = allCases.filter(\.facts.isTyped).map(\.form)
    return forms.dropLast().joined(separator: ", ") + " or " + (forms.last ?? "")
  }

  /// The table with a number; the number is ignored if the kind has only one table.
  fileprivate func table(_ number: Int) -> TableID {
    switch self {
    case .canonical: .canonical
    case .shadow: .shadow(number)
    case .guest: .guest(UInt16(truncatingIfNeeded: number))
    case .vmmStage1: .vmmStage1
    case .iommu: .iommu(number)
    case .pkvmHost: .pkvmHost
    case .protectedGuest: .protectedGuest(number)
    }
  }

  /// The table with a name, or nil.
  fileprivate func table(named name: some StringProtocol) -> TableID? {
    guard facts.isTyped, name.hasPrefix(facts.name) else { return nil }
    let rest = name.dropFirst(facts.name.count)
    guard let form = facts.number else { return rest.isEmpty ? table(0) : nil }
    if rest.isEmpty { return form.isOptional ? table(0) : nil }
    guard rest.allSatisfy(\.isNumber), let number = Int(rest), form.range.contains(number) else {
      return nil
    }
    return table(number)
  }
}

extension TableID {
  /// Its kind, and its number among the kind; 0 if there is only one.
  private var place: (kind: TableKind, number: Int) {
    switch self {
    case .canonical: (.canonical, 0)
    case .shadow(let number): (.shadow, number)
    case .guest(let vmid): (.guest, Int(vmid))
    case .vmmStage1: (.vmmStage1, 0)
    case .iommu(let device): (.iommu, device)
    case .pkvmHost: (.pkvmHost, 0)
    case .protectedGuest(let number): (.protectedGuest, number)
    }
  }

  /// Its kind.
  public var kind: TableKind { place.kind }

  /// The name of the table as it is typed.
  public var name: String {
    let (kind, number) = place
    guard let form = kind.facts.number, number != 0 || !form.isOptional else {
      return kind.facts.name
    }
    return kind.facts.name + "\(number)"
  }

  /// A unique number for a table that lies in frames, as L1's do not.
  var frameNumber: UInt64 {
    precondition(kind != .guest, "a table of L1 lies in its own memory")
    let (kind, number) = place
    return UInt64(kind.rawValue + 1) << 8 | UInt64(number)
  }

  /// The table with such a number; nil if none has it.
  init?(frameNumber: UInt64) {
    guard let kind = TableKind(rawValue: Int(frameNumber >> 8) - 1) else { return nil }
    self = kind.table(Int(frameNumber & 0xff))
  }

  /// What the table is called in a sentence.
  public var phrase: String { place.kind.facts.phrase(place.number) }
  /// The same for someone who does not know the abbreviations.
  public var plainPhrase: String { place.kind.facts.plainPhrase(place.number) }

  /// The table with a name in one of `TableKind.forms`; nil for any other text.
  public init?(name: some StringProtocol) {
    let found = TableKind.allCases.lazy.compactMap { $0.table(named: name) }.first
    guard let found else { return nil }
    self = found
  }
}
