import Canvas
import Engine
import Language
import Recording

/// A recording being played: its items, their times, and the progress.
///
/// It has no clock. The caller waits `interval` and then sends a tick.
struct Replay {
  /// A recorded item.
  struct Item {
    /// Milliseconds from the beginning.
    let time: Int
    /// Ticks before it, since the previous item.
    let ticks: Int
    /// The item, as `Model.recorded` writes it; empty for the next event.
    let text: String
    /// Whether it made a chapter, a mark or a note.
    let isLandmark: Bool
  }

  let items: [Item]
  /// Whether pressed keys are shown.
  let showsKeys: Bool
  /// Whether playing stops at chapters, marks and notes.
  let stopsAtLandmarks: Bool
  /// Whether the last line shows the progress.
  let showsBar: Bool
  /// Number of items done, and of ticks done before the next one.
  private(set) var done = 0
  private(set) var ticksDone = 0
  /// Milliseconds from the beginning.
  private(set) var clock = 0
  var isPlaying = true
  /// Whether the recording is running; false once the user has taken over.
  var isRunning = true
  private var speed = 2
  /// The model before the first item, and some later ones with their numbers of done items, ascending. An
  /// array, since a model contains a replay.
  private var kept: [(done: Int, model: Model)] = []
  /// The model at which the user took over.
  var left: [Model] = []

  /// Number of items between kept models.
  private static let spacing = 64
  private static let keptAtMost = 64
  /// Factors of the speed: in quarters, and in words.
  private static let speeds: [(quarters: Int, name: String)] = [
    (1, "0.25"), (2, "0.5"), (4, "1"), (6, "1.5"), (8, "2"), (16, "4"), (32, "8"), (64, "16"),
  ]

  init(_ items: [Item], showsKeys: Bool, stopsAtLandmarks: Bool, showsBar: Bool) {
    self.showsBar = showsBar
    self.items = items
    self.showsKeys = showsKeys
    self.stopsAtLandmarks = stopsAtLandmarks
  }

  /// Total milliseconds.
  var length: Int { items.last?.time ?? 0 }
  var isAtEnd: Bool { done == items.count }
  var next: Item? { isAtEnd ? nil : items[done] }

  /// The speed, as a factor.
  var pace: String { Self.speeds[speed].name }

  mutating func change(faster: Bool) {
    let next = speed + (faster ? 1 : -1)
    if Self.speeds.indices.contains(next) { speed = next }
  }

  /// Time between two ticks; nil while paused or at the end.
  var interval: Duration? { isPlaying && !isAtEnd ? .milliseconds(Self.beat) : nil }

  private static let beat = 25

  /// Advances the clock by a beat.
  mutating func pass() { clock += Self.beat * Self.speeds[speed].quarters / 4 }

  /// Number of ticks of the next item due by now.
  var ticksDue: Int {
    guard let next else { return 0 }
    if clock >= next.time { return next.ticks - ticksDone }
    let start = done > 0 ? items[done - 1].time : 0
    guard next.time > start, clock > start else { return 0 }
    return max(0, next.ticks * (clock - start) / (next.time - start) - ticksDone)
  }

  var isNextDue: Bool { next.map { clock >= $0.time } ?? false }

  mutating func didTicks(_ count: Int) { ticksDone += count }

  /// Counts the next item as done.
  mutating func didItem() {
    done += 1
    ticksDone = 0
    clock = max(clock, items[done - 1].time)
  }

  /// Keeps a model, if it is due.
  mutating func keep(_ model: Model) {
    guard done % Self.spacing == 0, kept.last.map({ $0.done < done }) ?? true else { return }
    var model = model
    model.replay = nil
    kept.append((done, model))
    // A few models are enough: drop one in the middle.
    if kept.count > Self.keptAtMost { kept.remove(at: kept.count / 2) }
  }

  /// The latest kept model with at most `count` items done; sets the progress to that.
  mutating func goBack(to count: Int) -> Model? {
    guard let found = kept.last(where: { $0.done <= count }) else { return nil }
    done = found.done
    ticksDone = 0
    clock = done > 0 ? items[done - 1].time : 0
    return found.model
  }

  mutating func set(clock: Int) { self.clock = clock }

  /// Sets the number of done items.
  mutating func jump(to count: Int) {
    done = count
    ticksDone = 0
    clock = count > 0 ? items[count - 1].time : 0
  }

  /// Number of items done at a time, in milliseconds.
  func count(at time: Int) -> Int { items.indices.partitioningIndex { items[$0].time > time } }
}
