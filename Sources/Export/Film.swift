import Canvas
import Engine
import Inquiry
import Language
import Recording
import Viewer

/// The frames of a session in order: of a recording as it was done, else one for each event.
///
/// It makes one frame at a time: its memory does not grow with their number.
package struct Film {
  /// The screen at a time.
  package struct Frame {
    /// Milliseconds from the beginning.
    package let time: Int
    /// The moment of the history on the screen.
    package let moment: Moment
    /// The cells.
    package let surface: Surface
    /// The name of the chapter, mark or note at this frame, if any.
    package let landmark: SafeText?
  }

  /// The part of a session to film.
  package struct Part: Sendable {
    /// The first moment; nil for the start.
    package var from: Moment?
    /// The last moment; nil for the end.
    package var until: Moment?
    /// Whether each micro-step has its own frame.
    package var showsSteps: Bool

    /// All events, or a part.
    package init(from: Moment? = nil, until: Moment? = nil, showsSteps: Bool = false) {
      self.from = from
      self.until = until
      self.showsSteps = showsSteps
    }
  }

  /// The model last shown.
  package private(set) var model: Model
  private let part: Part
  private var isFirst = true
  /// Whether inputs are replayed as recorded, instead of showing events in order.
  private let isReplay: Bool
  private var frames = 0

  /// Milliseconds of an event without its own time.
  package static let beat = 500

  /// A film of a session.
  ///
  /// - Parameters:
  ///   - model: the session, for a recording as it was when that began.
  ///   - recording: the recording, if it is to be shown as it was done, in full length.
  package init(_ model: Model, _ recording: Recording?, part: Part = Part()) {
    self.model = model
    self.part = part
    isReplay = recording?.hasInputs ?? false
    if isReplay { self.model.play(recording, showsBar: false) }
  }

  /// The next frame; nil after the last.
  ///
  /// - Complexity: that of a frame and of what is done for it.
  package mutating func next() -> Frame? {
    if isReplay {
      if !isFirst, !model.replayOn() { return nil }
      isFirst = false
      model.finishWork()
      return frame(at: model.replayTime, landmark: nil)
    }
    let timeline = model.session.timeline
    let last = min(part.until ?? .init(events: .max), Moment(events: timeline.events.count))
    if isFirst {
      isFirst = false
      model.show(min(part.from ?? Moment(events: 0), last))
    } else {
      guard timeline.moment < last else { return nil }
      let now = timeline.moment
      let isInside = part.showsSteps && now.events < timeline.events.count
      model.show(
        isInside ? Moment(events: now.events, steps: now.steps + 1) : Moment(events: now.events + 1)
      )
    }
    model.finishWork()
    defer { frames += 1 }
    return frame(at: frames * Self.beat, landmark: model.landmark)
  }

  /// The statement that led to the current frame; empty at the start.
  package var statement: String {
    let session = model.session
    return session.timeline.currentEvent.map { session.text(ofEvent: $0) } ?? ""
  }

  /// What happened at the current moment, and why, as in the answer pane.
  package var explanation: String { model.explanation }

  private func frame(at time: Int, landmark: SafeText?) -> Frame {
    Frame(
      time: time, moment: model.session.timeline.moment, surface: model.frame(),
      landmark: landmark)
  }
}
