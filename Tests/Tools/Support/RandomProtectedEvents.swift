import Engine

/// Random events of pKVM: a few pages in one block, a few guests, a device, and everybody at them.
public struct RandomProtectedEvents {
  private var random: Generator

  /// One block of memory.
  public static let memory: Range<UInt64> = 0x8_0000_0000..<0x8_0020_0000
  private static let addresses: [UInt64] = [0x1000, 0x2000, 0x3000, 0x20_0000]
  /// Guests 0 and 1 are protected, 2 and 3 are not.
  private static let guests = 4

  /// Events that a seed brings back.
  public init(seed: UInt64) { random = Generator(seed: seed) }

  /// The world, and a device that is attached before or after the first of it.
  public mutating func setUp() -> [Event] {
    var events: [Event] = [.pkvm(.memory(Self.memory))]
    if random.below(2) == 0 { events.append(.iommu(device: 0, .attach)) }
    events += (0..<Self.guests).map { .pkvm(.createGuest($0, isProtected: $0 < 2)) }
    if random.below(3) == 0 { events.append(access()) }
    return events
  }

  private mutating func page() -> UInt64 {
    Self.memory.lowerBound + [0, 1, 2, 7, 511][random.below(5)] * 4096
  }

  private mutating func pages() -> Range<UInt64> {
    let page = page()
    let count: UInt64 = random.below(4) == 0 && page + 8192 <= Self.memory.upperBound ? 2 : 1
    return page..<page + count * 4096
  }

  private mutating func address() -> UInt64 { Self.addresses[random.below(Self.addresses.count)] }

  private mutating func access() -> Event {
    .pkvm(.hostAccess([.read, .write, .execute][random.below(3)], page(), value: nil))
  }

  /// The next event.
  public mutating func next() -> Event {
    switch random.below(100) {
    case 0..<55: return .pkvm(.call(call()))
    case 55..<68: return access()
    case 68..<76:
      return .pkvm(
        .guestAccess(
          random.below(Self.guests), [.read, .write][random.below(2)], address(), value: nil))
    case 76..<90: return .dma(device: 0, page() + 8, write: random.below(2) == 0)
    case 90..<93: return .iommu(device: 0, random.below(4) == 0 ? .detach : .attach)
    case 93..<95: return .pause(random.below(2) == 0 ? 0 : page())
    case 95..<98: return .resume(next: random.below(2) == 0)
    case 98 where random.below(10) == 0:
      return .pkvm(.tearDownGuest(random.below(Self.guests)))
    case 98: return random.below(3) == 0 ? .pkvm(.snapshot) : .iommu(device: 0, .clean(Self.memory))
    default: return .dma(device: 0, 0x4000_0000, write: false)
    }
  }

  private mutating func call() -> PKVMCall {
    let guest = random.below(2)
    let plain = 2 + random.below(2)
    let address = address()
    switch random.below(20) {
    case 0: return .hostShareHyp(page())
    case 1: return .hostUnshareHyp(page())
    case 2: return .hostDonateHyp(pages())
    case 3, 4: return .hypDonateHost(pages())
    case 5: return .hypPin(page())
    case 6: return .hypUnpin(page())
    case 7: return .hostShareFFA(pages())
    case 8: return .hostUnshareFFA(pages())
    case 9, 10, 11: return .hostDonateGuest(guest, page(), at: address)
    case 12:
      let page = page()
      return .hostShareGuest(plain, page..<page + 4096, at: address, write: random.below(2) == 0)
    case 13: return .hostUnshareGuest(plain, address..<address + 4096)
    case 14: return .guestShareHost(guest, address)
    case 15: return .guestUnshareHost(guest, address)
    case 16: return .reclaimGuest(guest, address)
    case 17, 18: return .forceReclaim(page())
    default: return random.below(2) == 0 ? .hostPin(pages()) : .hostUnpin(pages())
    }
  }
}
