import CBenchmarkPeers
import Engine

/// Insertion, lookup and unmap of ranges of 4 KiB in the range tree, with its journal, beside `std::map` and
/// beside a plain C radix table. The latter holds pages and no ranges: nothing can be faster.
///
/// An insertion looks for what the range overlaps, as a reverse map must; one fifth of the overlapping
/// ranges reach into their neighbour and are fused with it. The operations are chained as in
/// `benchmarkTables`.
func benchmarkRangeTree() {
  for (count, rounds) in [(1_000, 101), (100_000, 7), (1_000_000, 3)] {
    let widths = [30, 10, 10, 8, 10]
    row(["\(count) ranges, ns", "pagewalk", "std::map", "ratio", "C radix"], widths: widths)
    var bytes = 0.0
    for (order, overlaps) in [
      ("sequential", false), ("shuffled", false), ("shuffled, overlaps", true),
    ] {
      var ranges = ranges(count, overlapping: overlaps)
      var shuffler = SplitMix64(seed: 3)
      if order != "sequential" { ranges.shuffle(using: &shuffler) }
      let operations = ["insert", "lookup", "unmap"].map { Measurement(name: $0) }
      var (ours, peer, limit) = (operations, operations, operations)
      for _ in 0..<rounds {
        let size = measureTree(ranges, &ours)
        if !overlaps { bytes = max(bytes, size) }
        release_free_memory()
        measureMap(ranges, &peer)
        release_free_memory()
        measureRadix(ranges, &limit)
        release_free_memory()
      }
      for index in operations.indices {
        row(
          [
            "\(operations[index].name) \(order)", figure(ours[index].median),
            figure(peer[index].median), figure(ours[index].median / peer[index].median),
            overlaps ? "" : figure(limit[index].median),
          ], widths: widths)
      }
    }
    row(["bytes an entry, the most", figure(bytes), "64"], widths: widths)
  }
}

/// Ranges of one page with a page between them. If they may overlap, one in five covers that page too, and
/// the next range.
private func ranges(_ count: Int, overlapping: Bool) -> [Range<UInt64>] {
  (0..<UInt64(count)).map { index in
    let start = index << 13
    return start..<start + (overlapping && index % 5 == 0 ? 0x3000 : 0x1000)
  }
}

private func payload(_ range: Range<UInt64>) -> UInt64 { range.lowerBound | 1 << 62 }

/// Returns the bytes of nodes per entry.
private func measureTree(_ ranges: [Range<UInt64>], _ results: inout [Measurement]) -> Double {
  var machine = Machine(VMConfiguration(nested: true))
  let tree = machine.shadow(0).reverseMap
  let count = Double(ranges.count)
  var chain: UInt64 = 0
  var start = Stopwatch()
  for range in ranges {
    chain = insert(range.lowerBound &+ chain..<range.upperBound &+ chain, tree, &machine) >> 63
  }
  results[0].rounds.append(start.nanoseconds / count)
  let bytes = Double(machine.memory.nodeCount(of: tree) * 256) / count
  start = Stopwatch()
  for range in ranges {
    chain = (machine.memory.find(range.lowerBound &+ chain, in: tree)?.payload ?? 0) >> 63
  }
  results[1].rounds.append(start.nanoseconds / count)
  start = Stopwatch()
  for range in ranges {
    let range = range.lowerBound &+ chain..<range.upperBound &+ chain
    let place = machine.memory.search(range, in: tree)
    guard let found = machine.memory.entry(at: place) else { continue }
    machine.memory.remove(at: place, in: tree)
    chain = found.payload >> 63
  }
  results[2].rounds.append(start.nanoseconds / count)
  if machine.memory.nodeCount(of: tree) != 0 { noteWrong("wrong result") }
  return bytes
}

private func insert(
  _ range: Range<UInt64>, _ tree: RangeTree, _ machine: inout Machine
) -> UInt64 {
  let place = machine.memory.search(range, in: tree)
  guard var entry = machine.memory.entry(at: place) else {
    machine.memory.insert(payload(range), for: range, at: place, in: tree)
    return 0
  }
  var union = range
  while true {
    union =
      min(union.lowerBound, entry.range.lowerBound)..<max(union.upperBound, entry.range.upperBound)
    guard let next = machine.memory.first(in: entry.range.upperBound..<range.upperBound, of: tree)
    else { break }
    entry = next
  }
  machine.memory.store(1, for: union, in: tree)
  return 1
}

private func measureMap(_ ranges: [Range<UInt64>], _ results: inout [Measurement]) {
  let map = rangemap_create()
  let count = Double(ranges.count)
  var chain: UInt64 = 0
  var start = Stopwatch()
  for range in ranges {
    chain =
      rangemap_insert(
        map, range.lowerBound &+ chain, range.upperBound &+ chain, payload(range)) >> 63
  }
  results[0].rounds.append(start.nanoseconds / count)
  start = Stopwatch()
  for range in ranges { chain = rangemap_find(map, range.lowerBound &+ chain) >> 63 }
  results[1].rounds.append(start.nanoseconds / count)
  start = Stopwatch()
  for range in ranges {
    chain = rangemap_remove(map, range.lowerBound &+ chain, range.upperBound &+ chain) >> 63
  }
  results[2].rounds.append(start.nanoseconds / count)
  rangemap_destroy(map)
}

private func measureRadix(_ ranges: [Range<UInt64>], _ results: inout [Measurement]) {
  let table = radix_create()
  let count = Double(ranges.count)
  var chain: UInt64 = 0
  var start = Stopwatch()
  for range in ranges {
    chain = radix_map(table, range.lowerBound &+ chain, payload(range)) >> 63
  }
  results[0].rounds.append(start.nanoseconds / count)
  start = Stopwatch()
  for range in ranges { chain = radix_walk(table, range.lowerBound &+ chain) >> 63 }
  results[1].rounds.append(start.nanoseconds / count)
  start = Stopwatch()
  for range in ranges { chain = radix_unmap(table, range.lowerBound &+ chain) >> 63 }
  results[2].rounds.append(start.nanoseconds / count)
  radix_destroy(table)
}
