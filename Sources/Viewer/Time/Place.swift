import Canvas
import Engine
import Inquiry

/// The user's place: a history, a moment in it, and the selection.
struct Place: Equatable {
  var branch: Int
  var moment: Moment
  var table: TableID?
  var position: Position?
}

/// Places left by a jump. One can go back to them, and forward again.
struct Jumps: Equatable {
  private(set) var places: [Place] = []
  /// Places before this index lie behind.
  private(set) var index = 0

  init(_ places: [Place] = [], index: Int = 0) {
    self.places = places
    self.index = index
  }

  /// Notes a place being left. Drops the places ahead.
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

/// Automatic playing.
struct Playback: Equatable {
  /// The unit played at each beat.
  enum Unit: Equatable {
    case event, step
  }

  /// The unit being played; nil if paused.
  var unit: Unit?
  /// Index of the beat, from 0.
  var rate = 4

  var isPlaying: Bool { unit != nil }

  /// Milliseconds from one beat to the next, from slow to fast.
  private static let beats = [10_000, 5_000, 2_000, 1_000, 500, 250, 125, 62, 31]

  /// Legal values of `rate`.
  static let rates = beats.indices

  /// The time from one beat to the next.
  var beat: Duration { .milliseconds(Self.beats[rate]) }

  /// The speed in words.
  var pace: SafeText {
    let name: SafeText = unit == .step ? "micro-step" : "event"
    let beat = Self.beats[rate]
    if beat > 1_000 { return "1 \(name) in \(beat / 1_000) s" }
    return beat == 1_000 ? "1 \(name)/s" : "\(1_000 / beat) \(name)s/s"
  }

  /// Goes to the next speed; false if there is none.
  mutating func change(faster: Bool) -> Bool {
    let next = rate + (faster ? 1 : -1)
    guard Self.rates.contains(next) else { return false }
    rate = next
    return true
  }
}
