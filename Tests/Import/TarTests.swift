import Foundation
import TestSupport
import Testing

@testable import Import

/// Archives that the system's own tar makes.
@Suite struct TarTests {
  private func archive(_ arguments: [String], in folder: URL) throws -> [UInt8]? {
    guard FileManager.default.isExecutableFile(atPath: "/bin/tar") else { return nil }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/tar")
    process.arguments = arguments + ["-cf", "-", "-C", folder.path, "."]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return [UInt8](data)
  }

  @Test(arguments: [["--format=ustar"], ["--format=gnu"], ["--format=pax"]])
  func `files of every format have their names and bytes`(arguments: [String]) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "pagewalk-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var files = ["0000/ipa_range": "40\n", "0000/nested/nested_mmu0": "", "0000/step.txt": "a b"]
    // Names beyond the 100 bytes of a header.
    let deep = String(repeating: "long-folder/", count: 10)
    files[deep + "trace.txt"] = String(repeating: "x", count: 1500)
    for (path, text) in files {
      let file = folder.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    guard let bytes = try archive(arguments, in: folder) else { return }
    #expect(Tar.accepts(bytes))
    var cut: Tar.Damage?
    let found = try Tar.files(in: bytes, cut: &cut)
    #expect(cut == nil)
    #expect(
      Dictionary(
        uniqueKeysWithValues: found.map { ($0.path, String(decoding: $0.bytes, as: UTF8.self)) })
        == files)
    var random = Generator(seed: 3)
    for _ in 0..<500 {
      var changed = bytes
      for _ in 0..<random.below(4) { changed[random.below(2048)] = UInt8(random.below(256)) }
      if random.below(2) == 0 { changed.removeLast(random.below(changed.count)) }
      _ = try? Tar.files(in: changed, cut: &cut)
    }
    // Wherever it ends, the files before are those of the whole.
    for end in stride(from: 512, to: bytes.count, by: 512) {
      cut = nil
      guard let part = try? Tar.files(in: Array(bytes[..<end]), cut: &cut) else { continue }
      #expect(
        zip(part, found).allSatisfy { $0.path == $1.path && $0.bytes == $1.bytes }, "\(end)")
      let isWhole = part.count == found.count
      #expect(cut.map { $0.offset <= end } ?? isWhole, "\(end)")
    }
  }
}
