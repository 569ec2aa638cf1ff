import Engine
import Inquiry
import Language

/// Something that the engine finds true or false: an expectation of the event language, or the value of a
/// measure.
package indirect enum Truth: Sendable {
  /// A statement `expect`.
  case expect(Expectation, SourceLine)
  /// A measure has this value.
  case count(Measure, UInt64, SourceLine)
  case not(Truth, SourceLine)

  /// Its place in the file.
  package var source: SourceLine {
    switch self {
    case .expect(_, let source), .count(_, _, let source), .not(_, let source): source
    }
  }

  /// Reads `expect ...`, `count MEASURE N` or `not` before either.
  init(_ source: SourceLine, file: String) throws(ScenarioError) {
    let text = source.text
    if text.hasPrefix("not ") {
      self = .not(try Truth(source.dropping(4), file: file), source)
    } else if text.hasPrefix("count ") {
      let words = text.split(separator: " ").dropFirst()
      guard words.count >= 2, let last = words.last, let value = Number.value(of: last) else {
        throw source.error("expected count MEASURE NUMBER", in: file)
      }
      let measure = try Measure(
        SourceLine(
          words.dropLast().joined(separator: " "), line: source.line, column: source.column + 6),
        file: file)
      self = .count(measure, value, source)
    } else if text.hasPrefix("expect "), let expectation = try Self.expectation(source, file) {
      self = .expect(expectation, source)
    } else {
      throw source.error(
        "expected 'expect ...', 'count MEASURE NUMBER', or 'not' before it", in: file)
    }
  }

  private static func expectation(
    _ source: SourceLine, _ file: String
  ) throws(ScenarioError) -> Expectation? {
    do throws(ScenarioError) {
      return try Expectation(parsing: source.text)
    } catch {
      throw source.error(error, in: file)
    }
  }

  /// The actual state; nil if it holds.
  ///
  /// - Throws: the mistake in its text.
  func failure(on stage: Stage, file: String) throws(ScenarioError) -> String? {
    switch self {
    case .expect(let expectation, _):
      switch stage.session.verdict(on: expectation) {
      case .holds: return nil
      case .fails(let message): return message
      case .notAsked: return "this is not asked under this reverse map"
      }
    case .count(let measure, let value, _):
      let found = try measure.value(on: stage, file: file)
      return found == value ? nil : "it is \(measure.form.unit.text(found))"
    case .not(let truth, _):
      return try truth.failure(on: stage, file: file) == nil ? "it is so" : nil
    }
  }
}

extension [Truth] {
  /// Whether all of them hold.
  ///
  /// - Throws: the mistake in a text.
  func hold(on stage: Stage, file: String) throws(ScenarioError) -> Bool {
    for truth in self where try truth.failure(on: stage, file: file) != nil { return false }
    return true
  }
}
