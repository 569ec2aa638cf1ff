import Canvas
import Engine

/// A trace as a value change dump (IEEE 1364), for GTKWave and Surfer: leaves of each table, each count, the
/// last event. The time is the event's number.
package struct WaveTrace: TraceFormat {
  private let tables: [String]
  private let counts: [String]
  private var values: [String: String] = [:]

  /// A dump with these tables: all must be known in advance.
  package init(tables: [String]) {
    self.tables = tables
    counts = Counter.allCases.map { "\($0)" }
  }

  package mutating func header(title: SafeText) -> [UInt8] {
    var lines = [
      "$comment pagewalk: \(Self.word(title.string)) $end",
      "$comment \(TraceEvent.timeIsOrder) $end", "$timescale 1 ns $end",
      "$scope module pagewalk $end",
      "$var string 1 \(Self.code(0)) event $end",
    ]
    for (index, name) in names.enumerated() {
      lines.append("$var wire 64 \(Self.code(index + 1)) \(name) $end")
    }
    lines += ["$upscope $end", "$enddefinitions $end"]
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  package mutating func bytes(of event: TraceEvent) -> [UInt8] {
    var lines = ["#\(event.number)", "s\(Self.word(event.statement)) \(Self.code(0))"]
    let leaves = Dictionary(uniqueKeysWithValues: event.leaves.map { ($0.table, $0.count) })
    let counted = Dictionary(uniqueKeysWithValues: event.counts.map { ($0.name, $0.value) })
    let now = tables.map { leaves[$0] ?? 0 } + counts.map { counted[$0] ?? 0 }
    for (index, (name, value)) in zip(names, now).enumerated() {
      let binary = String(value, radix: 2)
      if values.updateValue(binary, forKey: name) == binary { continue }
      lines.append("b\(binary) \(Self.code(index + 1))")
    }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  package mutating func footer() -> [UInt8] { [] }

  private var names: [String] { tables.map { "leaves_" + Self.name($0) } + counts }

  /// A name of letters, digits and `_`.
  private static func name(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  /// A text without blanks and in ASCII.
  private static func word(_ text: String) -> String {
    var word = ""
    for byte in SafeText(text).string.utf8 {
      if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\\"), byte != UInt8(ascii: "$") {
        word.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        word += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return word
  }

  /// The short name of a variable: printable characters, lowest first.
  private static func code(_ number: Int) -> String {
    var (number, code) = (number, "")
    repeat {
      code.unicodeScalars.append(Unicode.Scalar(UInt8(33 + number % 94)))
      number /= 94
    } while number > 0
    return code
  }
}
