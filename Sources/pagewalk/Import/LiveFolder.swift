import Engine
import Glibc
import Import
import KernelText
import Observation

/// A VM's debugfs folder that is polled.
///
/// debugfs walks a table with `mmu_lock` held, and every fault of the VM waits meanwhile. So the cheap
/// counters are read first, a table again only if one of them moved, and never for more than a tenth of
/// the time. A file that vanishes or is refused is news: a VM's folder can disappear while it is polled.
struct LiveFolder {
  /// The last observation of one table.
  private struct Sight {
    let id: TableID
    var table: ObservedTable?
    /// Why it cannot be read; nil if it can.
    var refusal: String?
    var readAt: ContinuousClock.Instant
    var took: Duration
    /// Whether reading it took so long that it is not read again.
    var isLeft = false
    /// Whether a counter moved since it was read.
    var isDue = false
  }

  private let path: String
  private let longestHold: Duration
  private let started: ContinuousClock.Instant
  private var counters: [String: UInt64] = [:]
  private var sights: [String: Sight] = [:]
  private var inputBits: Int?
  /// Whether the folder still exists.
  private(set) var isThere = true
  /// Number of table reads, and their total time.
  private(set) var reads = 0
  private(set) var held = Duration.zero

  /// Files with a number that moves when the VM runs.
  private static let counterNames = [
    "exits", "mmio_exit_user", "mmio_exit_kernel", "remote_tlb_flush", "remote_tlb_flush_requests",
    "hvc_exit_stat", "wfe_exit_stat", "wfi_exit_stat", "signal_exits",
  ]

  init(_ path: String, longestHold: Duration, at now: ContinuousClock.Instant) {
    self.path = path
    self.longestHold = longestHold
    started = now
  }

  /// Polls once.
  ///
  /// - Returns: the news, a line each.
  mutating func look() -> [String] {
    guard SourceFiles.isFolder(path) else {
      isThere = false
      return [line("the VM has ended: \(path) does not exist any more")]
    }
    var news: [String] = []
    if inputBits == nil { news += readInputBits() }
    // A table that is too young to be read again stays due.
    if readCounters() { for file in sights.keys { sights[file]?.isDue = true } }
    let files = tableFiles
    for (file, sight) in inOrder where !files.contains(file) {
      sights[file] = nil
      news.append(line("\(sight.id.name): vanished"))
    }
    for file in files where sights[file]?.isDue ?? true { news += look(at: file) }
    return news
  }

  /// The sights by the paths of their files; the VM's own table first, then the shadows by number.
  private var inOrder: [(file: String, sight: Sight)] {
    sights.map { ($0.key, $0.value) }.sorted {
      (number(of: $0.sight.id) ?? -1) < (number(of: $1.sight.id) ?? -1)
    }
  }

  private func number(of id: TableID) -> Int? {
    if case .shadow(let number) = id { number } else { nil }
  }

  /// The tables as last observed, each with its age.
  func lines() -> [String] {
    let now = ContinuousClock.now
    return inOrder.flatMap { _, sight -> [String] in
      let age = Self.text(now - sight.readAt)
      guard let table = sight.table else {
        return ["\(sight.id.name): \(sight.refusal ?? "not in use"), seen \(age) ago"]
      }
      let lines = ObservedText.lines(table, sight.id)
      return ["\(lines[0]); seen \(age) ago"] + lines.dropFirst()
    }
  }

  /// What was seen last, as a moment.
  func chapter(_ label: String, title: String) -> RecordedChapter {
    var chapter = RecordedChapter(label: label)
    chapter.title = title
    chapter.inputBits = inputBits
    for (file, sight) in sights {
      let id = sight.id
      chapter.sources[id] = "\(path)/\(file)"
      switch id {
      case .canonical: chapter.canonical = sight.table
      case .shadow(let number) where sight.refusal == nil:
        chapter.shadows[number] = .some(sight.table)
      default: break
      }
      if sight.refusal != nil { chapter.unreadTables.insert(id) }
    }
    return chapter
  }

  /// How long ago each table was read, or that it cannot be.
  var ages: [TableID: String] {
    let now = ContinuousClock.now
    return Dictionary(
      uniqueKeysWithValues: sights.values.map { sight in
        (
          sight.id,
          sight.refusal == nil ? "seen \(Self.text(now - sight.readAt)) ago" : "not readable"
        )
      })
  }

  /// The files of an observation, by name: a moment of a recording.
  func moment() -> [(path: String, text: String)] {
    inOrder.compactMap { file, sight in sight.table.map { (file, DumpWriter.text(of: $0)) } }
      + (inputBits.map { [("ipa_range", "\($0)\n")] } ?? [])
  }

