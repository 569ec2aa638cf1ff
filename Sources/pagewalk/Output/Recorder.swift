import Canvas
import Language
import Recording
import Viewer

/// Writes down what is done on a screen, as it is done.
///
/// A file that can no longer be written, as on a full disk, costs nothing but the rest of the recording.
final class Recorder {
  /// How long nothing has to be done before what was written is brought to the disk.
  static let rest = Duration.seconds(1)

  let path: String
  private let file: RecordingFile
  private var text = RecordingText(RecordingVersion(program: Pagewalk.version))
  private let recordsInput: Bool
  /// When something was done last, and ticks since then.
  private var last = ContinuousClock.now
  private var ticks = 0
  private var isSynchronised = true
  /// Why no more is written.
  private(set) var failure: RecordingFile.Failure?

  /// Begins with the session as it is.
  ///
  /// - Parameter recordsInput: whether what is done is recorded also, and not only what comes of it.
  init(_ path: String, _ model: inout Model, recordsInput: Bool) throws(RecordingFile.Failure) {
    self.path = path
    self.recordsInput = recordsInput
    file = try RecordingFile(creating: path)
    // Ticks are counted from a model that has nothing to do, as that which plays the recording.
    if recordsInput { model.finishWork() }
    text.add(recordsInput ? model.savedWithChecks() : model.savedWithChoices)
    if recordsInput { text.begin(width: model.size.width, height: model.size.height) }
    write()
  }

  /// Notes what is about to be done.
  func note(_ input: Input, _ model: borrowing Model) {
    if input == .tick {
      if model.usesTick { ticks += 1 }
      return
    }
    guard recordsInput, let done = model.recorded(input) else { return }
    text.add(input: done, milliseconds: elapsed(), ticks: ticks)
    ticks = 0
  }

  /// Writes what came of it.
  func follow(_ model: borrowing Model) {
    // Where one is and what one looks at follows from what was done, and is written at the end.
    text.add(recordsInput ? model.saved : model.savedWithChoices)
    write()
  }

  /// Brings what was written to the disk, if nothing was done for a while.
  func synchroniseAtRest() {
    guard !isSynchronised, ContinuousClock.now - last >= Self.rest else { return }
    file.synchronise()
    isSynchronised = true
  }

  /// Ends the recording.
  func end(_ model: inout Model) {
    text.add(model.savedWithChecks())
    text.end()
    write()
  }

  private func elapsed() -> Int {
    let now = ContinuousClock.now
    defer { last = now }
    return Int(min((now - last) / .milliseconds(1), Double(Int32.max)))
  }

  private func write() {
    let lines = text.take()
    guard failure == nil, !lines.isEmpty else { return }
    do throws(RecordingFile.Failure) {
      try file.append(lines)
      isSynchronised = false
    } catch {
      failure = error
    }
  }
}
