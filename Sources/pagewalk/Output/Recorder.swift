import Canvas
import Language
import Recording
import Viewer

/// Records what is done on a screen, live.
///
/// If the file can no longer be written, as on a full disk, only the rest of the recording is lost.
final class Recorder {
  /// Idle time after which the written data is synchronised to the disk.
  static let rest = Duration.seconds(1)

  let path: String
  private var file: RecordingFile
  private var text = RecordingText(RecordingVersion(program: Pagewalk.version))
  private let recordsInput: Bool
  /// Time of the last input, and ticks since then.
  private var last = ContinuousClock.now
  private var ticks = 0
  private var isSynchronised = true
  /// Why writing has stopped; nil if it has not.
  private(set) var failure: RecordingFile.Failure?

  /// Begins with the current session.
  ///
  /// - Parameter recordsInput: whether inputs are also recorded, not only their results.
  init(_ path: String, _ model: inout Model, recordsInput: Bool) throws(RecordingFile.Failure) {
    self.path = path
    self.recordsInput = recordsInput
    file = try RecordingFile(creating: path)
    // Ticks are counted from an idle model, like the one that plays the recording.
    if recordsInput { model.finishWork() }
    text.add(recordsInput ? model.savedWithChecks() : model.savedWithChoices)
    if recordsInput { text.begin(width: model.size.width, height: model.size.height) }
    write()
  }

  /// Notes the next input.
  func note(_ input: Input, _ model: borrowing Model) {
    if input == .tick {
      if model.usesTick { ticks += 1 }
      return
    }
    guard recordsInput, let done = model.recorded(input) else { return }
    text.add(input: done, milliseconds: elapsed(), ticks: ticks)
    ticks = 0
  }

  /// Writes its results.
  func follow(_ model: borrowing Model) {
    // The place and choices follow from the inputs, and are written at the end.
    text.add(recordsInput ? model.saved : model.savedWithChoices)
    write()
  }

  /// Synchronises the file to the disk after a while without input.
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
    return Int(min((now - last) / .milliseconds(1), Double(Stamp.millisecondsAtMost)))
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
