import FoundationEssentials

/// A folder into which what was seen of a VM is written, a moment for each time that something is new. It is read
/// again as a VM's folders of debugfs are.
struct MomentFolder {
  let path: String
  private var count = 0

  /// Begins a folder, which must hold nothing yet.
  ///
  /// - Throws: why it cannot be written.
  init(_ path: String) throws {
    self.path = path
    guard SourceFiles.names(in: path).isEmpty else {
      throw Failure.usage("\(path): expected a new folder, or an empty one: there are files in it")
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw Failure.cannotWrite(path, error)
    }
  }

  /// The name of a moment by its number, so that names are in the order of the moments.
  static func name(ofMoment number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// Writes what was seen last as the next moment.
  ///
  /// - Parameter title: what is new.
  mutating func keep(_ live: LiveFolder, title: String) throws {
    let folder = "\(path)/\(Self.name(ofMoment: count))"
    do {
      try FileManager.default.createDirectory(
        atPath: folder + "/nested", withIntermediateDirectories: true)
      for (name, text) in live.moment() + [("step.txt", title + "\n")] {
        try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
      }
    } catch {
      throw Failure.cannotWrite(folder, error)
    }
    count += 1
  }
}
