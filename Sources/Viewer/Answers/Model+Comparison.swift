import Canvas
import Engine
import Inquiry
import Language

/// The other side of a comparison with the focused table.
extension Model {
  /// Compares the table in focus with itself: at a mark (the newest unless named), at a moment, or in
  /// another history; or with another table.
  mutating func compare(_ text: String) {
    if text.isEmpty, newestMark == nil {
      return refuse(
        "No moment has a mark. \(key(.setMark)) marks one; :diff MOMENT or :diff HISTORY also work."
      )
    }
    guard let place = otherPlace(text) else { return ask(.question(.diff), text) }
    if place.branch == branch { return ask(.question(.diff), place.moment.name) }
    var other = branches[place.branch].session
    other.seek(to: place.moment)
    ask(
      .question(.diff), text,
      other: Subject.Other(
        name: "\(branches[place.branch].name.string)@\(place.moment.name)",
        ownName: "\(branches[branch].name.string)@\(timeline.moment.name)",
        machine: other.timeline.machine))
  }

  /// The place of a mark, or this moment in a named history; nil if the text is neither.
  private func otherPlace(_ text: String) -> Place? {
    let letter = text.isEmpty ? newestMark : text.unicodeScalars.first
    if text.unicodeScalars.count <= 1, let letter, let mark = marks[letter] { return mark }
    guard Int(text) == nil, let index = branchIndex(text) else { return nil }
    return Place(branch: index, moment: timeline.moment)
  }

  /// Compares the table in focus with another: the next pane's, unless one was named.
  mutating func compareTables(_ name: String) {
    guard let first = tableID(of: lastTable) else { return }
    let others = panes.filter(\.isTable).compactMap { tableID(of: $0) }
    let following = others.firstIndex(of: first).map { others[$0...].dropFirst() + others[..<$0] }
    guard let second = name.isEmpty ? following?.first : TableID(name: name), second != first,
      machine.reader(of: second) != nil
    else {
      return refuse("Expected the name of another table, as in canonical, guest1 or shadow0.")
    }
    ask(.question(.diff), second.name)
  }
}
