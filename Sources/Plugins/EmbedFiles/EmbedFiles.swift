import FoundationEssentials

/// Writes a Swift file that holds the text of other files: `EmbedFiles OUTPUT FOLDER NAME...`.
///
/// The texts are literals, so they are constants of the binary: a program that reads none pays nothing.
@main
enum EmbedFiles {
  static func main() throws {
    let arguments = CommandLine.arguments
    let folder = URL(filePath: arguments[2])
    var source = "let embedded: [(name: StaticString, text: StaticString)] = [\n"
    for name in arguments.dropFirst(3) {
      let text = String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
      // No text of a scenario can end a literal with so many signs.
      source += "(\"\(name)\", ####\"\"\"\n\(text)\n\"\"\"####),\n"
    }
    try Data((source + "]\n").utf8).write(to: URL(filePath: arguments[1]), options: .atomic)
  }
}
