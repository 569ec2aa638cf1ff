import Canvas
import Engine
import Language

/// The selected entry: its walk, its bits, and for a shadow's leaf what it is made from.
extension Model {
  var entryAnswer: Document {
    guard let selected, let address = place.position?.address,
      let reader = machine.reader(of: selected), address < reader.geometry.inputSize
    else { return Document([Line("Nothing is selected.", .dim)]) }
    var document = Document()
    document.add(
      Line("\(SafeText(Phrase.input(selected)).capitalized) \(hex: address)", .title)
        .adding(" in \(SafeText(Phrase.table(selected)))"))
    if case .iommu(let device) = selected, let rows = DevicePane().rows(in: self),
      let row = rows.row(at: Position(address, level: Geometry.lastLevel)),
      let disagreement = machine.disagreement(of: row, ofDevice: device)
    {
      document.add(
        Line(disagreement.sign + "  ", disagreement.role).adding(disagreement.sentence), indent: 4)
    }
    if case .shadow(let number) = selected { addDerivation(of: address, number, to: &document) }
    let path = reader.path(to: address)
    for (page, index) in path {
      let level = page.level
      let high =
        level == reader.geometry.startLevel
        ? reader.geometry.inputBits - 1 : Int(reader.geometry.shift(level - 1)) - 1
      var line = Line("L\(level) ", .heading)
      line.add(
        ("[\(high):\(Int(reader.geometry.shift(level)))]=\(index)" as SafeText).padded(to: 15),
        .address)
      line.add("at \(hex: page.place(of: index))  ", .dim)
      line.add(SafeText(Phrase.entry(page[index].bits, level: level)))
      document.add(line)
    }
    guard let (page, index) = path.last else { return document }
    document.addBlank()
    let isShadow = if case .shadow = selected { true } else { false }
    addBits(of: page[index], page.level, reader.geometry, isShadow: isShadow, to: &document)
    return document
  }

  private func addBits(
    of entry: Descriptor, _ level: Int, _ geometry: Geometry, isShadow: Bool,
    to document: inout Document
  ) {
    let fields = entry.fields(level: level, geometry: geometry, isShadow: isShadow)
    // The ruler: sixteen digits, and under each the owner of its bits.
    var digits = Line("0x", .dim)
    for digit in (0..<16).reversed() {
      let bit = digit * 4
      let owner = fields.first { $0.low <= bit + 3 && bit <= $0.high && $0.owner != .nobody }?.owner
      digits.add(
        SafeText(String(entry.bits >> UInt64(bit) & 15, radix: 16)), (owner ?? .nobody).role)
      if digit % 4 == 0, digit > 0 { digits.add("_", .dim) }
    }
    document.add(digits)
    for field in fields {
      var line = Line(field.bits.padded(to: 6, .right) + " ", .dim)
      line.add(field.name.padded(to: 8), .heading)
      line.add(("\(hex: field.value)" as SafeText).padded(to: 13), field.owner.role)
      line.add(field.owner.name.padded(to: 4), .dim)
      line.add(field.meaning)
      document.add(line)
    }
  }

  /// L1's entry and the host's page, and what they give together: the smaller size, what both permit, L1's
  /// execute-never, and the level of L1's leaf as a tag.
  private func addDerivation(of address: UInt64, _ shadow: Int, to document: inout Document) {
    guard let derivation = machine.derivation(of: address, inShadow: shadow) else {
      let reason: SafeText =
        machine.shadowContext(shadow).isValid
        ? "L1 maps nothing there, so an access is L1's fault to handle."
        : "No context uses this shadow."
      return document.add(Line("made from  ", .dim).adding(reason))
    }
    guard let page = derivation.page else {
      return document.add(Line("made from  ", .dim).adding("no page of the host yet", .invalid))
    }
    let host = Permissions(read: true, write: page.isWritable, executeNever: 0)
    let guest = derivation.guest
    let given = guest?.descriptor.permissions ?? host
    var line = Line("made from  ", .dim)
    var path: SafeText = "\(hex: address)"
    if let guest {
      line.add("L1's \(SafeText(Phrase.size(guest.size))) \(given.text)", .linked)
      line.add(" and ")
      path += " \(Glyph.right) \(hex: derivation.ipa)"
    }
    line.add("host's \(SafeText(Phrase.size(page.size))) \(host.text)", .linked)
    line.add(" = ")
    let size = min(guest?.size ?? page.size, page.size)
    let both = Permissions(
      read: given.read, write: given.write && host.write, executeNever: given.executeNever)
    line.add("\(SafeText(Phrase.size(size))) \(both.text)", .heading)
    line.add(guest.map { ", tag \($0.level)" } ?? ", no tag: stage 2 is off")
    document.add(line)
    document.add("through    " + path + " \(Glyph.right) \(hex: page.physical)", .dim)
  }

  /// Where else the selected page is.
  var aliasAnswer: Document {
    guard let link else { return Document([Line("Nothing is selected.", .dim)]) }
    var document = Document()
    let count = link.aliasCount
    document.add(
      Line(
        count > 1 ? "One page with \(count) nested addresses" : "The selected page", .title))
    if let ipa = link.ipa { document.add("canonical IPA \(hex: ipa)") }
    if let physical = link.physical { document.add("PA \(hex: physical)") }
    if !link.isComplete { document.add("Still looking for other places.", .dim) }
    if link.isCut { document.add("A table may have more than \(Link.placesAtMost).", .dim) }
    document.addBlank()
    let digits = link.places.values.joined().map { ("\(hex: $0)" as SafeText).columns }.max() ?? 0
    let letters = link.places.keys.map(\.name.count).max() ?? 0
    for id in link.places.keys.sorted(by: { $0.name < $1.name }) {
      for address in link.places[id, default: []].sorted() {
        let end = machine.walkEnd(of: address, in: id)
        let state: SafeText =
          end.map { SafeText(Phrase.entry($0.bits, level: Geometry.lastLevel)) } ?? "not mapped"
        let number = ("\(hex: address)" as SafeText).padded(to: digits)
        document.add(
          Line(SafeText(id.name).padded(to: letters + 2), .heading).adding(number + "  ")
            .adding(state, .dim), to: .place(id, address))
      }
    }
    return document
  }
}
