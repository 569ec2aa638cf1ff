import Engine

/// Random events about a VM's devices, under one of the ways to keep what they see in step.
public struct RandomDevices {
  /// What the events are about.
  public enum System: Sendable {
    /// A table of the device's own: mapping, unmapping, pinning.
    case own
    /// The CPUs' table, and VMIDs that run out.
    case mirror
    /// The VMM's own addresses.
    case process
    /// Pages that change hands under AMD's RMP.
    case rmp
    /// A realm.
    case realm
  }

  var random: Generator
  let system: System
  /// The machine's configuration.
  public let configuration: VMConfiguration

  static let pages: Range<UInt64> = 0x8000_0000..<0x8001_0000
  static let huge: Range<UInt64> = 0x8020_0000..<0x8060_0000

  /// Events about a system, in a machine of a configuration.
  public init(seed: UInt64, _ system: System, _ configuration: VMConfiguration) {
    random = Generator(seed: seed)
    self.system = system
    self.configuration = configuration
  }

  /// Slots, and for a realm and an RMP what has owners from the beginning.
  public mutating func setUp() -> [Event] {
    let slots: [Event] = [
      .addMemslot(id: 0, Self.pages, .pages), .addMemslot(id: 1, Self.huge, .transparentHuge),
      .host(.touch(Self.huge, write: true)),
    ]
    switch system {
    case .own, .mirror, .process: return slots
    case .rmp:
      return slots + [
        .iommu(device: 0, .attach), .iommu(device: 0, .pin(Self.huge)),
        .rmp(.assign(Self.huge, large: true)),
      ]
    case .realm:
      let start = Self.huge.lowerBound
      let block = start..<start + 2 << 20
      return slots + [
        .iommu(device: 0, .attach), .realm(.createTable(start, level: 2)),
        .realm(.createTable(start, level: 3)), .realm(.createTable(start + 2 << 20, level: 3)),
        .realm(.setState(Self.huge, .ram)), .realm(.delegate(Self.huge)),
      ]
        + stride(from: block.lowerBound, to: block.upperBound, by: 4096).map {
          .realm(.createData($0))
        }
        + [.realm(.fold(start, level: 3))]
    }
  }

  /// An address in memory of the slots, few enough to meet again.
  private mutating func place() -> UInt64 {
    let page = UInt64(random.below(5)) << 12
    switch random.below(3) {
    case 0: return Self.pages.lowerBound + page
    case 1: return Self.huge.lowerBound + page
    default: return Self.huge.lowerBound + 2 << 20 + page
    }
  }

  private mutating func range() -> Range<UInt64> {
    let start = place()
    let slot = Self.pages.contains(start) ? Self.pages : Self.huge
    let size: UInt64 = [4096, 4096, 8192, 2 << 20][random.below(4)]
    let aligned = size > 8192 ? start & ~(size - 1) : start
    return max(aligned, slot.lowerBound)..<min(aligned + size, slot.upperBound)
  }

  /// The next event.
  public mutating func next() -> Event {
    switch random.below(20) {
    case 0..<6:
      let place = place()
      return .dma(
        device: device(), system == .process ? Self.address(of: place) : place,
        write: random.below(2) == 0)
    case 6: return .pause(0)
    case 7, 8: return .resume(next: random.below(3) == 0)
    case 9, 10:
      let kind: AccessKind = random.below(2) == 0 ? .read : .write
      return .access(.l1, vcpu: random.below(configuration.vcpus), kind, place(), value: nil)
    case 11: return .host(host())
    default: break
    }
    switch system {
    case .own: return .iommu(device: device(), own())
    case .mirror: return mirror()
    case .process: return process()
    case .rmp: return .rmp(rmp())
    case .realm: return .realm(realm())
    }
  }

  private mutating func device() -> Int {
    system == .own || system == .process ? random.below(2) : 0
  }

