import Foundation
import TestSupport
import Testing

/// Readers of what comes from outside, and inputs that nobody wrote: each case is a file of `corpus` that was
/// changed, by a seed that is its number.
///
/// `PAGEWALK_FUZZ=COUNT` says how many cases each reader sees, from case `PAGEWALK_FUZZ_FROM` on. The number of
/// the case at hand is in `pagewalk-fuzz-READER` of the folder for temporary files, for as long as it runs: a
/// trap or an endless loop leaves it there.
@Suite struct FuzzTests {
  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  private static let first = number("PAGEWALK_FUZZ_FROM") ?? 0
  private static let count = number("PAGEWALK_FUZZ") ?? 600

  /// Much more than any of them takes on a busy machine.
  private static let secondsAtMost = 20.0

  @Test(arguments: FuzzedReader.all)
  func `a reader ends, stays in its bounds, and says where its input is wrong`(
    reader: FuzzedReader
  ) throws {
    let note = FileManager.default.temporaryDirectory.appending(path: "pagewalk-fuzz-\(reader)")
    defer { try? FileManager.default.removeItem(at: note) }
    try Data().write(to: note)
    let file = try FileHandle(forWritingTo: note)
    let clock = ContinuousClock()
    var taken = 0
    let count = max(1, Self.count / reader.cost)
    for number in Self.first..<Self.first + count {
      try file.seek(toOffset: 0)
      try file.write(contentsOf: Data("\(number)\n".utf8))
      var random = Generator(seed: UInt64(number))
      let input = reader.corpus.input(&random)
      var findings = Findings()
      let start = clock.now
      if reader.check(input, &random, &findings) { taken += 1 }
      let seconds = (clock.now - start) / .seconds(1)
      findings.expect(seconds < Self.secondsAtMost, "it took \(seconds) s")
      #expect(
        findings.found.isEmpty,
        "\(reader), PAGEWALK_FUZZ_FROM=\(number) PAGEWALK_FUZZ=1:\n\(input.prefix(4096).excerpt)")
      if !findings.found.isEmpty { return }
    }
    // A reader that refuses nearly all, or nearly nothing, is not looked at by such inputs.
    if count >= 100 {
      #expect(taken > count / 20, "\(taken) of \(count) inputs were read")
      #expect(taken < count || !reader.canRefuse, "none was refused")
    }
  }

  /// Bytes that change by chance hardly ever make a number large. Each kind of line is changed once.
  @Test(arguments: ["2147483647", "9223372036854775807"])
  func `any number of a saved session may be any other`(number: String) throws {
    let reader = try #require(FuzzedReader.all.first { $0.description == "saved-session" })
    var kinds: Set<Substring> = []
    for file in reader.corpus.files {
      let lines = String(decoding: file, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() where line.hasPrefix("#@") {
        let kind = line.prefix { !$0.isNumber }
        guard kinds.insert(kind).inserted else { continue }
        // The last word is the checksum.
        let end = line.lastIndex(of: " ") ?? line.endIndex
        for place in line[..<end].matches(of: /0x[0-9a-f]+|[0-9]+/) {
          var changed = lines
          changed[index] = line.replacingCharacters(in: place.range, with: number)[...]
          var random = Generator(seed: 1)
          var findings = Findings()
          _ = reader.check(Array(changed.joined(separator: "\n").utf8), &random, &findings)
          #expect(findings.found.isEmpty, "line \(index + 1): \(line)")
        }
      }
    }
  }

  @Test(arguments: FuzzedReader.all)
  func `every file of the corpus is read without a complaint`(reader: FuzzedReader) {
    for file in reader.corpus.files {
      var random = Generator(seed: 1)
      var findings = Findings()
      #expect(reader.check(file, &random, &findings), "\(file.prefix(200).excerpt)")
      #expect(findings.found.isEmpty)
    }
  }
}

extension Collection<UInt8> {
  /// As text, with what is no ASCII spelled out.
  fileprivate var excerpt: String {
    map {
      $0 == 0x0a || 0x20..<0x7f ~= $0 ? String(UnicodeScalar($0)) : "\\x" + String($0, radix: 16)
    }
    .joined()
  }
}

/// What a reader did that it must not do.
struct Findings {
  private(set) var found: [String] = []

  mutating func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { found.append(what()) }
  }
}
