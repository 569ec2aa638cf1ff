import Canvas
import Engine
import Inquiry
import Language
import Recording

/// Playing a recording.
extension Model {
  /// Milliseconds for an event without its own time.
  private static let beat = 500

  /// Plays a recording, from the model's current state. Without recorded inputs, plays the events.
  public mutating func play(
    _ recording: Recording?, showsKeys: Bool = false, stopsAtLandmarks: Bool = false,
    showsBar: Bool = true
  ) {
    sheet = nil
    // Start from the state when the recording began.
    finishWork()
    replay = Replay(
      recording.map { Self.items(of: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        ?? eventItems(recording),
      showsKeys: showsKeys, stopsAtLandmarks: stopsAtLandmarks, showsBar: showsBar)
    keepForReplay()
    settle()
  }

  /// The inputs recorded on the screen.
  private static func items(of recording: Recording) -> [Replay.Item] {
    var items: [Replay.Item] = []
    var time = 0
    for (index, entry) in recording.lines.enumerated() {
      guard case .input(let milliseconds, let ticks, let text) = entry.line else { continue }
      time += milliseconds
      let after = recording.lines.dropFirst(index + 1).prefix {
        if case .input = $0.line { false } else { true }
      }
      items.append(
        Replay.Item(
          time: time, ticks: ticks, text: text, isLandmark: after.contains { $0.line.isLandmark }))
    }
    return items
  }

  /// The events of the history, with their recorded times, if any.
  private func eventItems(_ recording: Recording?) -> [Replay.Item] {
    let ends = Set(session.chapters.map(\.end))
    let stamps = recording?.stamps ?? []
    let isTimed = stamps.contains { $0.stamp.milliseconds > 0 }
    var times: [Int: Int] = [:]
    if isTimed {
      for (number, stamp) in stamps { times[number] = stamp.milliseconds }
    }
    var time = 0
    return timeline.events.indices.map { event in
      time += isTimed ? session.line(ofEvent: event).flatMap { times[$0] } ?? 0 : Self.beat
      return Replay.Item(time: time, ticks: 0, text: "", isLandmark: ends.contains(event + 1))
    }
  }

  /// An input while a recording is played.
  mutating func updateReplay(_ input: Input) -> [Effect] {
    switch input {
    case .tick: passReplay()
    case .resize: return updateSession(input)
    case .end: isFinished = true
    case .paste, .mouse: break
    case .key(let key): return pressInReplay(key)
    }
    settle()
    return []
  }

  private mutating func pressInReplay(_ key: Key) -> [Effect] {
    guard let replay else { return [] }
    switch (key.base, key.modifiers) {
    case (.character(" "), []):
      self.replay?.isPlaying.toggle()
      if replay.isAtEnd { seekReplay(to: 0) }
    case (.character("."), []):
      self.replay?.isPlaying = false
      replayNext()
    case (.character(","), []):
      self.replay?.isPlaying = false
      seekReplay(to: max(0, replay.done - 1))
    case (.character("]"), []):
      let next = replay.items.indices.dropFirst(replay.done).first { replay.items[$0].isLandmark }
      seekReplay(to: next.map { $0 + 1 } ?? replay.items.count)
    case (.character("["), []):
      let before = replay.items.indices.prefix(max(0, replay.done - 1))
        .last { replay.items[$0].isLandmark }
      seekReplay(to: before.map { $0 + 1 } ?? 0)
    case (.character("+"), []): self.replay?.change(faster: true)
    case (.character("-"), []): self.replay?.change(faster: false)
    case (.character("q"), []), (.character("Q"), []): isFinished = true
    case (.character(let digit), []) where ("0"..."9").contains(digit):
      let time = replay.length * Int(digit.value - 48) / 10
      seekReplay(to: replay.count(at: time - 1))
      self.replay?.set(clock: time)
    default: return takeOver(with: key)
    }
    settle()
    return []
  }

  /// Lets the user take over here, with the key pressed.
  private mutating func takeOver(with key: Key) -> [Effect] {
    replay?.isPlaying = false
    let model = self
    replay?.left = [model]
    replay?.isRunning = false
    savedWork = ownWork
    let effects = updateSession(.key(key))
    if prompt == nil, sheet == nil {
      say("You are in the session. Type \":resume-play\" to go on with the recording.")
    }
    return effects
  }

  /// Resumes the recording where the user took over; asks first if work is unsaved.
  mutating func resumeReplay(_ answer: String) {
    guard let replay, let model = replay.left.first else {
      return refuse("The recording is being played.")
    }
    if hasUnsaved, answer != "d" {
      guard answer.isEmpty else { return }
      pending = .resumePlay
      return say(
        "\(unsavedAre) in no file. Press \"d\" to drop it and go on, another key to stay."
      )
    }
    let size = size
    self = model
    self.replay?.isRunning = true
    self.size = size
    self.replay?.isPlaying = true
  }

  private mutating func passReplay() {
    guard replay?.interval != nil else { return }
    replay?.pass()
    while let replay, replay.isPlaying {
      replayTicks(replay.ticksDue)
      guard replay.isNextDue else { break }
      let isLandmark = replay.next?.isLandmark ?? false
      replayNext()
      if isLandmark, replay.stopsAtLandmarks { self.replay?.isPlaying = false }
    }
    if replay?.isAtEnd ?? false { replay?.isPlaying = false }
  }

  /// Does the next item, regardless of time. Returns whether there was one.
  public mutating func replayOn() -> Bool {
    guard let replay, !replay.isAtEnd else { return false }
    replayNext()
    settle()
    return true
  }

  /// Milliseconds from the beginning of the replay.
  public var replayTime: Int { replay?.clock ?? 0 }

  /// Gives the session some ticks, of which a file can name millions: those that would do nothing are only counted.
  private mutating func replayTicks(_ count: Int) {
    for _ in 0..<count {
      if !tickDoesSomething { break }
      _ = updateSession(.tick)
    }
    replay?.didTicks(count)
  }

  private mutating func replayNext() {
    guard let replay, let item = replay.next else { return }
    replayTicks(max(0, item.ticks - replay.ticksDone))
    if item.text.isEmpty {
      go(to: Moment(events: replay.done + 1))
    } else {
      // The program carried out its effects when it was recorded.
      _ = update(recorded: item.text)
    }
    self.replay?.didItem()
    isFinished = false
    keepForReplay()
  }

  private mutating func keepForReplay() {
    // For events alone, going back needs no kept models.
    if let replay, replay.done == 0 || !(replay.items.first?.text.isEmpty ?? true) {
      let model = self
      self.replay?.keep(model)
    }
  }

  /// Seeks to `count` done items.
  private mutating func seekReplay(to count: Int) {
    guard var replay else { return }
    if replay.items.first?.text.isEmpty ?? true {
      replay.jump(to: count)
      self.replay = replay
      go(to: Moment(events: count))
      return
    }
    if count < replay.done, let model = replay.goBack(to: count) {
      let size = size
      self = model
      self.replay = replay
      self.size = size
    }
    while let now = self.replay, now.done < count { replayNext() }
  }

  /// Draws the last line while a recording is played: its progress, and the keys.
  func draw(_ replay: Replay, in rect: Rect, of frame: inout Surface) {
    frame.fill(rect)
    var line = Line(replay.isPlaying ? " \(Glyph.right) " : " \(Glyph.paused) ", .key)
    line.add(Self.time(replay.clock) + "/" + Self.time(replay.length), .title)
    line.add(" x\(SafeText(replay.pace))  ")
    var right = Line()
    if replay.showsKeys, replay.done > 0 {
      right.add(pressed(replay.items[replay.done - 1].text), .changed)
      right.add(" ")
    }
    for (key, what) in [
      ("Space", replay.isPlaying ? "pause" : "play"), ("other keys", "take over"),
      (". ,", "step"), ("[ ]", "mark"), ("0-9", "tenths"), ("+ -", "speed"), ("q", "quit"),
    ] as [(SafeText, SafeText)] {
      if line.columns + key.columns + what.columns + 3 + right.columns > rect.width { break }
      line.add(key, .key)
      line.add(" " + what + "  ")
    }
    frame.write(line, at: rect.origin, clip: rect)
    frame.write(right, at: Point(rect.right - right.columns, rect.y), clip: rect)
  }

  /// The key or action of an item.
  private func pressed(_ text: String) -> SafeText {
    var words = RecordingWords(text)
    switch words.next() {
    case "do":
      guard let action = words.next().flatMap({ Action(rawValue: $0) }) else { return "" }
      return key(action) + " (\(SafeText(action.rawValue)))"
    case "key": return Key(spelling: words.takeRemainder())?.shortName ?? ""
    case nil: return ""
    default: return SafeText(text)
    }
  }

  private static func time(_ milliseconds: Int) -> SafeText {
    let seconds = milliseconds / 1_000
    return "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
  }
}

extension RecordingLine {
  /// Whether it names a moment.
  fileprivate var isLandmark: Bool {
    switch self {
    case .mark, .note, .tables: true
    default: false
    }
  }
}
