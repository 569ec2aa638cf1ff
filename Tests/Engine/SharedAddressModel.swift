/// A device with the VMM's addresses, said with sets: what the process has at each page, and which pairs of
/// ASID and page the SMMU has cached.
struct SharedAddressModel {
  /// A page of the process: its number in the order in which pages came, and whether it may write.
  struct Page: Equatable {
    var number: Int
    var isWritable: Bool
  }

  enum Outcome: Equatable {
    case cached, walked, translation, permission
  }

  /// What decides whether the SMMU hears of a TLBI.
  let broadcasts: Bool
  let usesProcessASID: Bool
  let isPrivate: Bool
  let notifies: Bool

  private(set) var pages: [Int: Page] = [:]
  private(set) var cached: [Int: Page] = [:]
  private var others: [Int: Int] = [:]
  private var own: Int?
  private var lastASID = 0
  private var lastPage = 0

  init(broadcasts: Bool, usesProcessASID: Bool, isPrivate: Bool, notifies: Bool) {
    self.broadcasts = broadcasts
    self.usesProcessASID = usesProcessASID
    self.isPrivate = isPrivate
    self.notifies = notifies
  }

  private mutating func nextASID() -> Int {
    lastASID += 1
    return lastASID
  }

  mutating func bind() {
    if own == nil { own = nextASID() }
  }

  mutating func run(_ process: Int) {
    if others[process] == nil { others[process] = nextASID() }
  }

  /// A CPU's TLBI by an ASID.
  private mutating func hears(_ asid: Int?, _ pages: some Sequence<Int>) {
    let tag = usesProcessASID ? own : 1
    guard broadcasts, !isPrivate, asid == tag else { return }
    for page in pages { cached[page] = nil }
  }

  mutating func unmap(_ process: Int, page: Int) {
    run(process)
    hears(others[process], [page])
  }

  /// The process' own table changed at pages.
  private mutating func flush(_ pages: some Sequence<Int>) {
    hears(own, pages)
    for page in pages { notify(page) }
  }

  /// The command for a page covers the next one, too: none is of one page.
  private mutating func notify(_ page: Int) {
    if !notifies { return }
    cached[page] = nil
    cached[page + 1] = nil
  }

  mutating func write(_ page: Int) {
    guard let old = pages[page] else {
      lastPage += 1
      pages[page] = Page(number: lastPage, isWritable: true)
      return
    }
    if old.isWritable { return }
    pages[page]?.isWritable = true
    // A local TLBI, which no SMMU hears.
    notify(page)
  }

  mutating func discard(_ page: Int) {
    if pages.removeValue(forKey: page) != nil { flush([page]) }
  }

  mutating func fork() {
    for page in pages.keys { pages[page]?.isWritable = false }
    // One TLBI of the whole ASID.
    flush(Array(cached.keys))
  }

  mutating func access(_ page: Int, write: Bool) -> Outcome {
    if let entry = cached[page] { return !write || entry.isWritable ? .cached : .permission }
    guard let there = pages[page] else { return .translation }
    if write, !there.isWritable { return .permission }
    cached[page] = there
    return .walked
  }

  /// Whether something is cached that the process' table no longer says.
  var isStale: Bool {
    cached.contains { page, entry in
      pages[page]?.number != entry.number || entry.isWritable && pages[page]?.isWritable != true
    }
  }
}
