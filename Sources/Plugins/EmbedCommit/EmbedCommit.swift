import Foundation

/// Writes a Swift file with the commit of a checkout: `EmbedCommit OUTPUT FOLDER`. Without a history, or without git,
/// there is none.
@main
enum EmbedCommit {
  static func main() throws {
    let commit = commit(of: CommandLine.arguments[2])
    let source = "let embeddedCommit: String? = \(commit.map { "\"\($0)\"" } ?? "nil")\n"
    try Data(source.utf8).write(to: URL(filePath: CommandLine.arguments[1]), options: .atomic)
  }

  /// The name of the commit, in hexadecimal digits. A checkout that merely contains the folder does not count.
  private static func commit(of folder: String) -> String? {
    guard FileManager.default.fileExists(atPath: folder + "/.git") else { return nil }
    let git = Process()
    let output = Pipe()
    git.executableURL = URL(filePath: "/usr/bin/env")
    git.arguments = ["git", "-C", folder, "rev-parse", "--verify", "HEAD"]
    git.standardOutput = output
    git.standardError = FileHandle.nullDevice
    guard (try? git.run()) != nil else { return nil }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    git.waitUntilExit()
    let name = text.prefix { $0.isHexDigit }
    return git.terminationStatus == 0 && name.count >= 40 ? String(name) : nil
  }
}
