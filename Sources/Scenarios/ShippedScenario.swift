/// A scenario embedded in the program, so that it is available wherever the binary is.
public struct ShippedScenario: Sendable {
  /// Its name where a file may be given: its path below `assets/scenarios`, as in `rmp/iommu-first`.
  public let name: String
  private let text: StaticString

  /// Its statements, as in the file.
  public var bytes: [UInt8] {
    Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// All of them, ordered by name.
  public static let all = embedded.map {
    ShippedScenario(name: String($0.name.description.dropLast(".pw".count)), text: $0.text)
  }

  /// The one that the program opens by default.
  public static let builtIn = "built-in"

  /// The scenario with a name; nil if there is none.
  public static func named(_ name: String) -> ShippedScenario? { all.first { $0.name == name } }
}

extension ShippedScenario {
  /// The subjects of scenarios. The raw value is the folder of `assets/scenarios`.
  public enum System: String, CaseIterable, Sendable {
    case nested, iommu, sharing, btm, pkvm, rmp, cca, rules, bugs, found

    /// Its title, as the head of a list.
    public var title: String {
      switch self {
      case .nested: "Nested guests"
      case .iommu: "Devices with a table of their own"
      case .sharing: "Devices that walk the CPUs' table"
      case .btm: "VMIDs and ASIDs that CPUs and the SMMU share"
      case .pkvm: "pKVM: a host that is itself under a stage 2"
      case .rmp: "AMD's RMP: guest memory has owners"
      case .cca: "Arm CCA: a realm's table belongs to the RMM"
      case .rules: "Rules of KVM, one at a time"
      case .bugs: "Bugs of reverse maps as they were posted, and of KVM"
      case .found: "The shortest random runs that break a rule"
      }
    }
  }

  /// Its subject; nil for the built-in one, which covers everything.
  public var system: System? {
    name.split(separator: "/").first.flatMap { System(rawValue: String($0)) }
  }
}
