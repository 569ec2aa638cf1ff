import Canvas
import Engine

/// How the panes share the screen.
enum Arrangement: String, CaseIterable {
  /// The tables, and below them the steps and the answer.
  case overview
  /// The tables alone.
  case tables
  /// The table that has the focus, and beside it the steps and the answer.
  case reading

  /// The least width of a pane in which a table can be read.
  static let tableWidth = 36
  /// The least width of a pane of text.
  static let textWidth = 52
}

extension Model {
  /// Whether the pane of answers is what a person looks at.
  var isAnswering: Bool { focus == .detail || question != .why && focus != .steps }
}

/// Where everything is on the screen.
struct Layout {
  let header: Rect
  /// The panes in sight. The first row of each is its title; between two beside each other is a column
  /// for a line.
  private(set) var panes: [(pane: Pane, rect: Rect)] = []
  let timeline: Rect
  let footer: Rect

  /// The least screen on which anything but a word about it is drawn.
  static let least = (width: 20, height: 4)

  func rect(of pane: Pane) -> Rect? { panes.first { $0.pane == pane }?.rect }

  /// A pane without its title.
  static func inside(_ pane: Rect) -> Rect {
    Rect(x: pane.x, y: pane.y + 1, width: pane.width, height: pane.height - 1)
  }

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
    if model.isMaximised || body.height < 14 {
      panes = [(model.focus, body)]
    } else {
      arrange(model, in: body)
    }
  }

  private mutating func arrange(_ model: Model, in body: Rect) {
    switch model.arrangement {
    case .overview:
      // An answer that was asked for gets more room, and most where it is not beside the steps.
      let isNarrow = body.width <= 2 * Arrangement.textWidth
      let share = (isNarrow ? 5 : 4) + (model.isAnswering ? 1 : 0)
      let low = max(8, body.height * share / 10)
      // The reverse map is a band between the tables and the texts, where there is room for it.
      let band = model.hasReverseMap && body.height >= 26 ? body.height / 5 : 0
      let parts = body.rows(.flexible, .fixed(band), .fixed(low))
      let isAlone = model.focus == .reverseMap && band == 0
      place(isAlone ? [.reverseMap] : tables(model, width: body.width), in: parts[0])
      if band > 0 { place([.reverseMap], in: parts[1]) }
      placeTexts(model, in: parts[2])
    case .tables where model.focus.isTable:
      place(tables(model, width: body.width), in: body)
    case .tables:
      panes = [(model.focus, body)]
    case .reading:
      let parts = body.columns(.flexible, .fixed(1), .flexible)
      place([model.lastTable], in: parts[0])
      let texts = parts[2].rows(.flexible, .flexible)
      place([.steps], in: texts[0])
      place([.detail], in: texts[1])
    }
  }

  /// The steps and the answer: beside each other, where that is too narrow above each other, and where
  /// that is too low the one that has the focus.
  private mutating func placeTexts(_ model: Model, in rect: Rect) {
    if rect.width > 2 * Arrangement.textWidth {
      place([.steps, .detail], in: rect)
    } else if model.isAnswering {
      place([.detail], in: rect)
    } else if rect.height >= 8 {
      let parts = rect.rows(.fixed(max(4, rect.height * 2 / 5)), .flexible)
      place([.steps], in: parts[0])
      place([.detail], in: parts[1])
    } else {
      place([model.focus == .detail ? .detail : .steps], in: rect)
    }
  }

  /// The table panes that fit beside each other: the one that has, or last had, the focus, and those that
  /// say most beside it.
  private func tables(_ model: Model, width: Int) -> [Pane] {
    let tables = model.panes.filter(\.isTable)
    let count = max(1, (width + 1) / (Arrangement.tableWidth + 1))
    let byValue = [model.lastTable, .shadow, .canonical, .iommu, .guest].filter {
      tables.contains($0)
    }
    var chosen: Set<Pane> = []
    for pane in byValue where chosen.count < count { chosen.insert(pane) }
    return tables.filter { chosen.contains($0) }
  }

  private mutating func place(_ row: [Pane], in rect: Rect) {
    var extents: [Rect.Extent] = []
    for index in row.indices { extents += (index > 0 ? [.fixed(1)] : []) + [.flexible] }
    for (index, part) in rect.columns(extents).enumerated() where index % 2 == 0 {
      panes.append((row[index / 2], part))
    }
  }
}
