import Engine

/// The data at the end of a statement's line, besides the checksum.
package struct Stamp: Equatable, Sendable {
  /// Milliseconds since the previous input; 0 if it was not done on a screen.
  package var milliseconds: Int
  /// The state after it, see `Timeline.stateCheck`; 0 before the first event.
  package var state: UInt32

  /// Both, as in the file.
  var text: String { "\(milliseconds) \(hex(UInt64(state), 8))" }

  /// Maximum milliseconds between two lines: a longer time counts as this, and the times of all lines of a file
  /// can be added.
  package static let millisecondsAtMost = Int(Int32.max)

  /// Start of the stamp of a line, including the blank before it, and the stamp; nil if the line has
  /// none. The checksum, of eight digits, follows it.
  ///
  /// - Complexity: O(1): the line is read from its end.
  static func find(in line: UnsafeBufferPointer<UInt8>) -> (place: Int, stamp: Stamp)? {
    // " #@MS SSSSSSSS CCCCCCCC"
    let sum = line.count - 8
    guard sum > 12, line[sum - 1] == UInt8(ascii: " "), number(line, at: sum) != nil,
      line[sum - 10] == UInt8(ascii: " "), let state = number(line, at: sum - 9)
    else { return nil }
    var place = sum - 11
    var milliseconds = 0
    var scale = 1
    while place > 2, case let digit = Int(line[place]) - 0x30, (0...9).contains(digit) {
      guard scale <= 1_000_000_000 else { return nil }
      milliseconds += digit * scale
      scale *= 10
      place -= 1
    }
    guard scale > 1, line[place] == UInt8(ascii: "@"), line[place - 1] == UInt8(ascii: "#"),
      line[place - 2] == UInt8(ascii: " ")
    else { return nil }
    return (
      place - 2, Stamp(milliseconds: min(milliseconds, millisecondsAtMost), state: state)
    )
  }

  /// A line without its stamp and its checksum, if it has them.
  static func stripped(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.withUnsafeBufferPointer { bytes in
      find(in: bytes).map { line.prefix($0.place) } ?? line
    }
  }

  /// The number in eight lower-case hexadecimal digits; nil for any other text.
  static func number(_ line: UnsafeBufferPointer<UInt8>, at place: Int) -> UInt32? {
    var value: UInt32 = 0
    for byte in line[place..<place + 8] {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - 0x57)
      default: return nil
      }
    }
    return value
  }
}
