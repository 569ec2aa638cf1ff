import Engine

/// The cost of checking the rules after every event, beside the events alone. The ratio should be small, and the
/// same for long and short histories.
func benchmarkRules(events count: Int) {
  let widths = [26, 10, 10, 12, 12, 8]
  row(["rules", "events", "leaves", "run, ns", "checked, ns", "ratio"], widths: widths)
  for workload in RuleWorkload.all {
    for count in [count / 8, count / 2, count] {
      let plain = workload.run(count, checks: false)
      let checked = workload.run(count, checks: true)
      row(
        [
          workload.name, "\(count)", "\(checked.leaves)",
          figure(plain.nanoseconds / Double(count)), figure(checked.nanoseconds / Double(count)),
          figure(checked.nanoseconds / plain.nanoseconds),
        ], widths: widths)
    }
  }
}

/// Events spread over 4G of memory in pages of 4K.
private struct RuleWorkload: Sendable {
  let name: String
  let configuration: VMConfiguration
  let setUp: [Event]
  let next: @Sendable (inout SplitMix64) -> Event

  static let base: UInt64 = 0x1_0000_0000
  static let memory = base..<base + 4 << 30

  private static func page(_ shuffler: inout SplitMix64) -> UInt64 {
    UInt64.random(in: memory, using: &shuffler) & ~4095
  }

  static var all: [RuleWorkload] { [guest, shadows(.none), shadows(.repaired), devices] }

  /// A guest writes, and the VMM discards.
  static let guest = RuleWorkload(
    name: "guest", configuration: VMConfiguration(),
    setUp: [.addMemslot(id: 0, memory, .pages)]
  ) { shuffler in
    let page = page(&shuffler)
    return Int.random(in: 0..<10, using: &shuffler) < 7
      ? .access(.l1, vcpu: 0, .write, page, value: nil) : .host(.discard(page..<page + 4096))
  }

  /// The same for a guest of L1, which maps four gigabytes one to one. Without a reverse map each discard
  /// empties the shadow, so discards are rare there.
  static func shadows(_ policy: ReverseMapVersion) -> RuleWorkload {
    let table: UInt64 = 0x4000_0000
    let stores = (0..<UInt64(4)).map { index in
      let block = base + index << 30 | 1 | 0xf << 2 | 3 << 6 | 3 << 8 | Descriptor.accessed
      return Event.access(.l1, vcpu: 0, .write, table + (4 + index) * 8, value: block)
    }
    return RuleWorkload(
      name: "shadow, revmap=\(policy.rawValue)",
      configuration: VMConfiguration(nested: true, reverseMap: policy),
      setUp: [
        .addMemslot(id: 0, table..<table + 1 << 20, .pages), .addMemslot(id: 1, memory, .pages),
        .context(vcpu: 0, vttbr: 1 << 48 | table, vtcr: 0x8002_3559, hcr: 1),
      ] + stores
    ) { shuffler in
      let page = page(&shuffler)
      return Int.random(in: 0..<1000, using: &shuffler) < (policy == .none ? 999 : 700)
        ? .access(.l2, vcpu: 0, .write, page, value: nil) : .host(.discard(page..<page + 4096))
    }
  }

  /// A kernel maps and unmaps pages that a device reads.
  static let devices = RuleWorkload(
    name: "device", configuration: VMConfiguration(), setUp: [.iommu(device: 0, .attach)]
  ) { shuffler in
    let page = page(&shuffler)
    return switch Int.random(in: 0..<10, using: &shuffler) {
    case 0..<6: .iommu(device: 0, .map(page..<page + 4096, to: page, write: true))
    case 6..<8: .iommu(device: 0, .unmap(page..<page + 4096))
    default: .dma(device: 0, page, write: false)
    }
  }

  func run(_ count: Int, checks: Bool) -> (nanoseconds: Double, leaves: Int) {
    var timeline = Timeline(configuration)
    for event in setUp { append(event, to: &timeline) }
    var shuffler = SplitMix64(seed: 2)
    var checker = RuleChecker(timeline.machine)
    let watch = Stopwatch()
    for _ in 0..<count {
      append(next(&shuffler), to: &timeline)
      let last = timeline.events.count - 1
      if checks, !checker.holds(timeline.machine, after: timeline.stores(ofEvent: last)) {
        noteWrong("\(name): a rule is broken after event \(last)")
        break
      }
    }
    let nanoseconds = watch.nanoseconds
    let counters = timeline.machine
    return (nanoseconds, Int(counters[.maps] &- counters[.unmaps]))
  }
}
