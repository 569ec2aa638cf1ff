/// KVM's VMID allocator said with sets: who holds what, without bitmaps, ids or words.
///
/// After a rollover a holder keeps its VMID if it ran, if it is pinned, or if it comes before another
/// takes it; otherwise it gets the first free one from where the search stands.
struct VMIDModel {
  /// A holder: 0 is this VM, n the other VM with number n - 1.
  typealias Holder = Int

  let count: Int
  let cpus: Int
  private(set) var vmid: [Holder: Int] = [:]
  /// Holders whose VMID is of this generation.
  private(set) var current: Set<Holder> = []
  private(set) var pins: [Holder: Int] = [:]
  private(set) var rollovers = 0
  private var taken: Set<Int> = []
  private var search = 1
  /// Who is on a CPU, and who was there at the last rollover and has not asked since.
  private(set) var onCPU: [Int: Holder] = [:]
  private var reserved: [Int: Holder] = [:]

  init(bits: Int, cpus: Int) {
    count = 1 << bits
    self.cpus = cpus
  }

  mutating func run(_ holder: Holder, on cpu: Int) {
    onCPU[cpu] = nil
    need(holder)
    onCPU[cpu] = holder
  }

  mutating func stop(_ holder: Holder) {
    for (cpu, there) in onCPU where there == holder { onCPU[cpu] = nil }
  }

  /// One statement of a vCPU: it comes, and is gone.
  mutating func visit(_ holder: Holder, on cpu: Int) {
    onCPU[cpu] = nil
    need(holder)
  }

  /// False if no more can be pinned.
  mutating func pin(_ holder: Holder) -> Bool {
    if pins[holder, default: 0] == 0 {
      if pins.values.count(where: { $0 > 0 }) >= count - cpus - 2 { return false }
      need(holder)
    }
    pins[holder, default: 0] += 1
    return true
  }

  mutating func unpin(_ holder: Holder) { pins[holder, default: 0] -= 1 }

  private mutating func need(_ holder: Holder) {
    if current.contains(holder) { return }
    current.insert(holder)
    if let old = vmid[holder] {
      if reserved.values.contains(holder) || pins[holder, default: 0] > 0 { return }
      if taken.insert(old).inserted { return }
    }
    var free = (search..<count).first { !taken.contains($0) }
    if free == nil {
      rollOver()
      current = [holder]
      free = (1..<count).first { !taken.contains($0) }
    }
    guard let free else { preconditionFailure("the model found no VMID") }
    taken.insert(free)
    search = free
    vmid[holder] = free
  }

  private mutating func rollOver() {
    rollovers += 1
    current = []
    reserved = onCPU
    taken = [0]
    for (holder, pins) in pins where pins > 0 { taken.insert(vmid[holder] ?? 0) }
    for holder in reserved.values { taken.insert(vmid[holder] ?? 0) }
  }
}
