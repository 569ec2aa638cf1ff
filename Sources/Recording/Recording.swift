import Language

/// A recording as in its file: the lines besides the scenario, and whether it is intact.
public struct Recording: Sendable {
  /// Whether a file is as written.
  public struct Condition: Equatable, Sendable {
    /// Lines that are not as written: changed, added, moved, or next to missing ones; from 1, ascending.
    public fileprivate(set) var edits: [ClosedRange<Int>] = []
    /// Bytes of an incomplete last line, which are ignored.
    public fileprivate(set) var torn: Range<Int>?
    /// Whether the end mark was written.
    public fileprivate(set) var hasEnd = false
    /// Number of lines of the file.
    public fileprivate(set) var lines = 0

    /// Whether it is exactly and completely what was written.
    public var isWhole: Bool { edits.isEmpty && torn == nil && hasEnd }
  }

  /// The versions of its writer; nil if that line is damaged.
  public private(set) var version: RecordingVersion?
  /// The condition of the file.
  public private(set) var condition = Condition()
  /// Lines that are not statements, with their numbers from 1, in order.
  package private(set) var lines: [(number: Int, line: RecordingLine)] = []
  /// The stamps of statements of the first history, with their lines.
  package internal(set) var stamps: [(number: Int, stamp: Stamp)] = []
  /// Number of valid bytes of the file: all but a torn line.
  package private(set) var bytesUsed = 0

  /// Maximum length of a line, in bytes.
  static let lineAtMost = 1 << 20

  /// Whether a file is a recording: one of its lines begins as in no other scenario. This is asked about
  /// every opened file.
  public static func isRecording(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { bytes in
      // The first such line is above the first statement.
      var place = 0
      while place < min(bytes.count, headAtMost) {
        let line = UnsafeBufferPointer(rebasing: bytes[place...])
        if line.starts(with: RecordingLine.mark) { return true }
        place += (line.firstIndex(of: UInt8(ascii: "\n")) ?? line.count) + 1
      }
      return false
    }
  }

  /// Number of bytes within which the recording's first own line must be.
  private static let headAtMost = 1 << 20

  /// Reads a recording. O(n) in its bytes.
  ///
  /// - Throws: if a later version of the program is needed.
  public init(_ bytes: [UInt8], file: String) throws(ScenarioError) {
    var reader = Reader()
    bytes.withUnsafeBufferPointer { reader.read($0, into: &self) }
    if let version, version.major > RecordingVersion.current.major {
      throw ScenarioError(
        file: file, line: lines.first?.number ?? 1, column: 1,
        message:
          "the recording has format \(version.major).\(version.minor), and this program reads "
          + "\(RecordingVersion.current.major).x: open it with pagewalk \(version.program) or later"
      )
    }
    for case (let number, .unknown(let text)) in lines where Self.isNeeded(text) {
      throw ScenarioError(
        file: file, line: number, column: 3,
        message:
          "this keyword must be understood, and this program does not know it: open the file with "
          + "pagewalk \(version?.program ?? "of a later version") or later")
    }
  }

  /// Whether it has inputs on a screen.
  public var hasInputs: Bool {
    lines.contains { if case .input = $0.line { true } else { false } }
  }

  /// Number of statements of the first history with stamps.
  public var stampCount: Int { stamps.count }

  /// End, in bytes, of the line after which inputs on a screen follow; nil if there are none. The part
  /// before it is a recording by itself.
  public func begin(in bytes: [UInt8]) -> Int? {
    guard let number = lines.first(where: { $0.line.isBegin })?.number else { return nil }
    return start(ofLine: number, in: bytes)
  }

