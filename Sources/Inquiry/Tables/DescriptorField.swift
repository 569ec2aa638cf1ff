import Engine
import Language

/// A field of an entry: its bits, value, meaning and owner.
package struct DescriptorField: Equatable, Sendable, Encodable {
  /// Who sets the field, or acts on it.
  package enum Owner: String, Encodable, Sendable {
    /// The hardware reads it.
    case hardware = "hw"
    /// The hardware ignores it; KVM uses it.
    case software = "KVM"
    /// The hardware ignores it; the RMM uses it.
    case monitor = "RMM"
    /// Nobody: it must be 0 or is ignored.
    case nobody = "-"

    var emphasis: Report.Emphasis {
      switch self {
      case .hardware: .hardware
      case .software, .monitor: .software
      case .nobody: .dim
      }
    }
  }

  package let name: String
  /// Its highest and lowest bit.
  package let high, low: Int
  /// Nil if no dump tells it.
  @Hex package private(set) var value: UInt64?
  package let meaning: String
  package let owner: Owner

  /// The field's bits, as in `47:12`.
  package var bits: String { high == low ? "\(high)" : "\(high):\(low)" }
}

extension DescriptorField {
  /// Whose entry it is, where the software's bits mean something of its own.
  package enum Use: Sendable {
    /// A table that KVM or the RMM keeps.
    case plain
    /// A shadow, whose leaves have tags.
    case shadow
    /// A table that the hypervisor keeps for a guest, whose leaves say the page's state.
    case protectedGuest
    /// A device's own table, whose keeper leaves no notes.
    case device
  }
}

extension Descriptor {
  /// All 64 bits by field, from the highest (Arm ARM D8.3, `kvm_pgtable.h`; at stage 1 io-pgtable-arm.c).
  ///
  /// What no dump tells of them has no value.
  package func fields(
    level: Int, geometry: Geometry, in use: DescriptorField.Use
  ) -> [DescriptorField] {
    if isUnseen { return [field("entry", 63, 0, .nobody) { _ in "" }] }
    if !isValid { return invalidFields(geometry, use) }
    if isTable(level) {
      return geometry.format == .stage1 ? stage1TableFields(geometry) : tableFields(geometry)
    }
    return geometry.format == .stage1
      ? stage1LeafFields(level, geometry) : leafFields(level, geometry, use)
  }

  /// A table of a device's stage 1. The driver does not use its hierarchical permission bits.
  private func stage1TableFields(_ geometry: Geometry) -> [DescriptorField] {
    [
      field("NSTable", 63, 63, .nobody) { _ in "secure state only" },
      field("APTable", 62, 61, .hardware) {
        $0 == 0 ? "takes no permission away" : "limits leaves"
      },
      field("XNTable", 60, 59, .hardware) {
        $0 == 0 ? "takes no permission away" : "limits leaves"
      },
      field("ignored", 58, 56, .nobody) { _ in "" },
      field("SW_SYNC", 55, 55, .software) { $0 == 0 ? "not used" : "the SMMU sees it for sure" },
      field("ignored", 54, 48, .nobody) { _ in "" },
    ] + tableAddressFields(geometry)
  }

  /// A leaf of a device's stage 1 (`arm_lpae_prot_to_pte`).
  private func stage1LeafFields(_ level: Int, _ geometry: Geometry) -> [DescriptorField] {
    [
      field("ignored", 63, 55, .nobody) { _ in "" },
      field("UXN", 54, 54, .hardware) { $0 == 0 ? "unprivileged code executes" : "no execution" },
      field("PXN", 53, 53, .hardware) { $0 == 0 ? "privileged code executes" : "no execution" },
    ] + outputFields(geometry.shift(level)) + [
      field("nG", 11, 11, .hardware) { $0 == 0 ? "of every ASID" : "of this ASID alone" }
    ] + useFields + [
      field("AP[2:1]", 7, 6, .hardware) {
        [
          "privileged read and write", "read and write", "privileged read", "read",
        ][Int($0)]
      },
      field("NS", 5, 5, .nobody) { _ in "secure state only" },
      field("Attr", 4, 2, .hardware) { _ in memoryType.rawValue },
    ] + leafTypeFields
  }

  private func field(
    _ name: String, _ high: Int, _ low: Int, _ owner: DescriptorField.Owner,
    _ meaning: (UInt64) -> String
  ) -> DescriptorField {
    let width = high - low + 1
    let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
    let isKnown = known >> UInt64(low) & mask == mask
    let value = bits >> UInt64(low) & mask
    return DescriptorField(
      name: name, high: high, low: low, value: isKnown ? value : nil,
      meaning: isKnown ? meaning(value) : "not told", owner: owner)
  }

  /// The bits that are known: of an entry of a table that was seen, those that its dump tells.
  var known: UInt64 { isUnseen ? 0 : format.known }

  private func invalidFields(
    _ geometry: Geometry, _ use: DescriptorField.Use
  ) -> [DescriptorField] {
    let valid = field("V", 0, 0, .hardware) { _ in "not valid: walks end here" }
    if !geometry.keepsNotes || use == .device {
      return [field("ignored", 63, 1, .nobody) { _ in "" }, valid]
    }
    if let note = realmNote { return realmFields(note.state) }
    if donation != nil { return donationFields + [valid] }
    return [
      field("type", 63, 60, .software) {
        ["none", "LOCKED", "a donation", "POISONED"].dropFirst(Int($0)).first ?? "an annotation"
      },
      field("payload", 59, 1, .software) { $0 == 0 ? "none" : "the annotation's" },
      valid,
    ]
  }

