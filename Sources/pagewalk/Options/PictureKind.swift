import ArgumentParser
import Canvas

/// The format of a written frame.
enum PictureKind: String, CaseIterable {
  case txt, ans, svg, html

  /// The kind by a file name's extension; nil if unknown.
  init?(name: String) {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    self.init(rawValue: String(name[name.index(after: dot)...]))
  }

  /// The extensions, for messages.
  static var names: String { allCases.map { "." + $0.rawValue }.joined(separator: ", ") }

  /// A frame as text of the kind.
  func text(of frame: Surface, theme: Theme) -> String {
    switch self {
    case .txt: frame.text
    case .ans: frame.ansiText(theme: theme, depth: .full)
    case .svg: frame.svg(theme: theme)
    case .html: frame.html(theme: theme)
    }
  }
}
