import Engine
import Inquiry

/// The linked cursor.
extension Model {
  /// Maximum table pages read for other places of a page before the next frame.
  private static let pagesAtOnce = 64

  /// Finds the places of the selected page, and moves the linked cursors there.
  mutating func updateLink() {
    guard let selected, let pane = pane(showing: selected), let cursor = views[pane]?.cursor
    else {
      link = nil
      return
    }
    link = Link(from: selected, at: cursor.address, in: machine)
    searchOn()
  }

  /// Continues the search for other places of the page. Returns whether there was anything to do.
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
      // A range of the reverse map has its own nested address, right or not.
      if let nested = selectedRange?.nested, pane == .shadow || pane == .guest {
        views[pane]?.cursor = Position(nested, level: Geometry.lastLevel)
        continue
      }
      guard let places = link.places[id], let first = places.first else { continue }
      // The user may have chosen one of several places; following always shows the same one at a moment.
      if !isFollowing, let cursor = views[pane]?.cursor, places.contains(cursor.address) {
        continue
      }
      views[pane]?.cursor = Position(first, level: Geometry.lastLevel)
    }
  }

  /// Selects an address of a table, as events do.
  mutating func select(_ address: UInt64, in table: TableID, level: Int = Geometry.lastLevel) {
    guard let pane = pane(showing: table) else { return }
    // An address beyond the table has no row.
    if let reader = reader(of: pane), address >= reader.geometry.inputSize { return }
    views[pane]?.cursor = Position(address, level: level)
    selected = table
  }
}