  /// The fields of an annotation of pKVM's host (`host_stage2_set_owner_metadata_locked`,
  /// `host_stage2_encode_gfn_meta`).
  private var donationFields: [DescriptorField] {
    let isGuests = if case .guest = donation { true } else { false }
    return [
      field("type", 63, 60, .software) { _ in "a donation" },
      field("gfn", 59, 20, .software) {
        isGuests ? "the guest's address \(hex: $0 << 12)" : "of no guest"
      },
      field("handle", 19, 4, .software) { _ in isGuests ? "of the guest" : "of no guest" },
      field("owner", 3, 1, .software) { _ in isGuests ? "a guest" : "the hypervisor" },
    ]
  }

  /// The fields of the RMM's note for a realm (TF-RMM, s2tt).
  private func realmFields(_ state: RealmState) -> [DescriptorField] {
    [
      field("address", 63, 12, .monitor) { $0 == 0 ? "none" : "of the assigned memory" },
      field("-", 11, 7, .nobody) { _ in "" },
      field("RIPAS", 6, 5, .monitor) { _ in Phrase.name(of: state) },
      field("HIPAS", 4, 2, .monitor) { $0 == 0 ? "no memory assigned" : "memory assigned" },
      field("-", 1, 1, .nobody) { _ in "" },
      field("V", 0, 0, .hardware) { _ in "not valid: walks end here" },
    ]
  }

  private func tableFields(_ geometry: Geometry) -> [DescriptorField] {
    [field("ignored", 63, 48, .nobody) { _ in "no attributes at stage 2" }]
      + tableAddressFields(geometry)
  }

  private func leafFields(
    _ level: Int, _ geometry: Geometry, _ use: DescriptorField.Use
  ) -> [DescriptorField] {
    var fields = [
      field("NS", 63, 63, .nobody) { _ in "secure state only" },
      field("PBHA", 62, 59, .nobody) { _ in "for FEAT_HPDS2" },
    ]
    switch use {
    case .shadow:
      fields += [
        field("SW", 58, 57, .software) { _ in "free" },
        field("tag", 56, 55, .software) { $0 == 0 ? "no leaf of L1" : "L1's leaf has level \($0)" },
      ]
    case .protectedGuest:
      fields += [
        field("SW", 58, 57, .software) { _ in "free" },
        field("state", 56, 55, .software) { _ in pageState.name },
      ]
    case .plain, .device: fields.append(field("SW", 58, 55, .software) { _ in "free" })
    }
    if format.known & Self.executeNeverMask == Self.executeNeverMask {
      fields.append(
        field("XN", 54, 53, .hardware) {
          ["EL1 and EL0 execute", "EL0 executes", "nobody executes", "EL1 executes"][Int($0)]
        })
    } else {
      fields += [
        field("XN[1]", 54, 54, .hardware) {
          $0 == 0 ? "EL0 executes" : "EL0 does not execute"
        },
        field("XN[0]", 53, 53, .hardware) { _ in "" },
      ]
    }
    return fields + outputFields(geometry.shift(level)) + [
      field("FnXS", 11, 11, .nobody) { _ in "for FEAT_XS" }
    ] + useFields + [
      field("S2AP", 7, 6, .hardware) {
        ["no access", "read", "write", "read and write"][Int($0)]
      },
      field("MemAttr", 5, 2, .hardware) { _ in memoryType.rawValue },
    ] + leafTypeFields
  }

  // MARK: Fields of both stages

  /// The address and type fields of a table entry.
  private func tableAddressFields(_ geometry: Geometry) -> [DescriptorField] {
    [
      field("table", 47, geometry.granuleShift, .hardware) { _ in "the next level's table" },
      field("ignored", geometry.granuleShift - 1, 2, .nobody) { _ in "" },
      field("T", 1, 1, .hardware) { _ in "a table" },
      field("V", 0, 0, .hardware) { _ in "valid" },
    ]
  }

  /// Bits 52:12 of a leaf that covers 2^`shift` bytes.
  private func outputFields(_ shift: UInt64) -> [DescriptorField] {
    let fields = [
      field("C", 52, 52, .hardware) { $0 == 0 ? "not contiguous" : "one of a contiguous run" },
      field("DBM", 51, 51, .hardware) { $0 == 0 ? "no dirty state" : "the hardware may set write" },
      field("res0", 50, 48, .nobody) { _ in "" },
      field("output", 47, Int(shift), .hardware) { value in
        "\(hex: value << shift), \(Phrase.size(1 << shift))"
      },
    ]
    return shift > 12
      ? fields + [field("res0", Int(shift) - 1, 12, .nobody) { _ in "" }] : fields
  }

  /// Bits 10:8 of a leaf.
  private var useFields: [DescriptorField] {
    [
      field("AF", 10, 10, .hardware) { $0 == 0 ? "not accessed" : "accessed" },
      field("SH", 9, 8, .hardware) {
        ["not shareable", "reserved", "outer shareable", "inner shareable"][Int($0)]
      },
    ]
  }

  /// Bits 1:0 of a leaf.
  private var leafTypeFields: [DescriptorField] {
    [
      field("T", 1, 1, .hardware) { $0 == 0 ? "a block" : "a page" },
      field("V", 0, 0, .hardware) { _ in "valid" },
    ]
  }
}
