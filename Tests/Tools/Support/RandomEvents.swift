import Engine

/// Random events that make sense: a guest hypervisor that builds tables of any granule, guests that use
/// them, and a host that takes memory away.
public struct RandomEvents {
  var random: Generator
  /// The machine that they are for.
  public let configuration: VMConfiguration

  /// Memory of L1's tables, then of 4 KiB pages, then of huge pages.
  static let tables: Range<UInt64> = 0x4000_0000..<0x4040_0000
  static let pages: Range<UInt64> = 0x8000_0000..<0x8080_0000
  let huge: Range<UInt64>
  private let backing: Backing

  /// - Parameters:
  ///   - policy: Under another than none, insertions into the reverse map fail now and then.
  ///   - hugetlb: Whether the huge pages are of hugetlb.
  public init(seed: UInt64, policy: ReverseMapVersion = .none, hugetlb: Bool = false) {
    random = Generator(seed: seed)
    huge = hugetlb ? 0xc000_0000..<0x1_4000_0000 : 0xc000_0000..<0xc080_0000
    backing = hugetlb ? .hugetlb1G : .transparentHuge
    configuration = VMConfiguration(
      ipaBits: [36, 40, 48][random.below(3)], vcpus: [1, 1, 2][random.below(3)], nested: true,
      reverseMap: policy)
  }

  /// Slots, and tables of L1 with a few entries.
  public mutating func setUp() -> [Event] {
    var events: [Event] = [
      .addMemslot(id: 0, Self.tables, .pages), .addMemslot(id: 1, Self.pages, .pages),
      .addMemslot(id: 2, huge, backing),
    ]
    for context in 0..<4 {
      for vcpu in 0..<configuration.vcpus where vcpu == context % configuration.vcpus {
        events.append(self.context(context, vcpu: vcpu))
      }
      for _ in 0..<40 { events.append(descriptor(context)) }
    }
    return events
  }

  private func vtcr(_ context: Int) -> VTCR {
    // 39 bits of 4K from level 1, 48 bits of 4K from level 0, 39 bits of 16K from level 1, 42 bits of
    // 64K from level 2: the last two with hardware access flag.
    VTCR([0x8002_3559, 0x8005_3590, 0x8022_b599, 0x8022_7556][context])
  }

  private func root(_ context: Int) -> UInt64 { Self.tables.lowerBound + UInt64(context) << 20 }

  /// Two of the contexts share a VMID.
  private func context(_ context: Int, vcpu: Int, stage2: Bool = true) -> Event {
    .context(
      vcpu: vcpu, vttbr: UInt64(context % 3 + 1) << 48 | root(context), vtcr: vtcr(context).bits,
      hcr: stage2 ? 1 : 0)
  }

  /// A canonical IPA, mostly in a slot, aligned to `size`.
  private mutating func target(_ size: UInt64) -> UInt64 {
    let slot = [Self.pages, Self.pages, huge, Self.tables][random.below(4)]
    if random.below(40) == 0 { return 0x0a00_0000 & ~(size - 1) }
    return UInt64.random(in: slot, using: &random) & ~(size - 1)
  }

  /// A nested IPA that L1's few tables can reach: the first entries of each level.
  private mutating func nested(_ context: Int) -> UInt64 {
    let geometry = vtcr(context).geometry
    var address: UInt64 = 0
    for level in geometry.startLevel...3 {
      address |= UInt64(random.below(3)) << geometry.shift(level)
    }
    return address | UInt64(random.below(512)) * 8
  }

  /// L1 stores an entry: for each level one table page in the context's memory.
  private mutating func descriptor(_ context: Int) -> Event {
    let geometry = vtcr(context).geometry
    let level = Int.random(in: geometry.startLevel...3, using: &random)
    let stride = max(4096, UInt64(1) << UInt64(geometry.granuleShift))
    let page = root(context) + UInt64(level - geometry.startLevel) * max(stride, geometry.rootBytes)
    let index = UInt64(random.below(3))
    var bits: UInt64
    if level < 3, random.below(3) > 0 || !geometry.allowsLeaf(level) {
      bits = page + max(stride, geometry.rootBytes) | 3
    } else {
      bits = target(geometry.size(level)) | (level == 3 ? 3 : 1) | 0xf << 2 | 3 << 8
      bits |= UInt64([3, 3, 3, 1, 2, 0][random.below(6)]) << 6
      bits |= UInt64([0, 2, 0, 1, 3][random.below(5)]) << 53
      if random.below(8) > 0 { bits |= Descriptor.accessed }
      if random.below(8) == 0 { bits |= Descriptor.contiguous }
    }
    if random.below(12) == 0 { bits = 0 }
    return .access(
      .l1, vcpu: random.below(configuration.vcpus), .write, page + index * 8, value: bits)
  }