  private var tableFiles: [String] {
    let nested = SourceFiles.names(in: path + "/nested").map { "nested/" + $0 }
      .filter { RecordedChapter.mapNumber($0) == nil }
    return ["stage2_page_tables"] + nested
  }

  private mutating func readCounters() -> Bool {
    var found: [String: UInt64] = [:]
    for name in Self.counterNames {
      guard case .success(let bytes) = SourceFiles.contents(of: path + "/" + name) else { continue }
      let text = String(decoding: bytes.prefix(32), as: UTF8.self)
      found[name] = UInt64(text.prefix { $0.isNumber })
    }
    defer { counters = found }
    // Without counters, nothing shows that a table is unchanged.
    return found.isEmpty || found != counters
  }

  private mutating func readInputBits() -> [String] {
    switch SourceFiles.contents(of: path + "/ipa_range") {
    case .failure(let error):
      return sights.isEmpty ? [line("ipa_range: \(error.text)")] : []
    case .success(let bytes):
      guard let bits = RecordedChapter.inputBits(bytes) else {
        return sights.isEmpty ? [line("ipa_range: no number of bits that an IPA can have")] : []
      }
      inputBits = bits
      return []
    }
  }

  private mutating func look(at file: String) -> [String] {
    let begun = ContinuousClock.now
    let before = sights[file]
    guard let id = before?.id ?? newID(of: file) else { return [] }
    if let before {
      // Wait ten times as long as the last read took.
      if before.isLeft || begun - before.readAt < before.took * 10 { return [] }
    }
    let result = SourceFiles.contents(of: path + "/" + file)
    let now = ContinuousClock.now
    reads += 1
    held += now - begun
    var sight = Sight(id: id, readAt: now, took: now - begun)
    var news: [String] = []
    switch result {
    case .failure(let error):
      sight.refusal = error.text
      if before?.refusal != error.text { news.append(line("\(id.name): \(error.text)")) }
    case .success(let bytes):
      do {
        let bits = file.hasPrefix("nested/") ? 48 : inputBits
        sight.table = try DumpReader.read(bytes, inputBits: bits).tables.first
        if sight.table?.context == nil {
          sight.table?.context = RecordedChapter.context(named: file)
        }
        news += changes(from: before, to: sight)
      } catch {
        sight.refusal = error.description
        if before?.refusal != error.description {
          news.append(line("\(id.name):\(error.description)"))
        }
      }
    }
    if sight.took > longestHold {
      sight.isLeft = true
      news.append(
        line("\(id.name) took \(Self.text(sight.took)) and is left alone from now on"))
    }
    sights[file] = sight
    return news
  }

  private func changes(from before: Sight?, to after: Sight) -> [String] {
    let name = after.id.name
    guard let before else {
      guard let table = after.table else { return [line("\(name): not in use")] }
      return [line("\(name): \(table.leaves) leaves")]
    }
    switch (before.table, after.table) {
    case (nil, nil): return []
    case (nil, let table?): return [line("\(name): in use, \(table.leaves) leaves")]
    case (_?, nil): return [line("\(name): not in use any more")]
    case (let one?, let two?):
      let changes = one.changes(to: two)
      var lines = changes.prefix(Self.changesAtMost).map { change in
        line(
          "\(name) \(Phrase.address(change.range.lowerBound))-\(Phrase.address(change.range.upperBound)): "
            + "\(Judgement.words(change.before)), then \(Judgement.words(change.after))")
      }
      if changes.count > Self.changesAtMost {
        lines.append(
          line("\(name): and \(changes.count - Self.changesAtMost) more ranges changed"))
      }
      if one.context != two.context {
        lines.insert(line("\(name): serves other registers of L1"), at: 0)
      }
      return lines
    }
  }

  private static let changesAtMost = 32

  /// The table in a file that was not seen before. An older kernel's file has no number of a shadow in its name: it
  /// is the first shadow that no other file is, as long as it exists. Nil beyond the shadows that a VM can have.
  private func newID(of file: String) -> TableID? {
    guard file.hasPrefix("nested/") else { return .canonical }
    if let number = RecordedChapter.shadowNumber(file) { return .shadow(number) }
    let taken = Set(sights.values.map(\.id))
    return RecordedChapter.shadowNumbers.lazy.map(TableID.shadow).first { !taken.contains($0) }
  }

  private func line(_ text: String) -> String {
    "\(Self.text(ContinuousClock.now - started)) \(text)"
  }

  /// A time in seconds with one decimal.
  private static func text(_ duration: Duration) -> String {
    let (seconds, rest) = duration.components
    return "\(seconds).\(rest / 100_000_000_000_000_000) s"
  }
}
