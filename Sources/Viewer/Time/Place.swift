import Engine
import Inquiry

/// Where a person was: a history, a moment in it, and what was selected.
struct Place: Equatable {
  var branch: Int
  var moment: Moment
  var table: TableID?
  var position: Position?
}

/// Places that were left by a jump. One can go back to them, and forward again.
struct Jumps: Equatable {
  private(set) var places: [Place] = []
  /// Places before this index lie behind.
  private(set) var index = 0

  /// Notes a place that is being left. What lay ahead is given up.
  mutating func leave(_ place: Place) {
    places.removeSubrange(index...)
    if places.last != place { places.append(place) }
    index = places.count
  }

  /// Goes back from a place; nil if nothing lies behind.
  mutating func back(from place: Place) -> Place? {
    guard index > 0 else { return nil }
    index -= 1
    let target = places[index]
    places[index] = place
    return target
  }

  /// Goes forward from a place; nil if nothing lies ahead.
  mutating func forward(from place: Place) -> Place? {
    guard index < places.count else { return nil }
    let target = places[index]
    places[index] = place
    index += 1
    return target
  }
}

/// Time that passes by itself.
struct Playback: Equatable {
  var isPlaying = false
  /// Events a second.
  private(set) var speed = 2

  static let speeds = 1...32

  /// Twice as fast; false if it is as fast as can be.
  mutating func accelerate() -> Bool { set(speed * 2) }

  /// Half as fast; false if it is as slow as can be.
  mutating func slow() -> Bool { set(speed / 2) }

  private mutating func set(_ speed: Int) -> Bool {
    guard Self.speeds.contains(speed) else { return false }
    self.speed = speed
    return true
  }
}
