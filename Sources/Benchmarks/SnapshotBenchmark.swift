import CBenchmarkPeers
import Engine

/// pKVM's snapshot of 64 GiB of memory for SMMUs, page by page, against plain C that fills the same table.
func benchmarkSnapshot(rounds: Int) {
  let memory: Range<UInt64> = 0x8_0000_0000..<0x18_0000_0000
  let pages = Double((memory.upperBound - memory.lowerBound) / 4096)
  var configuration = VMConfiguration()
  configuration.isolation = .pkvm(.v5)
  var ours = Measurement(name: "snapshot")
  var peer = ours
  for _ in 0..<rounds {
    var machine = Machine(configuration)
    apply(.pkvm(.memory(memory)), to: &machine)
    let snapshot = Stopwatch()
    apply(.pkvm(.snapshot), to: &machine)
    ours.rounds.append(snapshot.nanoseconds / pages)
    machine = Machine(VMConfiguration())
    release_free_memory()

    let filling = Stopwatch()
    let table = radix_create()
    for page in stride(from: memory.lowerBound, to: memory.upperBound, by: 4096) {
      _ = radix_map(table, page, page | 0x7ff)
    }
    peer.rounds.append(filling.nanoseconds / pages)
    radix_destroy(table)
    release_free_memory()
  }
  let widths = [24, 10, 10, 8]
  row(["64 GiB by pages, ns", "pagewalk", "plain C", "ratio"], widths: widths)
  row(
    [
      ours.name, figure(ours.median), figure(peer.median), figure(ours.median / peer.median),
    ], widths: widths)
}
