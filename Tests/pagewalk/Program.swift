import Foundation

/// The program itself, as it was built beside the tests.
enum Program {
  /// What a run of it gave.
  struct Result {
    let code: Int32
    let output: [UInt8]
    let errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// The folder of the package.
  static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func path(_ name: String) -> String { package.appending(path: name).path }

  static func contents(_ name: String) throws -> String {
    try String(contentsOf: package.appending(path: name), encoding: .utf8)
  }

  /// The program's file.
  static let binary = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "pagewalk")

  /// Runs it in the package's folder, without a terminal. What goes to another file than that of the test
  /// is not in the result.
  static func run(
    _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:],
    outputPath: String? = nil
  ) throws -> Result {
    try withFolder { folder in
      let files = try ["in", "out", "err"].map { name in
        let file = folder.appending(path: name)
        try Data(name == "in" ? input : []).write(to: file)
        return try name == "in"
          ? FileHandle(forReadingFrom: file) : FileHandle(forWritingTo: file)
      }
      let process = Process()
      process.executableURL = binary
      process.arguments = arguments
      process.currentDirectoryURL = package
      process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        .merging(environment) { $1 }
      process.standardInput = files[0]
      process.standardOutput =
        try outputPath.map {
          try FileHandle(forWritingTo: URL(filePath: $0))
        } ?? files[1]
      process.standardError = files[2]
      try process.run()
      process.waitUntilExit()
      return Result(
        code: process.terminationReason == .exit ? process.terminationStatus : -1,
        output: try [UInt8](Data(contentsOf: folder.appending(path: "out"))),
        errors: try String(contentsOf: folder.appending(path: "err"), encoding: .utf8))
    }
  }

  /// A folder of its own for a test, which is gone afterwards.
  static func withFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "pagewalk-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
