import Canvas
import Engine
import Language

/// Comparing a table with another, or with itself at another moment or in another history.
extension Model {
  /// Compares the table in focus with itself: at a mark, at a moment, or in another history now.
  mutating func compareMoments(_ text: String) {
    guard let table = tableID(of: lastTable), let now = machine.reader(of: table) else { return }
    guard let other = otherMachine(text) else { return }
    let name = other.name
    guard let then = other.machine.reader(of: table) else {
      return refuse("\(SafeText(Phrase.table(table)).capitalized) does not exist \(name).")
    }
    let comparison = Comparison(then, now, other.isOtherHistory ? .outputs : .bits)
    show(
      document(
        comparison, of: table, "\(SafeText(Phrase.table(table)).capitalized), \(name) and now",
        words: ("then", "now")), as: .differences)
  }

  /// A machine at another moment, or in another history.
  private struct OtherMachine {
    /// How to speak of it.
    let name: SafeText
    let machine: Machine
    /// Whether its pages are others, so that only what is mapped can be compared.
    let isOtherHistory: Bool
  }

  /// The machine at a moment, or in a history, that was named.
  private mutating func otherMachine(_ text: String) -> OtherMachine? {
    var place: Place?
    if text.isEmpty {
      guard let newestMark, let mark = marks[newestMark] else {
        refuse(
          "No moment has a mark. \(key(.setMark)) marks one; :diff MOMENT or :diff HISTORY also work."
        )
        return nil
      }
      place = mark
    } else if text.unicodeScalars.count == 1, let letter = text.unicodeScalars.first,
      let mark = marks[letter]
    {
      place = mark
    }
    if let place {
      var other = branches[place.branch].session
      other.seek(to: place.moment)
      return OtherMachine(
        name: "at event \(place.moment.events)", machine: other.timeline.machine,
        isOtherHistory: false)
    }
    if let index = branchIndex(text), Int(text) == nil {
      var other = branches[index].session
      other.seek(to: timeline.moment)
      return OtherMachine(
        name: "in \(branches[index].name)", machine: other.timeline.machine, isOtherHistory: true)
    }
    if let moment = session.moment(named: text) {
      var other = session
      other.seek(to: moment)
      return OtherMachine(
        name: "at event \(Self.name(of: moment))", machine: other.timeline.machine,
        isOtherHistory: false)
    }
    refuse("Expected the letter of a mark, a moment, or the name of a history.")
    return nil
  }

  /// Compares the table in focus with another.
  mutating func compareTables(_ name: String) {
    guard let first = tableID(of: lastTable) else { return }
    let others = panes.filter(\.isTable).compactMap { tableID(of: $0) }
    let following = others.firstIndex(of: first).map { others[$0...].dropFirst() + others[..<$0] }
    guard let second = name.isEmpty ? following?.first : TableID(name: name), second != first,
      let one = machine.reader(of: first), let other = machine.reader(of: second)
    else {
      return refuse("Expected the name of another table, as in canonical, guest1 or shadow0.")
    }
    let title: SafeText =
      "\(SafeText(Phrase.table(first)).capitalized) and \(SafeText(Phrase.table(second)))"
    let words = (SafeText(first.name), SafeText(second.name))
    guard first.inputKind == second.inputKind else {
      let isProtected = machine.table(.protectedHost) != nil
      let (guest, other) = first.inputKind == .nested ? (first, second) : (second, first)
      return show(
        isProtected ? sharedPages(guest, other, title) : composed(first, second, title),
        as: .differences)
    }
    let depth: Comparison.Depth = first.outputKind == second.outputKind ? .outputs : .permissions
    show(
      document(Comparison(one, other, depth), of: second, title, words: words), as: .differences)
  }

  private func document(
    _ comparison: Comparison, of table: TableID, _ title: SafeText, words: (SafeText, SafeText)
  ) -> Document {
    var document = Document()
    document.add(title, .title)
    if comparison.differences.isEmpty { document.add("They do not differ.") }
    for difference in comparison.differences.prefix(Self.linesAtMost) {
      let range = difference.range
      var line = Line("\(difference.kind.mark) ", .changed)
      line.add("\(hex: range.lowerBound) ")
      line.add(
        SafeText(Phrase.size(range.upperBound - range.lowerBound)).padded(to: 5, .right) + "  ",
        .dim)
      line.add(difference.text(words.0, words.1))
      document.add(line, to: .place(table, range.lowerBound))
    }
    addRest(comparison.differences.count, to: &document)
    if comparison.isCut { document.add("The tables are large; not all was compared.", .warning) }
    return document
  }

