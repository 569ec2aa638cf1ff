import Canvas
import FoundationEssentials
import Glibc
import Language
import Recording
import Viewer

/// Keeps a session in files: on request, while it is recorded, and unsaved work.
struct SessionKeeper {
  /// The open file, to which `:write` without a name saves the session; nil if it came from none.
  private var path: String? { didSet { version = path.map { FileWatch($0) } } }
  /// That file as it was read or written by this program.
  private var version: FileWatch?
  /// The recording requested by the user.
  private var recorder: Recorder?
  /// The recording of unsaved work, in case the program is killed.
  private var safety: Recorder?
  /// The file with unsaved work from the last time, if that is open.
  private var recovered: String?

  /// The colours of pictures.
  private let theme: Theme

  init(_ path: String?, theme: Theme) {
    self.theme = theme
    open(path)
  }

  /// Whether the open file has unsaved work from the last time.
  var isRecovered: Bool { recovered != nil }

  /// Notes the file now open.
  mutating func open(_ path: String?) {
    recovered = path.flatMap { UnsavedFile.contains($0) ? $0 : nil }
    self.path = path.flatMap { $0 != "-" && recovered == nil && access($0, F_OK) == 0 ? $0 : nil }
  }

  /// Begins to record into a new file.
  mutating func record(_ path: String, _ model: inout Model) throws(RecordingFile.Failure) {
    recorder = try Recorder(path, &model, recordsInput: true)
    model.isRecorded = true
  }

  /// Maximum time to wait for input; nil if there is nothing to do meanwhile.
  var timeout: Duration? { recorder == nil && safety == nil ? nil : Recorder.rest }

  /// Notes the next input.
  mutating func note(_ input: Input, _ model: borrowing Model) {
    recorder?.note(input, model)
  }

  /// Writes its results, and reports once if that fails.
  mutating func follow(_ model: inout Model) {
    recorder?.follow(model)
    recorder?.synchroniseAtRest()
    if let reason = recorder?.failure?.reason {
      model.refuse("Recording ended: \(SafeText(reason)). What was written stays.")
      recorder = nil
      model.isRecorded = false
      failure = reason
    }
    if model.hasUnsaved {
      if safety == nil, let file = UnsavedFile.new() {
        safety = try? Recorder(file, &model, recordsInput: false)
        // All that was recovered is also in the new one.
        if safety != nil, let recovered {
          unlink(recovered)
          self.recovered = nil
        }
      }
      safety?.follow(model)
      safety?.synchroniseAtRest()
    } else {
      removeSafety()
    }
  }

  /// Why a recording ended early; nil if none did.
  private(set) var failure: String?

  /// Ends all recordings. Work that the user dropped or saved is then in no other file.
  mutating func end(_ model: inout Model) {
    endRecording(&model)
    removeSafety()
  }

  private mutating func endRecording(_ model: inout Model) {
    recorder?.end(&model)
    failure = recorder?.failure?.reason ?? failure
    recorder = nil
    model.isRecorded = false
  }

  private mutating func removeSafety() {
    if let safety { unlink(safety.path) }
    safety = nil
    if let recovered { unlink(recovered) }
    recovered = nil
  }

  // MARK: Wishes

  /// Carries out a file request.
  mutating func carryOut(_ wish: FileWish, _ model: inout Model) {
    model.answer(wish, with: outcome(of: wish, &model))
  }

