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
      guard let chart = WindowChart(ofEvent: event, in: session) else { continue }
      for row in chart.rows {
        session.seek(to: Moment(events: event, steps: row.steps))
        if row.steps == 0 { session.seek(to: Moment(events: event)) }
        let machine = session.timeline.machine
        for (column, cell) in zip(chart.columns, row.cells) {
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
    let session = try session(Self.mixed)
    let chart = try #require(WindowChart(ofEvent: 5, in: session))
    #expect(
      chart.text == """
                       0x40203000        0x40204000
                       1 page            1 page
        0  before      TLB 4K read-only  walk 4K read-only
        1  unmap call  TLB 4K read-only  walk 4K read-only
        2  unmap       TLB 4K read-only  translation L3
        3  TLBI        TLB 4K read-only  translation L3
        4  sync        translation L3    translation L3

        """)
  }

  @Test func `a map that is stopped has a chart of what it did until then, and one of the rest`()
    throws
  {
    let session = try session(
      """
      iommu attach
      iommu map 0x40000000 4K 0x80000000 rw
      iommu map 0x40201000 4K 0x80201000 rw
      pause
      iommu map 0x401ff000 8K 0x901ff000 rw
      resume
      """)
    #expect(
      WindowChart(ofEvent: 4, in: session)?.text == """
                     0x401ff000
                     1 page
        0  before    translation L3
        1  map call  translation L3
        2  make      walk 4K
        3  stop      walk 4K

        """)
    #expect(
      WindowChart(ofEvent: 5, in: session)?.text == """
                     0x40200000
                     1 page
        0  before    translation L3
        1  resume    translation L3
        2  map call  translation L3
        3  make      walk 4K

        """)
  }

  @Test func `an event that concerns no page of a device has no chart`() throws {
    let session = try session(
      "iommu attach\nmemslot 0 0x40000000 4M backing=4K\nhost write 0x40000000 4K")
    #expect(WindowChart(ofEvent: 1, in: session) == nil)
    #expect(WindowChart(ofEvent: 2, in: session) == nil)
    #expect(WindowChart(ofEvent: 9, in: session) == nil)
  }

  @Test func `an address may be any number`() throws {
    let session = try session(
      "iommu attach\ndev read 0xfffffffffffffff8\ndev read 0xffffffffffffeff8\n")
    // The very last page has no end, and no device's table reaches it.
    #expect(WindowChart(ofEvent: 1, in: session) == nil)
    #expect(WindowChart(ofEvent: 2, in: session)?.columns.map(\.pages) == [1])
  }
}
