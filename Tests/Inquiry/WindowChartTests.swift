import Engine
import TestSupport
import Testing

@testable import Inquiry
@testable import Language

/// The chart of what DMA sees, against asking at every instant, page by page.
@Suite struct WindowChartTests {
  private static let mixed = """
    iommu attach
    iommu map 0x40000000 2M 0x80000000 rw
    iommu map 0x40200000 64K 0x90000000 r
    dev read 0x40001000
    dev read 0x40203000
    iommu unmap 0x40203000 8K
    iommu unmap 0x40000000 2M
    iommu map 0x401ff000 8K 0xa0000000 rw
    iommu detach
    """

  @Test func `cells are what a DMA to each page would get, at every instant`() throws {
    var session = try session(Self.mixed)
    for event in session.timeline.events.indices {
      guard let chart = WindowChart(ofEvent: event, in: &session) else { continue }
      for (index, row) in chart.rows.enumerated() {
        session.seek(to: Moment(events: event, steps: row.steps))
        if row.steps == 0 { session.seek(to: Moment(events: event)) }
        let machine = session.timeline.machine
        for (column, cell) in zip(chart.columns, chart.cells(ofRow: index)) {
          for page in stride(from: column.range.lowerBound, to: column.range.upperBound, by: 4096) {
            let read = machine.deviceOutcome(of: page, write: false)
            let write = machine.deviceOutcome(of: page, write: true)
            #expect((read.physical == nil) == (cell.read.physical == nil), "\(event) \(row.steps)")
            #expect(
              (write.physical == nil) == (cell.write.physical == nil), "\(event) \(row.steps)")
            #expect(read.text == cell.read.text && write.text == cell.write.text)
          }
        }
      }
      let pages = chart.columns.map(\.range)
      for (first, second) in zip(pages, pages.dropFirst()) {
        #expect(first.upperBound <= second.lowerBound, "columns are in order")
      }
    }
  }

  @Test func `an unmap takes a cached page away only with the sync`() throws {
    var session = try session(Self.mixed)
    let chart = try #require(WindowChart(ofEvent: 5, in: &session))
    #expect(
      chart.text == """
                   0x40203000        0x40204000
                   1 page            1 page
        0  before  TLB 4K read-only  walk 4K read-only
        2  unmap   TLB 4K read-only  translation L3
        4  sync    translation L3    translation L3

        """)
  }

  @Test func `a map that is stopped has a chart of what it did until then, and one of the rest`()
    throws
  {
    var session = try session(
      """
      iommu attach
      iommu map 0x40000000 4K 0x80000000 rw
      iommu map 0x40201000 4K 0x80201000 rw
      pause
      iommu map 0x401ff000 8K 0x901ff000 rw
      resume
      """)
    #expect(
      WindowChart(ofEvent: 4, in: &session)?.text == """
                   0x401ff000
                   1 page
        0  before  translation L3
        2  make    walk 4K

        """)
    #expect(
      WindowChart(ofEvent: 5, in: &session)?.text == """
                   0x40200000
                   1 page
        0  before  translation L3
        3  make    walk 4K

        """)
  }

  @Test func `many pages that fare alike one after the other are one line`() throws {
    var session = try session(
      """
      policy iommu=shared
      policy iommu-fault=pin
      memslot 0 0x80000000 16M backing=4K
      iommu attach
      iommu pin 0x80000000 2M
      host write 0x80000000 4K
      dev read 0x80000000
      host discard 0x80800000 64K
      """)
    let chart = try #require(WindowChart(ofEvent: 2, in: &session))
    // Each page is mapped at an instant of its own.
    #expect(chart.columns.count == 512)
    let lines = chart.lines
    #expect(lines.count == 1, "\(lines.prefix(3))")
    #expect(lines[0].hasPrefix("0x80000000  512 pages:  0 translation L1, "))
    #expect(lines[0].hasSuffix(" walk 4K\n"))
  }

  @Test func `pages that no table leads the device to have no column`() throws {
    var session = try session(
      """
      memslot 0 0x80000000 1M backing=4K
      iommu attach
      iommu pin 0x80000000 4K
      iommu pin 0x80002000 4K
      iommu unmap 0x80000000 64K
      dev read 0x80004000
      """)
    let chart = try #require(WindowChart(ofEvent: 4, in: &session))
    #expect(chart.columns.map(\.range.lowerBound) == [0x8000_0000, 0x8000_2000])
    // Of a DMA itself the answer is what it gets.
    #expect(WindowChart(ofEvent: 5, in: &session)?.columns.count == 1)
  }

  @Test func `an event that concerns no page of a device has no chart`() throws {
    var session = try session(
      "iommu attach\nmemslot 0 0x40000000 4M backing=4K\nhost write 0x40000000 4K")
    #expect(WindowChart(ofEvent: 1, in: &session) == nil)
    #expect(WindowChart(ofEvent: 2, in: &session) == nil)
    #expect(WindowChart(ofEvent: 9, in: &session) == nil)
  }

  /// Under each system of devices, with owners too.
  private static let systems: [(RandomDevices.System, @Sendable (inout VMConfiguration) -> Void)] =
    [
      (.own, { _ in }), (.own, { $0.iommu.isCoherent = false }),
      (.mirror, { $0.iommu.table = .shared }),
      (
        .mirror,
        {
          $0.iommu.table = .shared
          $0.iommu.forwarding = .broadcast
        }
      ),
      (.process, { $0.iommu.faults = .stall }), (.rmp, { $0.isolation = .rmp }),
      (
        .realm,
        {
          $0.iommu.table = .shared
          $0.isolation = .cca
        }
      ),
    ]

  @Test(arguments: systems.indices)
  func `cells are what each column's first page would get, in random events`(
    number: Int
  ) throws {
    let (system, set) = Self.systems[number]
    var scenario = try Scenario(parsing: [UInt8]("pagewalk 1\nvm ipa=40\n".utf8), file: "random")
    set(&scenario.configuration)
    var source = RandomDevices(seed: UInt64(number + 1), system, scenario.configuration)
    var session = Session(scenario)
    let events = source.setUp() + (0..<120).map { _ in source.next() }
    for event in events { try? session.timeline.append(event) }
    var charts = 0
    for event in session.timeline.events.indices {
      // What a realm begins with is long, and all of one kind.
      if session.timeline.stores(ofEvent: event).count > 2000 { continue }
      let moment = Moment(events: event / 2)
      session.seek(to: moment)
      guard let chart = WindowChart(ofEvent: event, in: &session) else { continue }
      #expect(session.timeline.moment == moment)
      charts += 1
      session.goThrough(event: event) { machine, row, _ in
        let cells = zip(chart.columns, chart.cells(ofRow: row))
        let agrees = cells.allSatisfy { column, cell in
          let page = column.range.lowerBound
          return machine.deviceOutcome(of: page, write: false, device: column.device) == cell.read
            && machine.deviceOutcome(of: page, write: true, device: column.device) == cell.write
        }
        #expect(agrees, "event \(event), row \(row)")
        // And the other pages of a column fare like its first.
        for (column, cell) in cells where column.pages < 64 {
          for page in stride(from: column.range.lowerBound, to: column.range.upperBound, by: 4096) {
            let read = machine.deviceOutcome(of: page, write: false, device: column.device)
            #expect(read.text == cell.read.text, "event \(event), row \(row), \(page)")
          }
        }
      }
    }
    #expect(charts > 5, "\(charts) charts")
  }

  @Test func `a chart of many pages keeps what changes, not every instant of every page`() throws {
    var session = try session(
      """
      memslot 0 0x80000000 1M backing=4K
      iommu sva
      host write 0x80000000 1M
      """)
    let chart = try #require(WindowChart(ofEvent: 2, in: &session))
    #expect(chart.columns.count == 256 && chart.rows.count > 256)
    let changes = chart.columns.reduce(0) { $0 + $1.changes.count }
    #expect(changes <= 4 * 256, "\(changes) changes")
  }

  @Test func `an address may be any number`() throws {
    var session = try session(
      "iommu attach\ndev read 0xfffffffffffffff8\ndev read 0xffffffffffffeff8\n")
    // The very last page has no end, and no device's table reaches it.
    #expect(WindowChart(ofEvent: 1, in: &session) == nil)
    #expect(WindowChart(ofEvent: 2, in: &session)?.columns.map(\.pages) == [1])
  }

  @Test func `what a device reaches is shown when its stream table entry changes`() throws {
    var session = Session(
      try Scenario(
        parsing: Array(
          """
          pagewalk 1
          vm ipa=40
          memslot 0 0x80000000 4M backing=4K
          iommu attach
          iommu pin 0x80000000 16K
          dev read 0x80000000
          iommu detach
          iommu attach
          iommu bypass

          """.utf8), file: "stream"))
    try session.finish()
    // The page that the SMMU has cached, and the three that it would walk to.
    let detach = try #require(WindowChart(ofEvent: 4, in: &session))
    #expect(
      detach.columns.map { $0.range } == [0x8000_0000..<0x8000_1000, 0x8000_1000..<0x8000_4000])
    let last = try #require(detach.rows.indices.last)
    #expect(detach.cells(ofRow: 0).allSatisfy { !$0.fails })
    #expect(detach.cells(ofRow: last).allSatisfy { $0.fails })
    let attach = try #require(WindowChart(ofEvent: 5, in: &session))
    #expect(attach.columns.map { $0.range } == [0x8000_0000..<0x8000_4000])
    let bypass = try #require(WindowChart(ofEvent: 6, in: &session))
    #expect(bypass.columns.map { $0.range } == [0x8000_0000..<0x8000_4000])
  }
}
