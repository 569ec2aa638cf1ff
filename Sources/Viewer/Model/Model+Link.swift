import Engine
import Inquiry

/// The linked cursor.
extension Model {
  /// Pages of tables that are read for other places of a page before the next frame.
  private static let pagesAtOnce = 64

  /// Finds where the selected page is, and brings the linked cursors there.
  mutating func updateLink() {
    guard let selected, let pane = pane(showing: selected), let cursor = views[pane]?.cursor
    else {
      link = nil
      return
    }
    link = Link(from: selected, at: cursor.address, in: machine)
    searchOn()
  }

  /// Searches on for other places of the page. Returns whether there was anything to do.
  mutating func searchLinks() -> Bool {
    guard let link, !link.isComplete else { return false }
    searchOn()
    return true
  }

  private mutating func searchOn() {
    inverse.belong(to: Place(branch: branch, moment: timeline.moment))
    let machine = machine
    link?.search(machine, in: &inverse.indexes, pages: Self.pagesAtOnce)
    followLink()
  }

  private mutating func followLink() {
    guard isLinked, let link else { return }
    for pane in panes where pane.isTable {
      guard let id = tableID(of: pane), id != selected else { continue }
      // A range of the reverse map says itself where its page is nested, be it so or not.
      if let nested = selectedRange?.nested, pane == .shadow || pane == .guest {
        views[pane]?.cursor = Position(nested, level: Geometry.lastLevel)
        continue
      }
      guard let places = link.places[id], let first = places.first else { continue }
      // Of several places a person may have chosen one; who follows sees the same at the same moment.
      if !isFollowing, let cursor = views[pane]?.cursor, places.contains(cursor.address) {
        continue
      }
      views[pane]?.cursor = Position(first, level: Geometry.lastLevel)
    }
  }

  /// Selects an address of a table, as what happens does.
  mutating func select(_ address: UInt64, in table: TableID, level: Int = Geometry.lastLevel) {
    guard let pane = pane(showing: table) else { return }
    // What lies beyond the table is in no row of it.
    if let reader = reader(of: pane), address >= reader.geometry.inputSize { return }
    views[pane]?.cursor = Position(address, level: level)
    selected = table
  }
}
