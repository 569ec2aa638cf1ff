import Canvas
import Inquiry

extension Document {
  /// A report, safe to draw.
  init(_ report: Report) {
    self.init()
    for line in report.lines {
      add(
        Item(
          line: Line(line.text), target: line.target.map { Target($0) }, indent: line.indent,
          cells: line.cells.map { Line($0) }))
    }
    heads = report.heads
    current = report.current
  }
}

extension Document.Target {
  fileprivate init(_ target: Report.Target) {
    switch target {
    case .moment(let moment): self = .moment(moment)
    case .place(let table, let address): self = .place(table, address)
    case .term(let name): self = .term(name)
    }
  }
}

extension Line {
  /// A line of a report, safe to draw.
  init(_ text: Report.Text) {
    self.init()
    for part in text.parts { add(SafeText(part.text), part.emphasis.role) }
  }
}

extension Report.Emphasis {
  /// How it is painted.
  var role: Role {
    switch self {
    case .plain: .text
    case .dim: .dim
    case .title: .title
    case .heading: .heading
    case .key: .key
    case .address: .address
    case .permission: .permission
    case .linked: .linked
    case .hardware: .ownerHardware
    case .software: .ownerSoftware
    case .valid: .valid
    case .invalid: .invalid
    case .changed: .changed
    case .stale: .stale
    case .unknown: .unknown
    case .mismatch: .mismatch
    case .warning: .warning
    case .error: .error
    }
  }
}
