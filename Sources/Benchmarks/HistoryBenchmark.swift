import Engine

/// A history of a million events: the size of its journal, and the time to go through it.
func benchmarkHistory(events count: Int) {
  var timeline = Timeline(VMConfiguration())
  let pages: UInt64 = 1 << 18
  append(
    .addMemslot(id: 0, 0x8000_0000..<0x8000_0000 + pages << 12, .pages), to: &timeline)
  // The second write maps one page into a table that exists.
  append(write(0x8000_0000), to: &timeline)
  append(write(0x8000_1000), to: &timeline)
  let mapped = timeline.stores(ofEvent: 2).count

  var shuffler = SplitMix64(seed: 2)
  let apply = Stopwatch()
  for _ in timeline.events.count..<count {
    let page = 0x8000_0000 + UInt64.random(in: 0..<pages, using: &shuffler) << 12
    switch Int.random(in: 0..<10, using: &shuffler) {
    case 0..<7: append(write(page), to: &timeline)
    case 7..<9: append(.host(.discard(page..<page + 4096)), to: &timeline)
    default: append(.access(.l1, vcpu: 0, .read, page, value: nil), to: &timeline)
    }
  }
  let applied = apply.nanoseconds / Double(count)
  let words = timeline.machine.memory.journalCount

  let back = Stopwatch()
  timeline.seek(to: Moment(events: 0))
  let backTime = back.nanoseconds
  let forth = Stopwatch()
  timeline.seek(to: Moment(events: count))
  let forthTime = forth.nanoseconds
  var worst = 0.0
  let single = Stopwatch()
  for _ in 0..<1000 {
    let one = Stopwatch()
    _ = timeline.back()
    worst = max(worst, one.nanoseconds)
  }
  let singleTime = single.nanoseconds / 1000

  let widths = [46, 12]
  row(["history of \(count) events", ""], widths: widths)
  row(["ns an event, applied", figure(applied)], widths: widths)
  row(["journalled words of an event that maps a page", "\(mapped)"], widths: widths)
  row(["journalled words an event", figure(Double(words) / Double(count))], widths: widths)
  let bytes = Double(timeline.machine.memory.journalBytes)
  row(["bytes a journalled word", figure(bytes / Double(words))], widths: widths)
  row(["ms a million words, back", figure(backTime / Double(words))], widths: widths)
  row(["ms a million words, forth", figure(forthTime / Double(words))], widths: widths)
  row(["ms from one end to the other", figure(max(backTime, forthTime) / 1e6)], widths: widths)
  row(["us one event back (with its micro-steps)", figure(singleTime / 1000)], widths: widths)
}

private func write(_ page: UInt64) -> Event { .access(.l1, vcpu: 0, .write, page, value: nil) }