  /// A comparison of tables with different input addresses, through L1's table.
  private func composed(_ first: TableID, _ second: TableID, _ title: SafeText) -> Document {
    var document = Document()
    document.add(title + ", through L1's table", .title)
    let nested = first.inputKind == .nested ? first : second
    guard let reader = machine.reader(of: nested), let canonical = machine.reader(of: .canonical)
    else { return document }
    let guest: GuestTable? =
      if case .shadow(let number) = nested { machine.guestTable(ofShadow: number) } else {
        GuestPane().guest(in: self)
      }
    var found = 0
    var leaf = reader.mappedRange(from: 0)
    for _ in 0..<Self.leavesInComposition {
      guard let now = leaf else { break }
      let address = now.range.lowerBound
      let ipa = guest.map { machine.peekGuestWalk(address, $0)?.output } ?? address
      let behind = ipa.flatMap { ipa in
        canonical.mappedRange(from: ipa).flatMap { $0.range.contains(ipa) ? $0 : nil }
      }
      if let text = Self.mismatch(now, nested, ipa, behind) {
        found += 1
        if found <= Self.linesAtMost {
          document.add(
            Line("\(Glyph.mismatch) ", .mismatch).adding("\(hex: address) ")
              .adding(text), to: .place(nested, address))
        }
      }
      leaf = reader.mappedRange(from: now.range.upperBound)
    }
    if found == 0 { document.add("They agree wherever both map.") }
    addRest(found, to: &document)
    if leaf != nil { document.add("The tables are large; not all was compared.", .warning) }
    return document
  }

  /// Pages that a guest of pKVM has, and another table, whose input addresses are physical, maps too.
  private func sharedPages(_ guest: TableID, _ other: TableID, _ title: SafeText) -> Document {
    var document = Document()
    document.add(title, .title)
    document.add("Pages that both map:", .dim)
    guard let reader = machine.reader(of: guest), let second = machine.reader(of: other)
    else { return document }
    var found = 0
    var leaf = reader.mappedRange(from: 0)
    for _ in 0..<Self.leavesInComposition {
      guard let now = leaf else { break }
      let output = now.output..<now.output + now.size
      var also = second.mappedRange(from: output.lowerBound)
      while let there = also, output.overlaps(there.range) {
        found += 1
        let common = there.range.clamped(to: output)
        if found <= Self.linesAtMost {
          let address = now.range.lowerBound + (common.lowerBound - now.output)
          var line = Line("\(hex: address) \(Glyph.right) \(hex: common.lowerBound)  ")
          line.add("+\(SafeText(Phrase.size(common.upperBound - common.lowerBound)))", .dim)
          line.add("  \(SafeText(guest.name)) \(now.descriptor.permissions.text)")
          line.add(", \(SafeText(other.name)) \(there.descriptor.permissions.text)")
          document.add(line, to: .place(guest, address))
        }
        also = second.mappedRange(from: there.range.upperBound)
      }
      leaf = reader.mappedRange(from: now.range.upperBound)
    }
    if found == 0 { document.add("none") }
    addRest(found, to: &document)
    if leaf != nil { document.add("The tables are large; not all was compared.", .warning) }
    return document
  }

  private static let leavesInComposition = 50_000

  private static func mismatch(
    _ leaf: MappedRange, _ nested: TableID, _ ipa: UInt64?, _ behind: MappedRange?
  ) -> SafeText? {
    guard let ipa else { return "L1 maps nothing there any more" }
    guard let behind else { return "canonical \(hex: ipa) is not mapped" }
    if case .guest = nested { return nil }
    let output = behind.output + (ipa - behind.range.lowerBound)
    if output != leaf.output {
      return
        "\(Glyph.right) \(hex: leaf.output), canonical \(hex: ipa) \(Glyph.right) \(hex: output)"
    }
    return leaf.descriptor.permissions.write && !behind.descriptor.permissions.write
      ? "writable, canonical \(hex: ipa) is not" : nil
  }
}

extension TableID {
  /// Kinds of address.
  enum AddressKind { case canonical, nested, physical, host }

  var inputKind: AddressKind {
    switch self {
    case .canonical, .iommu, .protectedHost: .canonical
    case .guest, .shadow, .protectedGuest: .nested
    case .host: .host
    }
  }

  var outputKind: AddressKind {
    switch self {
    case .guest: .canonical
    case .canonical, .shadow, .host, .iommu, .protectedHost, .protectedGuest: .physical
    }
  }
}

extension Difference {
  /// The difference in words, of the first table and the second.
  fileprivate func text(_ one: SafeText, _ other: SafeText) -> SafeText {
    func entry(_ leaf: MappedRange?) -> SafeText {
      leaf.map { "\(hex: $0.output) \($0.descriptor.permissions.text)" } ?? "nothing"
    }
    switch kind {
    case .onlyFirst: return "only \(one): \(entry(first))"
    case .onlySecond: return "only \(other): \(entry(second))"
    case .output: return "\(one) \(entry(first)), \(other) \(entry(second))"
    case .weaker, .stronger, .permissions:
      let permissions = [first, second].map { $0?.descriptor.permissions.text ?? "" }
      return "\(one) \(permissions[0]), \(other) \(permissions[1]): "
        + (kind == .weaker ? "weaker" : kind == .stronger ? "stronger" : "other permissions")
    case .size:
      return "\(one) by \(SafeText(Phrase.size(first?.size ?? 0))), \(other) by "
        + SafeText(Phrase.size(second?.size ?? 0))
    case .bits:
      return
        "\(one) \(hex: first?.descriptor.bits ?? 0), \(other) \(hex: second?.descriptor.bits ?? 0)"
    }
  }
}

extension Difference.Kind {
  fileprivate var mark: SafeText {
    switch self {
    case .onlyFirst: "-"
    case .onlySecond: "+"
    default: SafeText(.changed)
    }
  }
}
