import Canvas
import Engine
import Language

/// The reverse map from canonical memory to the shadow.
struct ReverseMapPane: PaneOperations {
  var pane: Pane { .reverseMap }
  var region: PaneRegion { .band }

  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool {
    configuration.nested && (!configuration.isSeen || configuration.reverseMap != .none)
  }

  func isInOverview(of model: Model) -> Bool { model.hasReverseMap }

  func name(in model: Model) -> SafeText { "Reverse map" }

  func context(in model: Model) -> [SafeText] {
    (model.filter.map { [$0.context(isCut: model.reverseMap.filtered?.isCut ?? false)] } ?? []) + [
      "shadow \(model.mappedShadow)", "IPA \(Glyph.right) nIPA",
      model.machine.configuration.isSeen
        ? "seen" : "revmap=\(SafeText(model.machine.configuration.reverseMap.rawValue))",
    ]
  }

  var term: String { "reverse map" }

  /// Updates the list, and its counts if another moment or shadow is shown.
  func settle(_ model: inout Model, in rect: Rect) {
    guard model.hasReverseMap else { return }
    if !(model.reverseMap.summary?.belongs(to: model) ?? false) {
      model.reverseMap.summary = ReverseMapSummary(&model)
    }
    if !(model.reverseMap.filtered?.belongs(to: model) ?? (model.filter == nil)) {
      model.reverseMap.filtered = FilteredRanges(model)
    }
    model.reverseMap.top = parts(of: rect, model).entries.first
  }

  // MARK: Keys and mouse

  func move(_ movement: Movement, in model: inout Model) {
    guard let entry = model.mappedEntry else { return model.refuse("The map is empty.") }
    let entries = model.mapped
    switch movement {
    case .first: select(entries.first ?? entry, in: &model)
    case .last: select(entries.last ?? entry, in: &model)
    case .rows(let distance): select(entries.entry(distance, from: entry), in: &model)
    }
  }

  /// Selects an entry for the user: the cursor stays there, and those of the tables go to the
  /// canonical and the nested address.
  func select(_ entry: ReverseMapEntry, in model: inout Model) {
    model.reverseMap.cursor = entry
    model.isRangeSelected = true
    model.isFollowing = false
    model.select(entry.canonical.lowerBound, in: .canonical)
    model.updateLink()
  }

  func takeFocus(in model: inout Model) { model.isRangeSelected = model.hasReverseMap }

  func select(at point: Point, in rect: Rect, of model: inout Model) -> Bool {
    guard let entry = entry(at: point, in: rect, model) else { return false }
    select(entry, in: &model)
    return true
  }

  func obstacle(to action: Action, in model: Model) -> SafeText? {
    switch action {
    case .choose: model.mappedEntry == nil ? nothingToChoose(in: model) : nil
    case .why, .bits, .aliases, .nextTouch, .previousTouch:
      if !model.hasReverseMap {
        "There is no reverse map under revmap=none, so no range to ask about."
      } else {
        model.mappedEntry == nil ? "The map is empty: there is no range to ask about." : nil
      }
    default: obstacleOutsideTables(to: action, in: model)
    }
  }

  /// Goes to the canonical page of the current entry.
  func perform(_ action: Action, in model: inout Model) {
    guard action == .choose, let entry = model.mappedEntry else { return }
    model.follow(.place(.canonical, entry.canonical.lowerBound))
  }

  /// Maximum number of entries examined in one search.
  private static let entriesAtMost = 10_000

  func find(forward: Bool, in model: inout Model) {
    guard var entry = model.mappedEntry else { return model.refuse("The map is empty.") }
    let entries = model.mapped
    for _ in 0..<Self.entriesAtMost {
      guard let next = entries.neighbour(of: entry, forward: forward) else { break }
      entry = next
      if model.matches(line(of: entry, model).text.string) {
        return select(entry, in: &model)
      }
    }
    model.refuse("No \(SafeText(model.searched)) \(forward ? "after" : "before") this entry.")
  }

  // MARK: Words

  func place(in model: Model) -> SafeText {
    guard model.hasReverseMap else { return "no map, revmap=none." }
    return (model.mappedEntry.map { line(of: $0, model).text } ?? "empty") + "."
  }

  func content(in model: Model) -> [SafeText] {
    guard let entry = model.mappedEntry else { return [] }
    return model.mapped.entries(Spoken.linesAtMost, around: entry).map { line(of: $0, model).text }
  }
}

extension Model {
  /// The selected range: the pane's, if it had the focus after any table.
  var selectedRange: ReverseMapEntry? { isRangeSelected ? mappedEntry : nil }

  /// The shadow whose map is shown.
  var mappedShadow: Int {
    if case .shadow(let number) = tableID(of: .shadow) { number } else { 0 }
  }

  /// Whether there is a reverse map to show.
  var hasReverseMap: Bool {
    machine.configuration.nested && machine.configuration.reverseMap != .none
  }

  /// The entries of the map shown.
  var mapped: ReverseMapEntries {
    let filtered = reverseMap.filtered.flatMap { $0.belongs(to: self) ? $0.entries : nil }
    return ReverseMapEntries(ofShadow: mappedShadow, in: machine, filtered: filtered)
  }

  /// The current entry: the chosen one while the selected page is in it, else that page's or the next
  /// one.
  var mappedEntry: ReverseMapEntry? {
    guard hasReverseMap else { return nil }
    let entries = mapped
    if let cursor = reverseMap.cursor, entries.contains(cursor),
      link?.ipa.map({ cursor.canonical.contains($0) }) ?? true
    {
      return cursor
    }
    let address = link?.ipa ?? reverseMap.cursor?.canonical.lowerBound ?? 0
    return entries.entry(from: address) ?? entries.last
  }
}