  /// The VMM's address of a canonical IPA: memory of slots is mapped downwards, congruent modulo 2M, with a gap
  /// of 2M.
  private static func address(of ipa: UInt64) -> UInt64 {
    pages.contains(ipa)
      ? 0xffff_9be0_0000 + (ipa - pages.lowerBound) : 0xffff_9b80_0000 + (ipa - huge.lowerBound)
  }

  /// Without what takes pinned memory away from under its device, which no kernel prevents.
  private mutating func host() -> HostOperation {
    let range = range()
    switch random.below(system == .mirror || system == .process ? 8 : 5) {
    case 0: return .fork
    case 1: return .merge(Self.pages)
    case 2: return .collapse(range)
    case 3, 4: return .touch(range, write: random.below(2) == 0)
    case 5: return .protect(range, write: random.below(2) == 0)
    default: return .discard(range)
    }
  }

  private mutating func own() -> IOMMUOperation {
    switch random.below(10) {
    case 0, 1: return random.below(4) == 0 ? .attachOwn : .attach
    case 2: return random.below(2) == 0 ? .detach : .free
    case 3, 4: return .pin(range())
    case 5, 6: return .map(range(), to: 0x9_0000_0000 + place() & 0x3f_ffff, write: true)
    default: return .unmap(range())
    }
  }

  private mutating func mirror() -> Event {
    if let event = aboutFaults() { return event }
    let other = UInt64(random.below(12))
    switch random.below(12) {
    case 0, 1: return .iommu(device: 0, .attach)
    case 2: return .iommu(device: 0, random.below(2) == 0 ? .detach : .free)
    case 3..<7: return .otherVM(other, .run(cpu: random.below(configuration.vcpus)))
    case 7: return .otherVM(other, .wait)
    case 8: return .otherVM(other, random.below(2) == 0 ? .attach : .detach)
    case 9: return .otherVM(other, .unmap(range()))
    default: return .host(.discard(range()))
    }
  }

  /// What only matters where devices wait, or have memory pinned.
  private mutating func aboutFaults() -> Event? {
    switch configuration.iommu.faults {
    case .abort: return nil
    case .stall:
      switch random.below(12) {
      case 0: return .host(.idle(place()))
      case 1: return .host(.dirtyLog(place(), random.below(2) == 0))
      case 2: return .host(.getDirtyLog(place()))
      default: return nil
      }
    case .pin:
      let device = random.below(2)
      switch random.below(6) {
      case 0, 1: return .iommu(device: device, .pin(range()))
      case 2: return .iommu(device: device, .unmap(range()))
      default: return nil
      }
    }
  }

  private mutating func process() -> Event {
    let number = UInt64(random.below(3))
    switch random.below(10) {
    case 0, 1: return .iommu(device: device(), .shareAddresses)
    case 2: return .iommu(device: device(), random.below(3) > 0 ? .detach : .free)
    case 3: return .otherProcess(number, .run)
    case 4, 5:
      let start = Self.address(of: place())
      return .otherProcess(number, .unmap(start..<start + 8192))
    default: return .host(host())
    }
  }

  private mutating func rmp() -> RMPOperation {
    let start = Self.huge.lowerBound + UInt64(random.below(2)) << 21 + UInt64(random.below(5)) << 12
    switch random.below(8) {
    case 0: return .hold(start, true)
    case 1, 2: return .hold(start, false)
    default:
      return .convert(
        start..<start + 4096 * UInt64(1 + random.below(3)), shared: random.below(3) > 0)
    }
  }

  private mutating func realm() -> RealmOperation {
    let place = Self.huge.lowerBound + UInt64(random.below(2)) << 21 + UInt64(random.below(5)) << 12
    let page = place..<place + 4096
    switch random.below(12) {
    case 0: return .delegate(page)
    case 1: return .undelegate(page)
    case 2, 3: return .createTable(place, level: 3)
    case 4: return .fold(place, level: 3)
    case 5: return .destroyTable(place, level: 2 + random.below(2))
    case 6, 7: return .createData(place)
    case 8, 9: return .destroyData(place)
    default: return .setState(page, random.below(3) == 0 ? .empty : .ram)
    }
  }
}
