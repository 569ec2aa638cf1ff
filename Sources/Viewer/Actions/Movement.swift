/// A movement of a cursor, or of what is visible.
enum Movement: Equatable {
  /// By rows, forward if positive, stopping at the first and the last.
  case rows(Int)
  /// To the first row, or to the last.
  case first, last

  /// Where it leads from a row, of rows 0 to `last`.
  func target(from row: Int, last: Int) -> Int {
    switch self {
    case .rows(let distance): min(max(0, row + distance), max(0, last))
    case .first: 0
    case .last: max(0, last)
    }
  }
}

extension Action {
  /// Where it moves, in something that is read by pages; nil for actions that do not move.
  ///
  /// - Parameters:
  ///   - page: rows of a page.
  ///   - half: rows of half a page; at least one is moved.
  func movement(page: Int, half: Int) -> Movement? {
    switch self {
    case .up: .rows(-1)
    case .down: .rows(1)
    case .halfPageUp: .rows(-max(1, half))
    case .halfPageDown: .rows(max(1, half))
    case .pageUp: .rows(-max(1, page))
    case .pageDown: .rows(max(1, page))
    case .top: .first
    case .bottom: .last
    // Whatever else there will be is no movement.
    default: nil
    }
  }
}
