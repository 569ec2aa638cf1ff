import Foundation
import PackagePlugin

/// Makes the scenarios of `assets/scenarios` a part of the target that uses it.
@main
struct EmbedScenarios: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let folder = context.package.directoryURL.appending(path: "assets/scenarios")
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".pw") }.sorted()
    let output = context.pluginWorkDirectoryURL.appending(path: "Embedded.swift")
    return [
      .buildCommand(
        displayName: "Embedding \(names.count) scenarios",
        executable: try context.tool(named: "EmbedFiles").url,
        arguments: [output.path, folder.path] + names,
        inputFiles: names.map { folder.appending(path: $0) }, outputFiles: [output])
    ]
  }
}
