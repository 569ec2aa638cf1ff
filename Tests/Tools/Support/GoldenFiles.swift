import Foundation

/// Texts that tests keep as files because a person has looked at them.
///
/// With `PAGEWALK_UPDATE_FRAMES=1` in the environment they are written anew.
public struct GoldenFiles: Sendable {
  private let folder: URL

  /// The files in a folder beside the source of a test.
  public init(_ name: String, besideSource source: String = #filePath) {
    folder = URL(filePath: source).deletingLastPathComponent().appending(path: name)
  }

  /// The files in a folder.
  public init(folder: URL) { self.folder = folder }

  /// The lines in which a text differs from its file, as they were and as they are; nil if it does not.
  public func difference(_ name: String, _ text: String) throws -> String? {
    let file = folder.appending(path: name)
    if ProcessInfo.processInfo.environment["PAGEWALK_UPDATE_FRAMES"] != nil {
      try text.write(to: file, atomically: true, encoding: .utf8)
      return nil
    }
    guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
      return "\(name) is missing; it would be\n\(text)"
    }
    if text == expected { return nil }
    let old = Self.lines(expected)
    let new = Self.lines(text)
    let pairs = zip(old, new).filter { $0 != $1 }.map { "was \($0)\nis  \($1)" }
    let rest =
      old.dropFirst(new.count).map { "was \($0)" } + new.dropFirst(old.count).map { "is  \($0)" }
    return "\(name):\n" + (pairs + rest).joined(separator: "\n")
  }

  private static func lines(_ text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// Names of files that belong to nothing, and of those that are missing.
  public func strangers(beside names: [String]) throws -> [String] {
    let found = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return Set(found).symmetricDifference(names).sorted()
  }
}