  /// Offset of the start of a line. O(n) in the bytes before it.
  func start(ofLine number: Int, in bytes: [UInt8]) -> Int {
    var place = 0
    for _ in 1..<max(1, number) {
      guard let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) else { break }
      place = end + 1
    }
    return place
  }

  /// Whether an unknown line must not be ignored.
  private static func isNeeded(_ text: String) -> Bool {
    text.prefix { $0 != " " }.hasSuffix("!")
  }

  fileprivate mutating func noteEdit(_ lines: ClosedRange<Int>) {
    if let last = condition.edits.last, last.upperBound + 1 >= lines.lowerBound {
      condition.edits[condition.edits.count - 1] =
        min(last.lowerBound, lines.lowerBound)...max(last.upperBound, lines.upperBound)
    } else {
      condition.edits.append(lines)
    }
  }

  /// Reads lines and compares checksums.
  private struct Reader {
    private var number = 0
    /// The first line, and the first byte, that the next checksum covers.
    private var firstLine = 1
    private var firstByte = 0
    private var lastSum: UInt32?

    mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, into recording: inout Recording) {
      var place = 0
      while place < bytes.count {
        number += 1
        guard let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) else {
          recording.condition.torn = place..<bytes.count
          break
        }
        if recording.condition.hasEnd { recording.noteEdit(number...number) }
        read(place..<end, of: bytes, into: &recording)
        place = end + 1
        recording.bytesUsed = place
      }
      recording.condition.lines = number
      if recording.version == nil { recording.noteEdit(1...max(1, min(number, firstLine))) }
    }

    private mutating func read(
      _ range: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>, into recording: inout Recording
    ) {
      let line = UnsafeBufferPointer(rebasing: bytes[range])
      if line.starts(with: RecordingLine.mark) {
        readOwn(line, range, of: bytes, into: &recording)
      } else if let (_, stamp) = Stamp.find(in: line) {
        recording.stamps.append((number, stamp))
        checkSum(at: range.upperBound - 8, of: bytes, into: &recording)
      } else if lastSum != nil, isStatement(line) {
        recording.noteEdit(number...number)
      }
    }

    private mutating func readOwn(
      _ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
      of bytes: UnsafeBufferPointer<UInt8>, into recording: inout Recording
    ) {
      let isFirst = recording.lines.isEmpty && recording.version == nil
      let sum = line.count - 9
      let hasSum =
        sum > 2 && line[sum] == UInt8(ascii: " ") && Stamp.number(line, at: sum + 1) != nil
      let end = isFirst ? line.count : sum
      guard isFirst || hasSum, line.count <= Recording.lineAtMost,
        let text = String(validating: line[2..<max(2, end)], as: UTF8.self),
        let own = RecordingLine(text.last == " " ? text.dropLast() : text[...])
      else {
        if hasSum { checkSum(at: range.upperBound - 8, of: bytes, into: &recording) }
        return recording.noteEdit(number...number)
      }
      recording.lines.append((number, own))
      if case .version(let version) = own, isFirst {
        recording.version = version
        return
      }
      guard hasSum else { return recording.noteEdit(number...number) }
      checkSum(at: range.upperBound - 8, of: bytes, into: &recording)
      if case .end = own { recording.condition.hasEnd = true }
    }

    /// Compares the checksum at a place with what it covers, and continues from the stored value, so that
    /// one edit causes no further mismatch.
    private mutating func checkSum(
      at place: Int, of bytes: UnsafeBufferPointer<UInt8>, into recording: inout Recording
    ) {
      var sum = CRC32C()
      if let lastSum { sum.add(lastSum) }
      sum.add(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[firstByte..<place]))
      let found = Stamp.number(UnsafeBufferPointer(rebasing: bytes[place..<place + 8]), at: 0)
      if found != sum.value { recording.noteEdit(firstLine...number) }
      lastSum = found
      firstByte = place + 8
      firstLine = number + 1
    }

    private func isStatement(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
      let word = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      guard let first = word.first, first != UInt8(ascii: "#"), first != UInt8(ascii: "\r") else {
        return false
      }
      return !["title", "vm", "policy"].contains { word.starts(with: $0.utf8) }
    }
  }
}
