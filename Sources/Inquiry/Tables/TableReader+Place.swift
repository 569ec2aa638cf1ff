import Engine

extension TableReader {
  /// The position of the entry at a place: a canonical IPA, for one of L1's tables. Nil if the
  /// place is not in the table.
  package func position(ofEntryAt place: UInt64) -> Position? {
    var left = Machine.guestTableLimit
    return position(ofEntryAt: place, in: root, &left)
  }

  private func position(
    ofEntryAt place: UInt64, in page: TablePage, _ left: inout Int
  ) -> Position? {
    left -= 1
    let first = page.place(of: 0)
    if place >= first, place < first + UInt64(page.count) * 8 {
      return Position(page.address(of: Int(place - first) / 8), level: page.level)
    }
    if page.level == Geometry.lastLevel { return nil }
    let bytes = UInt64(geometry.tableEntries) * 8
    for index in 0..<page.count where page[index].isTable(page.level) {
      if left <= 0 { return nil }
      // Last-level pages have no children, so only the one with the place is read.
      let child = page[index].address(granuleShift: geometry.granuleShift)
      let holdsPlace = child <= place && place < child + bytes
      guard holdsPlace || page.level + 1 < Geometry.lastLevel,
        let child = self.child(of: index, in: page)
      else { continue }
      if let found = position(ofEntryAt: place, in: child, &left) { return found }
    }
    return nil
  }
}

extension Machine {
  /// The entry of one of L1's tables in use that lies at a canonical IPA.
  package func guestEntry(at ipa: UInt64) -> (table: GuestTable, position: Position)? {
    for table in guestTables {
      if let position = TableReader(table, in: self).position(ofEntryAt: ipa & ~7) {
        return (table, position)
      }
    }
    return nil
  }
}
