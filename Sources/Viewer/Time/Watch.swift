import Canvas
import Engine
import Inquiry

/// A condition at which running and playing stop.
struct Watch: Equatable {
  let filter: Filter
  var isOn = true

  /// The watches set from the start.
  static let usual = ["violation", "inject", "full-unmap", "unknown", "broken"].compactMap {
    try? Watch(filter: Filter(parsing: $0, for: .events))
  }
}

extension Model {
  /// The conditions of all watches that are on, the user's own first.
  var stops: [Filter] { (watches + usualWatches).filter(\.isOn).map(\.filter) }

  /// Switches a watch on or off, by its place in the list of all.
  mutating func toggleWatch(_ index: Int) {
    if index < watches.count {
      watches[index].isOn.toggle()
    } else {
      usualWatches[index - watches.count].isOn.toggle()
    }
  }
}
