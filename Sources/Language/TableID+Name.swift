import Engine

extension TableID {
  /// The name of the table on the command line and where it is typed.
  public var name: String {
    switch self {
    case .canonical: "canonical"
    case .shadow(let number): "shadow\(number)"
    case .guest(let vmid): "guest\(vmid)"
    case .host: "host"
    case .iommu(let device): device == 0 ? "iommu" : "iommu\(device)"
    case .protectedHost: "pkvm-host"
    case .protectedGuest(let number): "pkvm-guest\(number)"
    }
  }

  /// The table that a name stands for: `canonical`, `shadow<N>`, `guest<VMID>`, `iommu`, `iommu<N>`,
  /// `pkvm-host` or `pkvm-guest<N>`.
  public init?(name: some StringProtocol) {
    if name == "canonical" {
      self = .canonical
    } else if name.hasPrefix("shadow"), let number = Int(name.dropFirst(6)), number >= 0 {
      self = .shadow(number)
    } else if name.hasPrefix("guest"), let vmid = UInt16(name.dropFirst(5)) {
      self = .guest(vmid)
    } else if name == "pkvm-host" {
      self = .protectedHost
    } else if name.hasPrefix("pkvm-guest"), let number = Int(name.dropFirst(10)),
      (0..<PKVM.guests).contains(number)
    {
      self = .protectedGuest(number)
    } else if name == "iommu" {
      self = .iommu(0)
    } else if name.hasPrefix("iommu"), let device = Int(name.dropFirst(5)),
      (0..<SMMU.devices).contains(device)
    {
      self = .iommu(device)
    } else {
      return nil
    }
  }
}