  private mutating func range(_ slot: Range<UInt64>) -> Range<UInt64> {
    let sizes: [UInt64] = [4096, 4096, 16384, 1 << 20, slot == Self.pages ? 2 << 20 : hugeSize]
    let size = sizes[random.below(5)]
    let start = UInt64.random(in: slot.lowerBound..<slot.upperBound - size, using: &random)
    let aligned = start & ~((random.below(2) == 0 ? size : 4096) - 1)
    return aligned..<aligned + size
  }

  private var hugeSize: UInt64 { backing == .hugetlb1G ? 1 << 30 : 2 << 20 }

  private mutating func kind() -> AccessKind {
    [.read, .write, .write, .execute][random.below(4)]
  }

  /// The next event.
  public mutating func next() -> Event {
    let vcpu = random.below(configuration.vcpus)
    let context = random.below(4)
    let value: UInt64? = random.below(2) == 0 ? nil : UInt64(random.below(4))
    switch random.below(100) {
    case 0..<58:
      let kind = kind()
      let address = random.below(12) == 0 ? target(8) : nested(context)
      return .access(.l2, vcpu: vcpu, kind, address, value: kind == .write ? value : nil)
    case 58..<66:
      let kind = kind()
      let address = target(8)
      // L1 does not overwrite its own tables with anything but entries.
      let isWrite = kind == .write && !Self.tables.contains(address)
      return .access(
        .l1, vcpu: vcpu, isWrite ? .write : .read, address, value: isWrite ? value : nil)
    case 66..<76: return descriptor(context)
    case 76..<82: return self.context(context, vcpu: vcpu, stage2: random.below(6) > 0)
    case 82..<88:
      let address = nested(context)
      return .invalidate(
        vcpu: vcpu,
        [
          .address(address, ttl: UInt8([0, 0, 5, 6, 7, 10, 11, 14, 15, 3][random.below(10)])),
          .range(
            address, pages: UInt64(1 + random.below(600)),
            granuleShift: [12, 14, 16][random.below(3)]),
          .currentVMID, .all, .stage1, .address(address, ttl: 0),
        ][random.below(6)])
    case 88: return rare(vcpu)
    default: return .host(host())
    }
  }

  private mutating func rare(_ vcpu: Int) -> Event {
    switch random.below(10) {
    case 0: return .l2Invalidate(vcpu: vcpu)
    case 1, 2: return .pause(random.below(2) == 0 ? 0 : nested(random.below(4)))
    case 3, 4: return .resume(next: random.below(4) == 0)
    case 5: return .vncr(vcpu: vcpu, target(4096))
    case 6: return .failReverseMap(insertions: UInt64(1 + random.below(3)), erasures: 0)
    case 7: return .failReverseMap(insertions: 0, erasures: UInt64(1 + random.below(3)))
    case 8: return .host(.eagerSplit([0, 2 << 20][random.below(2)]))
    default:
      return random.below(2) == 0
        ? .addMemslot(id: 1, Self.pages, .pages) : .addMemslot(id: 2, huge, backing)
    }
  }

  private mutating func host() -> HostOperation {
    let slot = [Self.pages, Self.pages, huge][random.below(3)]
    let range = range(slot)
    switch random.below(40) {
    case 24..<32: return .discard(range.lowerBound..<range.lowerBound + 4096)
    case 0..<4: return .discard(range)
    case 8 where random.below(4) == 0: return .unmap(range.lowerBound..<range.lowerBound + 4096)
    case 9, 10: return .protect(range, write: random.below(2) == 0)
    case 11: return .hugePages(range, random.below(2) == 0)
    case 12, 13: return .collapse(range)
    case 14: return .merge(Self.pages.lowerBound..<Self.pages.lowerBound + 0x20000)
    case 15: return .fork
    case 16: return .idle(range.lowerBound)
    case 17: return .testIdle(range.lowerBound)
    case 18: return .dirtyLog(range.lowerBound, true)
    case 19: return .dirtyLog(range.lowerBound, false)
    case 20: return .noHugePages(range)
    case 22, 23: return .getDirtyLog(range.lowerBound)
    case 21 where random.below(8) == 0: return .deleteMemslot(slot.lowerBound)
    default: return .touch(range.lowerBound..<range.lowerBound + 8192, write: random.below(2) == 0)
    }
  }
}
