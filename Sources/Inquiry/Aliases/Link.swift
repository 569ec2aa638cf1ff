import Engine

/// The page under the cursor, and its other places: through L1's table, the canonical table and the
/// physical address.
package struct Link: Equatable, Sendable {
  /// The places where it is mapped, or would be: input addresses by table, the selected one first.
  package private(set) var places: [TableID: [UInt64]] = [:]
  /// Its canonical IPA, if it has one.
  package private(set) var ipa: UInt64?
  /// Its physical address, if it has one.
  package private(set) var physical: UInt64?
  /// The searches left for other places.
  package private(set) var searches: [Search] = []

  /// A table, and the output address whose input addresses are searched in it.
  package struct Search: Equatable, Sendable {
    package let target: InverseIndex.Target
    package let output: UInt64
  }

  /// Maximum number of places of a page found in one table.
  package static let placesAtMost = 250
  /// Whether a table may have more places of the page.
  package private(set) var isCut = false

  /// Whether all of its places are known.
  package var isComplete: Bool { searches.isEmpty }

  /// Largest number of one guest's nested addresses that map to it.
  package var aliasCount: Int {
    places.filter { if case .guest = $0.key { true } else { false } }.map(\.value.count).max() ?? 0
  }

  /// The page of a table's input address.
  package init(from table: TableID, at address: UInt64, in machine: Machine) {
    let page = address.page
    add(page, to: table)
    switch table.kind.input {
    case .canonicalIPA: ipa = page
    case .nestedIPA:
      if let guest = machine.guestTable(behind: table) {
        linkNested(page, through: guest, in: machine)
      } else if case .shadow(let number) = table, machine.shadowContext(number).isValid {
        ipa = page
      }
      physical = machine.output(of: page, in: table)
    case .iova:
      physical = machine.output(of: page, in: table)
      if let physical { searches.append(Search(target: .host(.canonical), output: physical)) }
    case .physical: physical = page
    case .guestIPA: physical = machine.output(of: page, in: table)
    case .hostVirtual: break
    }
    linkProtected(in: machine)
    linkCanonical(in: machine)
  }

  private mutating func add(_ address: UInt64, to table: TableID) {
    if !(places[table]?.contains(address) ?? false) { places[table, default: []].append(address) }
  }

  /// A nested address is the same one in L1's table and in the shadows that serve it.
  private mutating func linkNested(_ page: UInt64, through guest: GuestTable, in machine: Machine) {
    add(page, to: .guest(guest.vttbr.vmid))
    for number in machine.shadows(serving: guest) { add(page, to: .shadow(number)) }
    ipa = ipa ?? machine.peekGuestWalk(page, guest).map { $0.output.page }
  }

  /// Under pKVM a page has its physical address in the host's table, and may be in each guest's.
  private mutating func linkProtected(in machine: Machine) {
    guard let physical, machine.table(.pkvmHost) != nil else { return }
    add(physical, to: .pkvmHost)
    searches += machine.protectedGuests.map {
      Search(target: .host(.protectedGuest($0.number)), output: physical)
    }
  }

  private mutating func linkCanonical(in machine: Machine) {
    linkDevices(in: machine)
    guard let ipa else { return }
    add(ipa, to: .canonical)
    physical =
      physical ?? machine.output(of: ipa, in: .canonical) ?? machine.hostPage(at: ipa)?.physical
    searches += machine.guestTables.map { Search(target: .guest($0), output: ipa) }
    for number in 0..<machine.configuration.shadows where machine.shadowContext(number).isValid {
      if !machine.shadowContext(number).stage2Enabled { add(ipa, to: .shadow(number)) }
      if let physical { searches.append(Search(target: .host(.shadow(number)), output: physical)) }
    }
    // Other canonical pages can have the same page of the host only if it is the zero page or ksmd's.
    if let physical, let page = machine.hostPage(at: ipa), page.isZero || page.isMerged {
      searches.append(Search(target: .host(.canonical), output: physical))
    }
  }

  /// Devices reach a page by its physical address.
  private mutating func linkDevices(in machine: Machine) {
    let physical =
      physical
      ?? ipa.flatMap {
        machine.output(of: $0, in: .canonical) ?? machine.hostPage(at: $0)?.physical
      }
    guard let physical else { return }
    for device in machine.attachedDevices {
      let search = Search(target: .host(.iommu(device)), output: physical)
      if !searches.contains(search) { searches.append(search) }
    }
  }

  /// Continues the search for other places, in indexes of the tables at this moment. Reads at most
  /// `pages` table pages for incomplete indexes.
  package mutating func search(_ machine: Machine, in indexes: inout [InverseIndex], pages: Int) {
    var left = pages
    while let search = searches.first {
      let place = indexes.firstIndex { $0.target == search.target } ?? indexes.count
      if place == indexes.count { indexes.append(InverseIndex(search.target)) }
      while !indexes[place].isWhole, left > 0 { indexes[place].read(machine, pages: &left) }
      guard indexes[place].isWhole else { return }
      searches.removeFirst()
      let found = indexes[place].inputs(leadingTo: search.output, atMost: Self.placesAtMost)
      if found.count == Self.placesAtMost { isCut = true }
      for address in found {
        switch search.target {
        case .guest(let guest): linkNested(address, through: guest, in: machine)
        case .host(.canonical) where ipa == nil:
          ipa = address
          linkCanonical(in: machine)
        case .host(let id): add(address, to: id)
        }
      }
    }
  }
}

extension Machine {
  /// L1's table with an identifier, or the one that a shadow follows.
  func guestTable(behind table: TableID) -> GuestTable? {
    if case .shadow(let number) = table { return guestTable(ofShadow: number) }
    return guestTable(table)
  }

  /// The shadows that serve one of L1's tables.
  package func shadows(serving guest: GuestTable) -> [Int] {
    (0..<configuration.shadows).filter { guestTable(ofShadow: $0) == guest }
  }

  /// Where a table that the host keeps maps an input address to; nil also where that is not known.
  package func output(of address: UInt64, in id: TableID) -> UInt64? {
    guard let table = table(id), address < table.geometry.inputSize else { return nil }
    let end = walk(address, in: table)
    guard end.descriptor.isLeaf(end.level), end.descriptor.format.knowsOutputs else { return nil }
    return end.descriptor.address | address & (table.geometry.size(end.level) - 1)
  }
}
