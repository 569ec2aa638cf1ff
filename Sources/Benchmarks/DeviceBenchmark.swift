import Engine

/// DMA translation beside the CPU-side walk of the same engine, and the whole events `iommu map` and
/// `iommu unmap` of a page, over 4 GiB.
///
/// The SMMU's TLB is full of other pages, so that each translation walks; in "blocks cached" it holds leaves of
/// every size, so that each size is looked up before the walk.
///
/// Both sides walk the same table from the root. The CPUs' side is the walk alone; the device's has also the stream
/// table entry, the lookup in the TLB, and the checks of access flag and permission.
func benchmarkDevices(rounds: Int) {
  let count = 1 << 18
  let sequential = (0..<UInt64(count)).map { $0 << 14 }
  var shuffler = SplitMix64(seed: 1)
  let shuffled = sequential.shuffled(using: &shuffler)
  let widths = [36, 12, 10]
  row(["devices, ns", "sequential", "shuffled"], widths: widths)
  let names = [
    "CPU walk", "DMA walk", "DMA walk, blocks cached", "DMA cached", "iommu map, event",
    "iommu unmap, event",
  ]
  let columns = [sequential, shuffled].map { addresses -> [Measurement] in
    var results = names.map { Measurement(name: $0) }
    for _ in 0..<rounds { measureDevice(addresses, &results) }
    return results
  }
  for index in names.indices {
    row([names[index]] + columns.map { figure($0[index].median) }, widths: widths)
  }
  for index in [1, 2] {
    let ratios = columns.map { figure($0[index].median / $0[0].median) }
    row([names[index] + " to CPU walk"] + ratios, widths: widths)
  }
}

private func measureDevice(_ addresses: [UInt64], _ results: inout [Measurement]) {
  let perEvent = 1 / Double(addresses.count)
  var machine = Machine(VMConfiguration())
  apply(.iommu(device: 0, .attach), to: &machine)
  // Other pages fill the TLB.
  let other: UInt64 = 1 << 40
  apply(
    .iommu(device: 0, .map(other..<other + 4 << 20, to: other + 4096, write: true)), to: &machine)
  for page in 0..<UInt64(1024) {
    apply(.dma(device: 0, other + page << 12, write: false), to: &machine)
  }
  let mapping = Stopwatch()
  for address in addresses {
    let range = address..<address + 4096
    apply(.iommu(device: 0, .map(range, to: address + 1 << 32, write: true)), to: &machine)
  }
  results[4].rounds.append(mapping.nanoseconds * perEvent)
  guard let table = machine.table(.iommu(0)) else { return noteWrong("device 0 has no table") }

  var start = Stopwatch()
  var chain: UInt64 = 0
  for address in addresses {
    chain = machine.walk(address &+ chain, in: table).descriptor.bits >> 63
  }
  results[0].rounds.append(start.nanoseconds * perEvent)
  results[1].rounds.append(translateAll(addresses, machine) * perEvent)
  let cached = addresses.map { other + $0 & 0x1f_f000 }
  results[3].rounds.append(translateAll(cached, machine) * perEvent)
  if chain != 0 { noteWrong("wrong result") }

  // A block of either size.
  for (block, size) in [(other + 1 << 30, 2 << 20), (other + 2 << 30, 1 << 30)]
    as [(UInt64, UInt64)]
  {
    apply(.iommu(device: 0, .map(block..<block + size, to: 1 << 40, write: true)), to: &machine)
    apply(.dma(device: 0, block, write: false), to: &machine)
  }
  results[2].rounds.append(translateAll(addresses, machine) * perEvent)

  start = Stopwatch()
  for address in addresses {
    apply(.iommu(device: 0, .unmap(address..<address + 4096)), to: &machine)
  }
  results[5].rounds.append(start.nanoseconds * perEvent)
}

/// Nanoseconds that the translations of all addresses take.
private func translateAll(_ addresses: [UInt64], _ machine: Machine) -> Double {
  var chain: UInt64 = 0
  let start = Stopwatch()
  for address in addresses {
    chain = (machine.deviceOutcome(of: address &+ chain, write: true).physical ?? 1 << 63) >> 63
  }
  let time = start.nanoseconds
  if chain != 0 { noteWrong("wrong result") }
  return time
}