  private mutating func outcome(of wish: FileWish, _ model: inout Model) -> FileOutcome {
    switch wish.request {
    case .write(let name):
      guard let target = name ?? path else { return .nameless }
      if let clash = target == path ? change(target, wish) : clash(target, wish) { return clash }
      var text = RecordingText(RecordingVersion(program: Pagewalk.version))
      text.add(model.savedWithChecks())
      text.end()
      let outcome = written(target, text.take(), "The session is in \(SafeText(target)).")
      if case .done = outcome {
        model.noteSaved()
        path = target
      }
      return outcome
    case .exportScenario(let name):
      if let clash = clash(name, wish) { return clash }
      return written(
        name, model.session.scenario.plainText, "The history is in \(SafeText(name)).")
    case .shot(let name):
      guard let kind = PictureKind(name: name) else {
        return .refused("Expected a name that ends in \(SafeText(PictureKind.names)).")
      }
      if let clash = clash(name, wish) { return clash }
      return written(
        name, [UInt8](kind.text(of: model.frame(), theme: theme).utf8),
        "The frame is in \(SafeText(name)).")
    case .record(nil):
      guard let ended = recorder?.path else { return .refused("Nothing is being recorded.") }
      failure = nil
      endRecording(&model)
      return failure.map { .refused("\(SafeText(ended)): \(SafeText($0)).") }
        ?? .done("The recording is in \(SafeText(ended)).")
    case .record(let name?):
      if let recorder {
        return .refused(
          "\(SafeText(recorder.path)) is being recorded. Type \":record off\" to end that.")
      }
      do throws(RecordingFile.Failure) {
        try record(name, &model)
        return .done("Recording into \(SafeText(name)). Type \":record off\" to end that.")
      } catch {
        return .refused("\(SafeText(name)): \(SafeText(error.reason)).")
      }
    }
  }

  /// The outcome if a file already exists; nil if it may be written.
  private func clash(_ name: String, _ wish: FileWish) -> FileOutcome? {
    if wish.replaces || access(name, F_OK) != 0 { return nil }
    return RecordingFile.isInUse(name)
      ? .refused("\(SafeText(name)) is being recorded.") : .exists("\(SafeText(name)) exists.")
  }

  /// The outcome if the session's own file has what the session would replace: another program's changes, or the
  /// keys that were pressed; nil if it may be written.
  private func change(_ name: String, _ wish: FileWish) -> FileOutcome? {
    if wish.replaces { return nil }
    if let version, version.hasChanged {
      return .exists("\(SafeText(name)) has changed since it was read.")
    }
    guard let bytes = try? FileDescriptor.contents(of: name),
      Recording.isRecording(bytes), let recording = try? Recording(bytes, file: name),
      recording.begin(in: bytes) != nil
    else { return nil }
    return .exists("\(SafeText(name)) also has what was pressed, which would be lost.")
  }

  private func written(_ name: String, _ text: [UInt8], _ done: SafeText) -> FileOutcome {
    do throws(RecordingFile.Failure) {
      try RecordingFile.replace(name, with: text)
      return .done(done)
    } catch {
      return .refused("\(SafeText(name)): \(SafeText(error.reason)).")
    }
  }
}

/// The files with unsaved work, one for each running program.
enum UnsavedFile {
  private static let prefix = "unsaved-"

  private static var folder: String? { ConfigurationFile.stateFolder?.path }

  /// The path of this program's file; nil if there is no folder for it.
  static func new() -> String? {
    guard let (folder, parent) = ConfigurationFile.stateFolder, access(parent, F_OK) == 0
    else { return nil }
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // A killed program can have had the same number, as in a container. Its work is still to be offered.
    let names = [""] + (2...99).map { "-\($0)" }
    return names.lazy.map { "\(folder)/\(prefix)\(getpid())\($0).pw" }
      .first { access($0, F_OK) != 0 }
  }

  /// Whether a file is one of these.
  static func contains(_ path: String) -> Bool {
    guard let folder else { return false }
    return path.hasPrefix("\(folder)/\(prefix)")
  }

  /// The newest file of a killed program, or nil.
  static var left: String? {
    guard let folder, let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    else { return nil }
    let paths = names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".pw") }.map {
      folder + "/" + $0
    }
    return paths.filter { !RecordingFile.isInUse($0) }.max { time(of: $0) < time(of: $1) }
  }

  private static func time(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
  }
}
