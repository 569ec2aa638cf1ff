import Canvas
import Engine
import Language
import Recording

/// A recording that is played: what was done, when, and how far that has come.
///
/// It has no clock. Whoever shows it lets `interval` pass and then says so by a tick.
struct Replay {
  /// Something that was done.
  struct Item {
    /// Milliseconds from the beginning.
    let time: Int
    /// Ticks that came before it, since the item before.
    let ticks: Int
    /// What was done, as `Model.recorded` writes it; empty for the next event.
    let text: String
    /// Whether it made a chapter, a mark or a note.
    let isLandmark: Bool
  }

  let items: [Item]
  /// Whether the keys that were pressed are shown.
  let showsKeys: Bool
  /// Whether playing stops at chapters, marks and notes.
  let stopsAtLandmarks: Bool
  /// Whether the last line shows how far it is.
  let showsBar: Bool
  /// Items that are done, and ticks before the next one.
  private(set) var done = 0
  private(set) var ticksDone = 0
  /// Milliseconds from the beginning.
  private(set) var clock = 0
  var isPlaying = true
  /// Whether the recording goes on, or a person has taken over.
  var isRunning = true
  private var speed = 2
  /// The model before the first item, and some later ones with the items that were done, ascending. Arrays,
  /// since a model has a replay.
  private var kept: [(done: Int, model: Model)] = []
  /// The model where a person took over.
  var left: [Model] = []

  /// Items between models that are kept.
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

  /// Milliseconds of all.
  var length: Int { items.last?.time ?? 0 }
  var isAtEnd: Bool { done == items.count }
  var next: Item? { isAtEnd ? nil : items[done] }

  /// How fast it goes, as a factor.
  var pace: String { Self.speeds[speed].name }

  mutating func change(faster: Bool) {
    let next = speed + (faster ? 1 : -1)
    if Self.speeds.indices.contains(next) { speed = next }
  }

  /// Time that passes between two ticks; nil while nothing passes.
  var interval: Duration? { isPlaying && !isAtEnd ? .milliseconds(Self.beat) : nil }

  private static let beat = 25

  /// Lets a beat pass.
  mutating func pass() { clock += Self.beat * Self.speeds[speed].quarters / 4 }

  /// Ticks of the next item that are due by now.
  var ticksDue: Int {
    guard let next else { return 0 }
    if clock >= next.time { return next.ticks - ticksDone }
    let start = done > 0 ? items[done - 1].time : 0
    guard next.time > start, clock > start else { return 0 }
    return max(0, next.ticks * (clock - start) / (next.time - start) - ticksDone)
  }

  var isNextDue: Bool { next.map { clock >= $0.time } ?? false }

  mutating func didTick() { ticksDone += 1 }

  /// Counts the next item as done.
  mutating func didItem() {
    done += 1
    ticksDone = 0
    clock = max(clock, items[done - 1].time)
  }

  /// Keeps a model, if it is time to.
  mutating func keep(_ model: Model) {
    guard done % Self.spacing == 0, kept.last.map({ $0.done < done }) ?? true else { return }
    var model = model
    model.replay = nil
    kept.append((done, model))
    // Few models are enough: the later ones are then further apart.
    if kept.count > Self.keptAtMost { kept.remove(at: kept.count / 2) }
  }

  /// The latest model that was kept before so many items were done; sets what is done to that.
  mutating func goBack(to count: Int) -> Model? {
    guard let found = kept.last(where: { $0.done <= count }) else { return nil }
    done = found.done
    ticksDone = 0
    clock = done > 0 ? items[done - 1].time : 0
    return found.model
  }

  mutating func set(clock: Int) { self.clock = clock }

  /// Counts so many items as done.
  mutating func jump(to count: Int) {
    done = count
    ticksDone = 0
    clock = count > 0 ? items[count - 1].time : 0
  }

  /// Items that are done at a time.
  func count(at time: Int) -> Int { items.indices.partitioningIndex { items[$0].time > time } }
}
