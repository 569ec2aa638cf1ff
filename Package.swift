// swift-tools-version: 6.2

import PackageDescription

// In CI a warning is an error; elsewhere a newer compiler's new warning must not stop a build.
// With a section for each function the linker leaves out those that nothing calls, 1.3 MB of the program.
let strict: [SwiftSetting] =
  (Context.environment["PAGEWALK_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]) + [
    .unsafeFlags(["-Xfrontend", "-function-sections"], .when(configuration: .release))
  ]

// The tests carry out millions of events, so what they run is optimised in debug builds also; its assertions stay.
let fast: [SwiftSetting] =
  strict + [.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))]

// What .ci/package leaves out of the program.
let leftOut: [LinkerSetting] =
  Context.environment["PAGEWALK_LINKER_SCRIPT"].map {
    [.unsafeFlags(["-Xlinker", "--no-eh-frame-hdr", "-Xlinker", "-T", "-Xlinker", $0])]
  } ?? []

let package = Package(
  name: "pagewalk",
  products: [
    .executable(name: "pagewalk", targets: ["pagewalk"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "Engine", swiftSettings: fast),
    .target(name: "Language", dependencies: ["Engine"], swiftSettings: fast),
    .target(name: "Observation", dependencies: ["Engine"], swiftSettings: fast),
    .target(name: "KernelText", dependencies: ["Engine", "Observation"], swiftSettings: fast),
    .target(name: "MemoryImage", dependencies: ["Engine", "Observation"], swiftSettings: fast),
    .target(
      name: "Import",
      dependencies: ["Engine", "Language", "Observation", "KernelText", "MemoryImage"],
      swiftSettings: fast),
    .target(name: "RecorderScripts", swiftSettings: strict, plugins: ["EmbedAssets"]),
    .target(name: "Inquiry", dependencies: ["Engine", "Language"], swiftSettings: fast),
    .target(
      name: "Lesson", dependencies: ["Engine", "Language", "Inquiry"], swiftSettings: fast,
      plugins: ["EmbedAssets"]),
    .target(
      name: "Recording", dependencies: ["Engine", "Language", "KernelText"], swiftSettings: fast),
    .target(name: "Canvas", swiftSettings: fast),
    .target(name: "Scenarios", swiftSettings: strict, plugins: ["EmbedAssets"]),
    .plugin(
      name: "EmbedAssets", capability: .buildTool(),
      dependencies: ["EmbedFiles"], path: "Sources/Plugins/EmbedAssets"),
    .plugin(
      name: "EmbedVersion", capability: .buildTool(), dependencies: ["EmbedCommit"],
      path: "Sources/Plugins/EmbedVersion"),
    .executableTarget(
      name: "EmbedFiles", path: "Sources/Plugins/EmbedFiles", swiftSettings: strict),
    .executableTarget(
      name: "EmbedCommit", path: "Sources/Plugins/EmbedCommit", swiftSettings: strict),
    .target(
      name: "Viewer",
      dependencies: [
        "Engine", "Language", "Inquiry", "Lesson", "Recording", "Canvas", "Scenarios",
      ],
      swiftSettings: fast),
    .target(
      name: "Export",
      dependencies: [
        "Engine", "Language", "Inquiry", "Lesson", "Recording", "Canvas", "Viewer",
      ],
      swiftSettings: fast),
    .target(
      name: "CTerminal",
      cSettings: [.define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release))],
      linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
    .target(name: "Terminal", dependencies: ["Canvas", "CTerminal"], swiftSettings: strict),
    .executableTarget(
      name: "pagewalk",
      dependencies: [
        "Engine", "Language", "Observation", "KernelText", "MemoryImage", "Import",
        "RecorderScripts", "Inquiry", "Lesson", "Recording", "Export", "Canvas", "Scenarios",
        "Viewer",
        "Terminal",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict,
      linkerSettings: [
        // Addresses that the loader fills in take 11 KiB in this form, and 1.3 MB in the other. An id of the build
        // would depend on its folder. Nobody loads this program as a library, so its names need not be found in it:
        // they take 0.7 MB, and what is exported counts as called.
        .unsafeFlags(
          [
            "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "-z",
            "-Xlinker", "now", "-Xlinker", "--build-id=none", "-Xlinker", "--no-export-dynamic",
          ],
          .when(platforms: [.linux], configuration: .release))
      ] + leftOut,
      plugins: ["EmbedVersion"]),
    .target(name: "CBenchmarkPeers"),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "Engine", "Language", "Inquiry", "Lesson", "Recording", "Observation", "KernelText",
        "MemoryImage", "Import", "CBenchmarkPeers", "Pseudoterminal",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EngineTests", dependencies: ["Engine", "Language", "Inquiry", "TestSupport"],
      path: "Tests/Engine", exclude: ["Steps/catalogue.txt"], swiftSettings: strict),
    .testTarget(
      name: "LanguageTests", dependencies: ["Engine", "Language", "KernelText", "TestSupport"],
      path: "Tests/Language", swiftSettings: strict),
    .testTarget(
      name: "ObservationTests", dependencies: ["Engine", "Observation", "TestSupport"],
      path: "Tests/Observation", swiftSettings: strict),
    .testTarget(
      name: "MemoryImageTests",
      dependencies: ["Engine", "Observation", "MemoryImage", "TestSupport"],
      path: "Tests/MemoryImage", swiftSettings: strict),
    .testTarget(
      name: "ImportTests",
      dependencies: [
        "Engine", "Language", "Inquiry", "Observation", "KernelText", "Import", "TestSupport",
      ],
      path: "Tests/Import", swiftSettings: strict),
    .testTarget(
      name: "KernelTextTests",
      dependencies: ["Engine", "Language", "Observation", "KernelText", "TestSupport"],
      path: "Tests/KernelText", swiftSettings: strict),
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "Engine", "Language", "Observation", "KernelText", "MemoryImage", "Import", "Lesson",
        "Recording", "Viewer", "Canvas", "TestSupport",
      ],
      path: "Tests/Fuzz", exclude: ["corpus"], swiftSettings: fast),
    .testTarget(
      name: "InquiryTests",
      dependencies: ["Engine", "Language", "KernelText", "Inquiry", "Scenarios", "TestSupport"],
      path: "Tests/Inquiry", exclude: ["Charts"], swiftSettings: strict),
    .testTarget(
      name: "LessonTests",
      dependencies: ["Engine", "Language", "Inquiry", "Lesson", "TestSupport"],
      path: "Tests/Lesson", swiftSettings: strict),
    .testTarget(
      name: "RecordingTests",
      dependencies: ["Engine", "Language", "KernelText", "Recording", "Scenarios", "TestSupport"],
      path: "Tests/Recording", swiftSettings: strict),
    .testTarget(
      name: "CaptureTests",
      dependencies: ["Engine", "Language", "KernelText", "Inquiry", "TestSupport"],
      path: "Tests/Captures",
      swiftSettings: strict),
    .testTarget(
      name: "CanvasTests", dependencies: ["Canvas", "TestSupport"], path: "Tests/Canvas",
      exclude: ["Inks"], swiftSettings: strict),
    .testTarget(
      name: "ViewerTests",
      dependencies: [
        "Engine", "Language", "Inquiry", "KernelText", "Lesson", "Recording", "Canvas", "Scenarios",
        "Viewer", "TestSupport",
      ],
      path: "Tests/Viewer", exclude: ["Frames", "Looks"], swiftSettings: strict),
    .testTarget(
      name: "ExportTests", dependencies: ["Engine", "Lesson", "Export", "TestSupport"],
      path: "Tests/Export",
      swiftSettings: strict),
    .testTarget(
      name: "TerminalTests",
      dependencies: [
        "Canvas", "CTerminal", "Terminal", "CPseudoterminal", "Pseudoterminal", "TerminalProbe",
      ],
      path: "Tests/Terminal", swiftSettings: strict),
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "Engine", "Language", "Inquiry", "KernelText", "Lesson", "Recording", "Canvas", "Scenarios",
        "Viewer",
        "pagewalk",
        "Pseudoterminal", "TestSupport",
      ],
      path: "Tests/pagewalk", exclude: ["formats.txt", "trace.dat"], swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["Engine", "Language", "Canvas"],
      path: "Tests/Tools/Support", swiftSettings: strict),
    .target(name: "CPseudoterminal", path: "Tests/Tools/CPseudoterminal"),
    .target(
      name: "Pseudoterminal", dependencies: ["CPseudoterminal"], path: "Tests/Tools/Pseudoterminal",
      swiftSettings: strict),
    .executableTarget(
      name: "TerminalProbe", dependencies: ["Canvas", "Terminal"],
      path: "Tests/Tools/TerminalProbe", swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
