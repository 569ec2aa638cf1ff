// swift-tools-version: 6.2

import PackageDescription

// In CI a warning is an error; elsewhere a newer compiler's new warning must not stop a build.
let strict: [SwiftSetting] =
  Context.environment["PAGEWALK_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

let package = Package(
  name: "pagewalk",
  products: [
    .executable(name: "pagewalk", targets: ["pagewalk"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "Engine", swiftSettings: strict),
    .target(name: "Scenario", dependencies: ["Engine"], swiftSettings: strict),
    .target(name: "Canvas", swiftSettings: strict),
    .target(name: "Viewer", dependencies: ["Engine", "Scenario", "Canvas"], swiftSettings: strict),
    .target(
      name: "CTerminal",
      linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
    .target(name: "Terminal", dependencies: ["Canvas", "CTerminal"], swiftSettings: strict),
    .executableTarget(
      name: "pagewalk",
      dependencies: [
        "Engine", "Scenario", "Canvas", "Viewer", "Terminal",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      resources: [.embedInCode("../../assets/scenarios/built-in.pw")],
      swiftSettings: strict),
    .target(name: "CBenchmarkPeers"),
    .executableTarget(
      name: "Benchmarks",
      dependencies: ["Engine", "Scenario", "CBenchmarkPeers", "Pseudoterminal"],
      swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["Engine", "Canvas"], path: "Tests/Support",
      swiftSettings: strict),
    .testTarget(
      name: "EngineTests", dependencies: ["Engine", "TestSupport"], path: "Tests/Engine",
      swiftSettings: strict),
    .testTarget(
      name: "ScenarioTests", dependencies: ["Engine", "Scenario", "TestSupport"],
      path: "Tests/Scenario", exclude: ["Charts"],
      swiftSettings: strict),
    .testTarget(
      name: "CaptureTests", dependencies: ["Engine", "Scenario", "TestSupport"],
      path: "Tests/Captures",
      swiftSettings: strict),
    .testTarget(
      name: "CanvasTests", dependencies: ["Canvas", "TestSupport"], path: "Tests/Canvas",
      exclude: ["Inks"], swiftSettings: strict),
    .testTarget(
      name: "ViewerTests",
      dependencies: ["Engine", "Scenario", "Canvas", "Viewer", "TestSupport"],
      path: "Tests/Viewer", exclude: ["Frames", "Looks"], swiftSettings: strict),
    .testTarget(
      name: "TerminalTests",
      dependencies: [
        "Canvas", "CTerminal", "Terminal", "CPseudoterminal", "Pseudoterminal", "TerminalProbe",
      ],
      path: "Tests/Terminal", swiftSettings: strict),
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "Engine", "Scenario", "Canvas", "Viewer", "pagewalk", "Pseudoterminal", "TestSupport",
      ],
      path: "Tests/pagewalk", swiftSettings: strict),
    .target(name: "CPseudoterminal", path: "Tests/CPseudoterminal"),
    .target(
      name: "Pseudoterminal", dependencies: ["CPseudoterminal"], path: "Tests/Pseudoterminal",
      swiftSettings: strict),
    .executableTarget(
      name: "TerminalProbe", dependencies: ["Canvas", "Terminal"], path: "Tests/TerminalProbe",
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
