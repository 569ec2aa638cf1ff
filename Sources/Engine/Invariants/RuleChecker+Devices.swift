/// Rules about devices: the SMMU's TLB, and pinned memory.
extension RuleChecker {
  private static let allIOVAs: Range<UInt64> = 0..<1 << 48

  /// Streams or domains have changed: checks cached entries again, and pages pinned for the devices
  /// concerned.
  mutating func refreshDevices(_ machine: Machine) {
    let old = devices
    devices = DeviceState(machine)
    guard machine.hasSMMU else { return }
    dirty.iotlb += Self.tags(of: machine.iotlb, machine.memory)
    if traits.isIsolated {
      for device in 0..<SMMU.devices where old.streams[device] != devices.streams[device] {
        refreshOwned(of: device, machine)
      }
      if old.attached.isEmpty != devices.attached.isEmpty { refreshMap() }
    }
    if old.streams == devices.streams, old.domains == devices.domains { return }
    for domain in 0..<SMMU.devices {
      if !devices.domains.contains(domain) {
        broken.removeAll(of: .agreement, group: domain)
        if !traits.isIsolated { broken.removeAll(of: .ownership, group: domain) }
      }
      notePins(of: domain, in: Self.allIOVAs, machine)
    }
  }

  /// Entries of a table, which the SMMU may walk for some devices, have changed.
  mutating func takeDevices(_ range: Range<UInt64>, of table: Table, _ machine: Machine) {
    for (device, stream) in devices.streams.enumerated() {
      guard let domain = stream.domain, domain.root == table.root else { continue }
      Self.findTags(
        in: range, domain.context, of: machine.iotlb, machine.memory, &dirty.iotlb)
      if traits.pinsKeepLeaves { notePins(of: device, in: range, machine) }
      takeWalked(range)
    }
  }

  mutating func takeCached(_ machine: Machine) {
    guard traits.pinsKeepLeaves || traits.isIsolated, machine.hasSMMU else { return }
    if traits.walksBehindCaches { dirty.cached = [Self.allIOVAs] }
    for range in dirty.cached where traits.pinsKeepLeaves { notePinned(in: range, machine) }
  }

  /// Queues pages pinned in a range for any device for another check.
  mutating func notePinned(in range: Range<UInt64>, _ machine: Machine) {
    for device in 0..<SMMU.devices { notePins(of: device, in: range, machine) }
  }

  mutating func notePins(of device: Int, in range: Range<UInt64>, _ machine: Machine) {
    if machine[device, .pinnedPages] == 0 { return }
    let pages = machine.pinnedPages(of: device)
    var index = range.lowerBound >> 12
    while index < range.upperBound >> 12,
      let next = pages.firstIndex(in: index..<range.upperBound >> 12, of: machine.memory)
    {
      dirty.pins.append((device, next << 12))
      index = next + 1
    }
  }

  mutating func judgePin(_ device: Int, _ iova: UInt64, _ machine: Machine) {
    let pin = machine.pinnedPage(at: iova, device: device)
    let isAttached = devices.domains.contains(device)
    broken[BrokenPlaces.Place(part: .agreement, group: device, address: iova)] =
      isAttached ? pin.flatMap { machine.disagreement(at: iova, $0, device) } : nil
    guard traits.pinsKeepLeaves else { return }
    let isChanging = parked.changingPins.contains { $0.device == device && $0.range.contains(iova) }
    broken[BrokenPlaces.Place(part: .ownership, group: device, address: iova)] =
      isAttached && pin != nil && !isChanging ? machine.hole(atPinned: iova, device) : nil
  }

  mutating func judgeIOTLB(at slot: Int, _ machine: Machine) {
    broken[BrokenPlaces.Place(part: .iotlb, address: UInt64(slot))] =
      TLB.Entry(at: slot, in: machine.memory).flatMap {
        machine.staleness(ofDMA: $0, in: devices.tables, parked.invalidations)
      }
  }

  mutating func judgeMirrors(_ machine: Machine) {
    for device in 0..<SMMU.devices {
      broken[BrokenPlaces.Place(part: .mirror, group: device)] =
        devices.attached.contains(device) ? machine.mirrorViolations(device).first : nil
    }
  }
}

/// Streams and domains.
struct DeviceState: Sendable {
  /// What determines a device's DMA, apart from its table's entries.
  struct Stream: Equatable, Sendable {
    var entry = StreamEntry.abort
    var domain: Table?
    var context = ContextDescriptor.none
  }

  var streams = [Stream](repeating: Stream(), count: SMMU.devices)
  /// Devices whose DMA is translated, and their domains' tables.
  var attached: [Int] = []
  var tables: [Table] = []
  /// The domains of those devices.
  var domains: [Int] = []
  /// Devices that work with the VMM's addresses, and the context that tags those.
  var sharing: [Int] = []
  var process: TranslationContext?

  init() {}

  init(_ machine: Machine) {
    guard machine.hasSMMU else { return }
    streams = (0..<SMMU.devices).map {
      Stream(
        entry: machine.streamEntry(ofDevice: $0), domain: machine.domainTable(ofDevice: $0),
        context: machine.contextDescriptor(ofDevice: $0))
    }
    attached = machine.attachedDevices
    domains = machine.usedDomains
    tables = attached.compactMap { machine.domainTable(ofDevice: $0) }
    sharing = (0..<SMMU.devices).filter { machine.sharesAddresses($0) }
    process = machine.processContext
  }
}
