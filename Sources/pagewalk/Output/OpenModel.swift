import Canvas
import Glibc
import Language
import Lesson
import Recording
import Viewer

/// A model with its files: carries out inputs, except for effects on a terminal.
struct OpenModel {
  private(set) var model: Model
  /// The open file, or the name of a scenario of the program; nil for the built-in one.
  private(set) var file: String?
  /// The same for messages, also for a lesson.
  private(set) var name: String
  /// Whether a lesson's answers are kept.
  private let keepsAnswers: Bool
  private var keeper: SessionKeeper
  /// What `:record` is for, where a running VM is looked at; nil where it records what a person does.
  private let recordsMoments: LiveSession?

  init(
    _ file: String?, _ model: Model, theme: Theme, keepsAnswers: Bool = true,
    recordsMoments: LiveSession? = nil
  ) {
    self.recordsMoments = recordsMoments
    self.file = file
    name = file ?? Pagewalk.builtIn
    self.keepsAnswers = keepsAnswers
    self.model = model
    keeper = SessionKeeper(file, theme: theme)
    if keeper.isRecovered { self.model.noteRecovered() }
  }

  /// Maximum time to wait for input; nil if there is nothing to do meanwhile.
  var timeout: Duration? { keeper.timeout }

  /// Records from now on.
  mutating func record(_ path: String) throws {
    do throws(RecordingFile.Failure) {
      try keeper.record(path, &model)
    } catch {
      throw Failure.environment("\(path): \(error.reason)")
    }
  }

  /// Lets the model handle an input. Returns the effects left for the terminal.
  mutating func take(_ input: Input) -> [Effect] {
    keeper.note(input, model)
    var left: [Effect] = []
    for effect in model.update(input) {
      switch effect {
      case .redraw, .suspend, .mouse: left.append(effect)
      case .file(let wish):
        if case .record(let name) = wish.request, let recordsMoments {
          model.answer(wish, with: recordsMoments.record(name))
        } else {
          keeper.carryOut(wish, &model)
        }
      case .discard(let path): unlink(path)
      case .open(let name, let moment): open(name, at: moment)
      case .learn(let id): learn(id)
      }
    }
    keepAnswers()
    keeper.follow(&model)
    return left
  }

  /// Changes the model other than by input, as when a file is read again.
  mutating func change(_ change: (inout Model, String?) -> Void) { change(&model, file) }

  /// Does all background work, and plays to the end.
  mutating func finishWork() {
    model.finishWork()
    while model.replayOn() {}
    model.finishWork()
  }

  /// Ends all recordings.
  mutating func end() throws {
    keeper.end(&model)
    if let reason = keeper.failure { throw Failure.environment("the recording ended: \(reason)") }
  }

  /// Keeps a lesson's answers, before the frame with their outcome is shown.
  mutating func keepAnswers() {
    let records = model.takeLessonRecords()
    if keepsAnswers, let reason = ProgressFile.append(records) { model.refuse(SafeText(reason)) }
  }

  /// Plays a lesson of the program, from where it was left.
  private mutating func learn(_ id: String) {
    do {
      let (lesson, library) = try Pagewalk.lesson(id)
      let isForClass = model.asksClass
      let place = isForClass ? nil : ProgressFile.read().place(in: lesson)
      let player = try Player(
        lesson, in: library, from: place, day: ProgressFile.today, isForClass: isForClass)
      keeper.end(&model)
      model = model.opening(player)
      file = nil
      keeper.open(nil)
      name = "lesson \(id)"
    } catch {
      model.refuse(SafeText(Failure(error).message))
    }
  }

  private mutating func open(_ name: String, at moment: String?) {
    do {
      // The file may have changed since the moment was kept.
      let kept = moment.flatMap { try? Opened(name, at: $0) }
      let opened = try kept ?? Opened(name)
      keeper.end(&model)
      model = model.opening(opened.session, saved: opened.saved)
      if let notice = opened.notice { model.refuse(notice) }
      if let moment, kept == nil {
        model.refuse("There is no event \(SafeText(moment)) in it any more.")
      }
      file = name
      self.name = name
      keeper.open(name)
      if keeper.isRecovered { model.noteRecovered() }
    } catch {
      model.refuse(SafeText(Failure(error).message))
    }
  }
}
