import CBenchmarkPeers
import Engine

/// Map, walk and unmap of 4 KiB pages over 4 GiB, against a plain C table in the same process.
///
/// The address of each operation depends on the result of the one before (bit 63 of an entry, which is 0), as
/// each micro-step follows from the last. Else the CPU would overlap several, and the figure would not be the
/// time of one.
func benchmarkTables(rounds: Int) {
  let count = 1 << 20
  let sequential = (0..<UInt64(count)).map { $0 << 12 }
  var shuffler = SplitMix64(seed: 1)
  let shuffled = sequential.shuffled(using: &shuffler)
  let widths = [24, 10, 10, 8]
  row(["tables, ns", "pagewalk", "plain C", "ratio"], widths: widths)
  var bytes = 0.0
  for (order, addresses) in [("sequential", sequential), ("shuffled", shuffled)] {
    var ours = ["map", "walk", "unmap"].map { Measurement(name: $0) }
    var peer = ours
    for _ in 0..<rounds {
      bytes = measurePagewalk(addresses, &ours)
      // Both begin with untouched memory.
      release_free_memory()
      measureC(addresses, &peer)
      release_free_memory()
    }
    for (mine, other) in zip(ours, peer) {
      row(
        [
          "\(mine.name) \(order)", figure(mine.median), figure(other.median),
          figure(mine.median / other.median),
        ], widths: widths)
    }
  }
  row(["bytes a mapped page", figure(bytes)], widths: widths)
}

private func measurePagewalk(_ addresses: [UInt64], _ results: inout [Measurement]) -> Double {
  var machine = Machine(VMConfiguration())
  let table = machine.table(.canonical)!
  let before = machine.memory.wordCount
  results[0].rounds.append(mapAll(addresses, table, &machine))
  let bytes = Double(machine.memory.wordCount - before) * 8 / Double(addresses.count)
  results[1].rounds.append(walkAll(addresses, table, machine))
  results[2].rounds.append(unmapAll(addresses, table, &machine))
  if machine.memory.wordCount == 0 { noteWrong("wrong result") }
  return bytes
}

private func mapAll(_ addresses: [UInt64], _ table: Table, _ machine: inout Machine) -> Double {
  var chain: UInt64 = 0
  let start = Stopwatch()
  for address in addresses {
    let address = address &+ chain
    let old = machine.map(Descriptor(address | 0x8_0000_07ff), at: address, level: 3, in: table)
    chain = old.map { $0.bits >> 63 } ?? 0
  }
  return start.nanoseconds / Double(addresses.count)
}

private func walkAll(_ addresses: [UInt64], _ table: Table, _ machine: Machine) -> Double {
  var chain: UInt64 = 0
  let start = Stopwatch()
  for address in addresses {
    chain = machine.walk(address &+ chain, in: table).descriptor.bits >> 63
  }
  return start.nanoseconds / Double(addresses.count)
}

private func unmapAll(_ addresses: [UInt64], _ table: Table, _ machine: inout Machine) -> Double {
  var chain: UInt64 = 0
  let start = Stopwatch()
  for address in addresses {
    let address = address &+ chain
    let removed = machine.unmap(address..<address &+ 4096, in: table)
    chain = UInt64(truncatingIfNeeded: removed) >> 63
  }
  return start.nanoseconds / Double(addresses.count)
}

private func measureC(_ addresses: [UInt64], _ results: inout [Measurement]) {
  let table = radix_create()
  var chain: UInt64 = 0
  var start = Stopwatch()
  for address in addresses {
    chain = radix_map(table, address &+ chain, (address &+ chain) | 0x8_0000_07ff) >> 63
  }
  results[0].rounds.append(start.nanoseconds / Double(addresses.count))
  start = Stopwatch()
  for address in addresses { chain = radix_walk(table, address &+ chain) >> 63 }
  results[1].rounds.append(start.nanoseconds / Double(addresses.count))
  start = Stopwatch()
  for address in addresses { chain = radix_unmap(table, address &+ chain) >> 63 }
  results[2].rounds.append(start.nanoseconds / Double(addresses.count))
  radix_destroy(table)
}
