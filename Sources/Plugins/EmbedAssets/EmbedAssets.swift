import Foundation
import PackagePlugin

/// Makes the texts of a folder of `assets` a part of the target that uses it: the scenarios, the lessons, or
/// the recorder's scripts.
@main
struct EmbedAssets: BuildToolPlugin {
  /// The folder and the extension for each target.
  private static let assets = [
    "Scenarios": (folder: "scenarios", suffix: ".pw"),
    "Lesson": (folder: "lessons", suffix: ".md"),
    "RecorderScripts": (folder: "recorder", suffix: ""),
  ]

  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
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
}
