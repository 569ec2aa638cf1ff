import Foundation
import Pseudoterminal

/// The program that was built with this one, on a pseudoterminal of 200x50, beside pagers: processor time and bytes
/// of a line that scrolls, the time until the first frame, the cost of waiting, and the memory held.
func benchmarkScreen(rounds: Int) {
  let program = Job.product("pagewalk")
  guard FileManager.default.isExecutableFile(atPath: program) else {
    return noteWrong(
      "build it first: swift build -c release --static-swift-stdlib --product pagewalk")
  }
  let folder = FileManager.default.temporaryDirectory.appending(path: "pagewalk-\(UUID())")
  defer { try? FileManager.default.removeItem(at: folder) }
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try measure(program, folder, rounds: rounds)
  } catch {
    // What the terminal had received until then fills many screens.
    noteWrong("the screen could not be measured: \(type(of: error))")
  }
}

private let widths = [46, 12, 12, 12, 12]

private func measure(_ program: String, _ folder: URL, rounds: Int) throws {
  row(["screen of 200x50", "ms first", "us a line", "bytes", "MiB"], widths: widths)
  var memory: [Int: Double] = [:]
  for pages in [400, 100_000, 1_000_000] {
    let file = folder.appending(path: "\(pages).pw")
    try scenario(pages: pages).write(to: file, atomically: true, encoding: .utf8)
    let devices = folder.appending(path: "\(pages)-device.pw")
    try deviceScenario(pages: pages).write(to: devices, atomically: true, encoding: .utf8)
    for (layout, file, keys) in [
      ("all panes", file, "1"), ("a pane alone", file, "1z"), ("a device's table", devices, "2"),
    ] {
      let start = try firstFrame(program, [file.path], "nothing has happened", rounds: rounds)
      let page = Program(program, ["--at", "end", file.path], keys: keys + "g\u{6}\u{6}")
      let line = try page.line(rounds: 200)
      if file != devices { memory[pages] = line.memory }
      row(
        [
          "\(pages) pages, \(layout)", figure(start), figure(line.time / 1000), figure(line.bytes),
          figure(line.memory),
        ], widths: widths)
    }
  }
  if let few = memory[400], let many = memory[1_000_000] {
    row(["bytes an event", figure((many - few) * 1_048_576 / 999_600)], widths: widths)
  }
  try idle(program)
  try peers(folder, rounds: rounds)
}

/// As many pages in the table of a device, and some in the CPUs'. For each line that scrolls, the pane looks for where
/// else its page is mapped.
private func deviceScenario(pages: Int) -> String {
  var text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\nmemslot 0 0x80000000 16G backing=4K\n"
  for page in 0..<200 { text += "l1 write 0x\(String(0x8000_0000 + page * 8192, radix: 16))\n" }
  text += "iommu attach\n"
  for page in 0..<pages {
    let (input, output) = (0x1_0000_0000 + page * 8192, 0x20_0000_0000 + page * 8192)
    text += "iommu map 0x\(String(input, radix: 16)) 4K 0x\(String(output, radix: 16)) rw\n"
  }
  return text
}

/// Every other page, so that the pane folds no rows.
private func scenario(pages: Int) -> String {
  var text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 0x80000000 16G backing=4K\n"
  for page in 0..<pages {
    text += "l1 write 0x\(String(0x8000_0000 + page * 8192, radix: 16))\n"
  }
  return text
}

/// Milliseconds on a processor from the start of a program until the terminal has received a text, the
/// median.
private func firstFrame(
  _ program: String, _ arguments: [String], _ text: String, rounds: Int
) throws -> Double {
  var time = Measurement(name: "first frame")
  for _ in 0..<rounds {
    let job = try Program(program, arguments).start()
    try job.output(containing: text)
    time.rounds.append(Double(job.processorTime) / 1_000_000)
  }
  return time.median
}

/// The processor time of waiting for a key.
private func idle(_ program: String) throws {
  let job = try Program(program, [], keys: ".").start()
  try job.settle()
  let time = job.processorTime
  usleep(2_000_000)
  let waited = Double(job.processorTime - time)
  row(["waiting for 2 s: ns of processor time", figure(waited)], widths: widths)
}

/// The pagers that are installed, on lines of the same length.
private func peers(_ folder: URL, rounds: Int) throws {
  let text = folder.appending(path: "lines")
  let lines = (0..<100_000).map { number in
    let address = String(number, radix: 16)
    return
      "    L3 0x\(String(repeating: "0", count: 9 - address.count))\(address) -> 0x815000000 RWX 4K"
  }
  try lines.joined(separator: "\n").write(to: text, atomically: true, encoding: .utf8)
  for name in ["less", "tig"] {
    guard let path = installed(name) else {
      row([name, "not installed"], widths: widths)
      continue
    }
    // Both read the lines from their standard input, and keys from the terminal.
    let arguments = ["-c", "exec \"$0\" < \"$1\"", path, text.path]
    let shown = "L3 0x000000010"
    let start = try firstFrame("/bin/sh", arguments, shown, rounds: rounds)
    let line = try Program("/bin/sh", arguments, keys: "  ", shown: shown).line(rounds: 200)
    row(
      [name, figure(start), figure(line.time / 1000), figure(line.bytes), figure(line.memory)],
      widths: widths)
  }
}

/// The path of a program that is found by its name.
private func installed(_ name: String) -> String? {
  let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
  return folders.map { "\($0)/\(name)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }
}

/// A program on a terminal, with the keys that bring it to where its lines scroll.
private struct Program {
  let path: String
  let arguments: [String]
  var keys = ""
  var shown = "event"

  init(_ path: String, _ arguments: [String], keys: String = "", shown: String = "event") {
    self.path = path
    self.arguments = arguments
    self.keys = keys
    self.shown = shown
  }

  func start() throws -> Job {
    let job = try Job(
      program: path, arguments,
      environment: ["HOME": "/nonexistent", "XDG_CONFIG_DIRS": "/nonexistent"], width: 200,
      height: 50)
    if !keys.isEmpty {
      try job.output(containing: shown)
      for key in keys {
        let count = job.output.count
        job.send(String(key))
        try job.output(ofAtLeast: count + 1)
        try job.sleep()
      }
    }
    return job
  }

  /// The mean cost of a line that scrolls, in nanoseconds of processor time and in bytes, and the memory held then,
  /// in MiB.
  func line(rounds: Int) throws -> (time: Double, bytes: Double, memory: Double) {
    let job = try start()
    // Go to the last row of the pane, so that every further row scrolls.
    for _ in 0..<50 { try press("j", job) }
    let (time, bytes) = (job.processorTime, job.output.count)
    for _ in 0..<rounds { try press("j", job) }
    return (
      Double(job.processorTime - time) / Double(rounds),
      Double(job.output.count - bytes) / Double(rounds),
      Double(job.residentPages * Int(getpagesize())) / 1_048_576
    )
  }

  private func press(_ key: String, _ job: Job) throws {
    let count = job.output.count
    job.send(key)
    try job.output(ofAtLeast: count + 1)
    try job.sleep()
  }
}
