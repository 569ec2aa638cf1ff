import Canvas
import Engine

/// The layout of the screen.
struct Layout {
  private(set) var header = Rect(x: 0, y: 0, width: 0, height: 0)
  /// The visible panes. The first row of each is its title; between two adjacent ones is a column
  /// for a line.
  private(set) var panes: [(pane: Pane, rect: Rect)] = []
  /// The rectangle of the sentence in the layout for a projector; empty in any other.
  private(set) var sentence = Rect(x: 0, y: 0, width: 0, height: 0)
  private(set) var timeline = Rect(x: 0, y: 0, width: 0, height: 0)
  private(set) var footer = Rect(x: 0, y: 0, width: 0, height: 0)

  /// The smallest screen on which more is drawn than a note that it is too small.
  static let least = (width: 20, height: 4)

  func rect(of pane: Pane) -> Rect? { panes.first { $0.pane == pane }?.rect }

  /// A pane without its title.
  static func inside(_ pane: Rect) -> Rect {
    Rect(x: pane.x, y: pane.y + 1, width: pane.width, height: pane.height - 1)
  }

  /// The layout of no screen.
  init() {}

  init(_ model: Model) {
    let screen = Rect(x: 0, y: 0, width: model.size.width, height: model.size.height)
    let timelineHeight = screen.height >= 20 ? 2 : screen.height >= 8 ? 1 : 0
    let headerHeight = screen.height >= 18 ? 2 : 1
    let parts = screen.rows(
      .fixed(headerHeight), .flexible, .fixed(timelineHeight), .fixed(1))
    header = parts[0]
    timeline = parts[2]
    footer = parts[3]
    let body = parts[1]
    if model.isPresenting {
      present(model, in: body)
    } else if model.isMaximised || body.height < 14 {
      panes = [(model.focus, body)]
    } else {
      arrange(model, in: body)
    }
  }

  /// The panes for a projector, and below them the sentence.
  private mutating func present(_ model: Model, in body: Rect) {
    let parts = body.rows(
      .flexible, .fixed(body.height >= 14 ? 5 : min(4, body.height / 2)))
    sentence = parts[1]
    let isNarrow = body.width < 2 * Arrangement.tableWidth + Self.gap
    if model.isMaximised || isNarrow {
      panes = [(model.focus, parts[0])]
    } else {
      place(pair(model), in: parts[0], gap: Self.gap)
    }
  }

  /// Columns between the two panes on a projector.
  private static let gap = 5

  /// The two panes on a projector: the focused one, and the last focused table; else the one with the
  /// lowest rank.
  private func pair(_ model: Model) -> [Pane] {
    if !model.focus.isTable { return [model.lastTable, model.focus] }
    return tables(model, width: 2 * Arrangement.tableWidth + 1)
  }

  private mutating func arrange(_ model: Model, in body: Rect) {
    switch model.arrangement {
    case .overview:
      // A requested answer gets more room, and most if it is not beside the steps.
      let isNarrow = body.width <= 2 * Arrangement.textWidth
      let share = (isNarrow ? 5 : 4) + (model.isAnswering ? 1 : 0)
      let low = max(8, body.height * share / 10)
      // Bands are between the tables and the texts, if there is room for them.
      let bands = body.height >= 26 ? model.bands : []
      let parts = body.rows(
        .flexible, .fixed(bands.isEmpty ? 0 : body.height / 5), .fixed(low))
      let isAlone = model.focus.operations.region == .band && !bands.contains(model.focus)
      place(isAlone ? [model.focus] : tables(model, width: body.width), in: parts[0])
      if !bands.isEmpty { place(bands, in: parts[1]) }
      placeTexts(model, in: parts[2])
    case .tables where model.focus.isTable:
      place(tables(model, width: body.width), in: body)
    case .tables:
      panes = [(model.focus, body)]
    case .reading:
      let parts = body.columns(.flexible, .fixed(1), .flexible)
      place([model.lastTable], in: parts[0])
      let texts = model.texts
      for (pane, rect) in zip(texts, parts[2].rows(texts.map { _ in .flexible })) {
        place([pane], in: rect)
      }
    }
  }

  /// The texts: side by side; if that is too narrow, stacked; if that is too low, only the focused one. A
  /// requested answer is alone if it would not be side by side.
  private mutating func placeTexts(_ model: Model, in rect: Rect) {
    let texts = model.texts
    if rect.width > 2 * Arrangement.textWidth {
      place(texts, in: rect)
    } else if model.isAnswering {
      place([.answer], in: rect)
    } else if rect.height >= 8 {
      let first = rect.rows(.fixed(max(4, rect.height * 2 / 5)), .flexible)
      place([texts[0]], in: first[0])
      let others = texts.dropFirst()
      for (pane, rect) in zip(others, first[1].rows(others.map { _ in .flexible })) {
        place([pane], in: rect)
      }
    } else {
      place([texts.contains(model.focus) ? model.focus : texts[0]], in: rect)
    }
  }

  /// The table panes that fit side by side: the last focused one, and those of the lowest ranks.
  private func tables(_ model: Model, width: Int) -> [Pane] {
    let count = max(1, (width + 1) / (Arrangement.tableWidth + 1))
    let ranked = model.panes.compactMap { pane in
      if case .table(let rank) = pane.operations.region {
        (pane: pane, rank: pane == model.lastTable ? -1 : rank)
      } else {
        nil
      }
    }
    let chosen = ranked.sorted { $0.rank < $1.rank }.prefix(count).map(\.pane)
    return ranked.map(\.pane).filter { chosen.contains($0) }
  }

  private mutating func place(_ row: [Pane], in rect: Rect, gap: Int = 1) {
    var extents: [Rect.Extent] = []
    for index in row.indices { extents += (index > 0 ? [.fixed(gap)] : []) + [.flexible] }
    for (index, part) in rect.columns(extents).enumerated() where index % 2 == 0 {
      panes.append((row[index / 2], part))
    }
  }
}

extension Model {
  /// Whether the user is reading the answer pane.
  fileprivate var isAnswering: Bool {
    focus == .answer || question != home && focus != .steps
  }

  /// The bands in the overview.
  fileprivate var bands: [Pane] {
    panes.filter { $0.operations.region == .band && $0.operations.isInOverview(of: self) }
  }

  fileprivate var texts: [Pane] { panes.filter { $0.operations.region == .text } }
}
