import Canvas
import Engine
import Import
import Language
import Viewer

/// What was seen of a running VM so far, as a history of moments, and the folder into which it is kept.
final class LiveSession {
  /// What a look has found.
  enum Found {
    /// The history from its beginning, all of it carried out: at first, or if the VM is not what it was taken for.
    case history(Session)
    /// Statements that come to its end.
    case addition(ScenarioMaker.Addition)
  }

  private var live: LiveFolder
  private var chapters: [RecordedChapter] = []
  private var seen: SeenScenario?
  private var folder: MomentFolder?
  /// What the last look that showed something new has to tell.
  private(set) var news: SafeText = ""

  init(_ live: LiveFolder, record: MomentFolder?) {
    self.live = live
    folder = record
  }

  /// Whether the VM's folder is still there.
  var isThere: Bool { live.isThere }

  /// Looks once.
  ///
  /// - Returns: the new moment; nil if nothing is new.
  func look() throws -> Found? {
    let lines = live.look()
    guard let first = lines.first else { return nil }
    let title = lines.count > 1 ? "\(first), and \(lines.count - 1) more" : first
    news = SafeText(title)
    if live.isThere { try keep(title) }
    chapters.append(live.chapter(MomentFolder.name(ofMoment: chapters.count), title: title))
    if let chapter = chapters.last, try seen?.extend(by: chapter) == true,
      let addition = seen?.take()
    {
      return .addition(addition)
    }
    return .history(try history())
  }

  /// The history of all that was seen, carried out anew.
  func history() throws -> Session {
    var all = try SeenScenario(chapters, title: "a running VM", file: "live")
    var session = Session(all.takeScenario())
    seen = all
    try session.finish()
    return session
  }

  /// Begins to keep moments in a folder, or with nil ends that.
  func record(_ path: String?) -> FileOutcome {
    guard let path else {
      guard let ended = folder?.path else { return .refused("Nothing is being recorded.") }
      folder = nil
      return .done(
        "The moments are in \(SafeText(ended)): `pagewalk \(SafeText(ended))` opens them.")
    }
    if let folder {
      return .refused(
        "\(SafeText(folder.path)) is being recorded. Type \":record off\" to end that.")
    }
    do {
      folder = try MomentFolder(path)
      try keep("What was there when the recording began")
      return .done("Recording into \(SafeText(path)). Type \":record off\" to end that.")
    } catch {
      folder = nil
      return .refused(SafeText(Failure(error).message))
    }
  }

  /// Tells the screen how old the tables are.
  func follow(_ model: inout Model) {
    model.ages = live.ages.mapValues { SafeText($0) }
  }

  private func keep(_ title: String) throws {
    do {
      try folder?.keep(live, title: title)
    } catch {
      folder = nil
      throw error
    }
  }
}
