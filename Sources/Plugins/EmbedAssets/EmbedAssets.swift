import Foundation
import PackagePlugin

/// Makes the texts of a folder of `assets` a part of the target that uses it: the scenarios, the lessons, or
/// the recorder's scripts. The program itself gets the name of its commit.
@main
struct EmbedAssets: BuildToolPlugin {
  /// The folder and the extension for each target.
  private static let assets = [
    "Scenarios": (folder: "scenarios", suffix: ".pw"),
    "Lesson": (folder: "lessons", suffix: ".md"),
    "RecorderScripts": (folder: "recorder", suffix: ""),
  ]

  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    if target.name == "pagewalk" { return [try embedCommit(context)] }
    guard let (name, suffix) = Self.assets[target.name] else { return [] }
    let folder = context.package.directoryURL.appending(path: "assets").appending(path: name)
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(suffix) }.sorted()
    let output = context.pluginWorkDirectoryURL.appending(path: "Embedded.swift")
    return [
      .buildCommand(
        displayName: "Embedding \(names.count) \(name)",
        executable: try context.tool(named: "EmbedFiles").url,
        arguments: [output.path, folder.path] + names,
        inputFiles: names.map { folder.appending(path: $0) }, outputFiles: [output])
    ]
  }

  private func embedCommit(_ context: PluginContext) throws -> Command {
    let package = context.package.directoryURL
    let output = context.pluginWorkDirectoryURL.appending(path: "Commit.swift")
    // In an additional working tree `.git` is a file that names the folder.
    var git = package.appending(path: ".git")
    if let link = try? String(contentsOf: git, encoding: .utf8), link.hasPrefix("gitdir: ") {
      git = URL(filePath: String(link.dropFirst(8).prefix { $0 != "\n" }), relativeTo: package)
    }
    // The first changes with the branch, the second with every commit.
    let changing = ["HEAD", "logs/HEAD"].map { git.appending(path: $0) }
    return .buildCommand(
      displayName: "Embedding the commit",
      executable: try context.tool(named: "EmbedCommit").url,
      arguments: [output.path, package.path],
      inputFiles: changing.filter { FileManager.default.fileExists(atPath: $0.path) },
      outputFiles: [output])
  }
}
