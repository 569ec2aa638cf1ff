import Foundation
import PackagePlugin

/// Makes the name of the checkout's commit a part of the target that uses it.
@main
struct EmbedVersion: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let package = context.package.directoryURL
    let output = context.pluginWorkDirectoryURL.appending(path: "Commit.swift")
    // In a further working tree of a checkout there is a file that names the folder.
    var git = package.appending(path: ".git")
    if let link = try? String(contentsOf: git, encoding: .utf8), link.hasPrefix("gitdir: ") {
      git = URL(filePath: String(link.dropFirst(8).prefix { $0 != "\n" }), relativeTo: package)
    }
    // The first changes with the branch, the second with every commit.
    let changing = ["HEAD", "logs/HEAD"].map { git.appending(path: $0) }
    return [
      .buildCommand(
        displayName: "Embedding the commit",
        executable: try context.tool(named: "EmbedCommit").url,
        arguments: [output.path, package.path],
        inputFiles: changing.filter { FileManager.default.fileExists(atPath: $0.path) },
        outputFiles: [output])
    ]
  }
}
