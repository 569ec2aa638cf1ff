import Foundation
import Pseudoterminal
import Scenarios
import Testing

/// The scenarios that are part of the program.
@Suite struct ScenariosTests {
  private static let folder = Program.package.appending(path: "assets/scenarios")

  @Test func `every scenario of the assets is in the program, byte for byte`() throws {
    let files = try FileManager.default.subpathsOfDirectory(atPath: Self.folder.path)
      .filter { $0.hasSuffix(".pw") }
    #expect(Set(ShippedScenario.all.map { $0.name + ".pw" }) == Set(files))
    for scenario in ShippedScenario.all {
      let file = try Data(contentsOf: Self.folder.appending(path: scenario.name + ".pw"))
      #expect(scenario.bytes == [UInt8](file), "\(scenario.name)")
    }
  }

  @Test func `they are listed, printed and carried out by name`() throws {
    let list = try Program.run(["scenarios"])
    #expect(list.code == 0)
    for scenario in ShippedScenario.all {
      #expect(list.text.contains("\n\(scenario.name)  ") || scenario.name == "built-in")
    }
    let printed = try Program.run(["scenarios", "rmp/iommu-first"])
    #expect(printed.output == ShippedScenario.named("rmp/iommu-first")?.bytes)
    #expect(try Program.run(["run", "rmp/iommu-first"]).code == 0)
    #expect(try Program.run(["scenarios", "rmp/none"]).code == 2)
  }

  @Test func `a name that is neither a file nor a scenario is answered with the nearest`() throws {
    for (name, near) in [("iommu-first", "rmp/iommu-first"), ("rmp/iomu-first", "rmp/iommu-first")]
    {
      let result = try Program.run(["run", name])
      #expect(result.code == 3)
      #expect(
        result.errors
          == "\(name): no such file, and no such scenario of the program. Did you mean \(near)?\n")
    }
  }

  @Test func `shells complete names, files, and folders on the way to them`() throws {
    func completions(_ word: String) throws -> Set<String> {
      let result = try Program.run(
        [
          "---completion", "run", "--", "positional@0", "2", "\(word.utf8.count)", "pagewalk",
          "run", word,
        ],
        environment: ["SAP_SHELL": "bash"])
      return Set(result.text.split(separator: "\n").map(String.init))
    }
    #expect(try completions("rmp/io") == ["rmp/iommu-first"])
    #expect(try completions("assets/sc") == ["assets/scenarios/"])
    #expect(try completions("assets/scenarios/bu").contains("assets/scenarios/built-in.pw"))
  }

  /// The folder in which something is kept, and the program on a terminal beside it.
  private func job(_ arguments: [String], _ folder: URL) throws -> Job {
    try Program.start(arguments, file: nil, environment: ["XDG_STATE_HOME": folder.path + "/state"])
  }

  @Test func `a copy of the binary has them, wherever it is`() throws {
    try Program.withFolder { folder in
      let copy = folder.appending(path: "pagewalk")
      try FileManager.default.copyItem(at: URL(filePath: Job.product("pagewalk")), to: copy)
      let job = try Job(
        program: copy.path, ["rmp/iommu-first"], environment: Program.environment, width: 120,
        height: 40)
      try job.press(".", expecting: "event 1/")
      job.send("q")
      #expect(try job.status() == .exited(0))
    }
  }

  @Test func `one can go on where one was, unless that is not wanted`() throws {
    try Program.withFolder { folder in
      let kept = folder.appending(path: "state/pagewalk/last")
      for arguments in [["rmp/iommu-first", "--no-remember"], ["rmp/iommu-first"]] {
        let job = try job(arguments, folder)
        try job.press("...", expecting: "event 3/")
        job.send("q")
        #expect(try job.status() == .exited(0))
        #expect(
          FileManager.default.fileExists(atPath: kept.path) == (arguments.count == 1))
      }
      #expect(
        try String(contentsOf: kept, encoding: .utf8) == "file = rmp/iommu-first\nmoment = 3\n")
      let job = try job([], folder)
      try job.output(containing: "Begin")
      try job.press(":detail plain\r", expecting: "event 0/")
      job.send("Q")
      #expect(try job.status() == .exited(0))
      #expect(
        try String(contentsOf: kept, encoding: .utf8)
          == "file = rmp/iommu-first\nmoment = 3\ndetail = plain\n")
      let shown = try Program.run(
        ["config", "show"], environment: ["XDG_STATE_HOME": folder.path + "/state"])
      #expect(shown.text.contains(#/detail = plain +last time\n/#))
    }
  }

  @Test func `where one was is one key away`() throws {
    try Program.withFolder { folder in
      let state = folder.appending(path: "state/pagewalk")
      try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
      try Data("file = rmp/iommu-first\nmoment = 3\n".utf8)
        .write(to: state.appending(path: "last"))
      let job = try job([], folder)
      try job.press("j", expecting: "Go on")
      try job.press("\r", expecting: "event 3/")
      job.send("q")
      #expect(try job.status() == .exited(0))
    }
  }
}
