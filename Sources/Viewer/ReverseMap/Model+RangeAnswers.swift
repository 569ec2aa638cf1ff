import Canvas
import Engine
import Inquiry
import Language

/// Answers about the selected range of the reverse map.
extension Model {
  /// The answer to a question that can be asked about a range of the reverse map; nil if none is selected.
  mutating func rangeAnswer(to topic: Topic) -> Document? {
    guard let range = selectedRange else { return nil }
    return switch topic {
    case .question(.provenance): origin(of: range)
    case .question(.entry): entryAnswer(for: range)
    default: nil
    }
  }

  private func title(of range: ReverseMapEntry) -> Line {
    Line("Range \(hex: range.canonical.lowerBound)+\(SafeText(Phrase.size(range.size)))", .title)
      .adding(" in the reverse map of shadow \(mappedShadow)")
  }

  /// Why the range is as it is: what inserted it, fused it with others, and removed what was there.
  private mutating func origin(of range: ReverseMapEntry) -> Document {
    var document = Document()
    document.add(title(of: range))
    document.add(
      range.nested.map { "now: known, nested IPA \(hex: $0)" }
        ?? "now: unknown, no nested IPA is kept")
    let history = RangeHistory(of: range.canonical, inShadow: mappedShadow, &session)
    for change in history.changes {
      let explanation = change.step.explanation
      document.addBlank()
      document.add(
        Line("\(SafeText(Moment(events: change.event, steps: change.index + 1).name)) ", .key)
          .adding(SafeText(explanation.label) + " ", .heading).adding(SafeText(explanation.what)),
        to: .moment(Moment(events: change.event, steps: change.index + 1)))
      if !explanation.why.isEmpty {
        document.add(Line("  ").adding(SafeText(explanation.why), .dim))
      }
      document.add(
        Line("in event ", .dim).adding("\(change.event + 1) ", .key)
          .adding(SafeText(session.text(ofEvent: change.event)), .heading),
        to: .moment(Moment(events: change.event + 1)))
    }
    if history.isCut { document.add("There may be earlier changes.", .dim) }
    return document
  }

  /// What the range is: its word in the map, bit by bit, where that stands, and what backs it.
  private func entryAnswer(for range: ReverseMapEntry) -> Document {
    var document = Document()
    document.add(title(of: range))
    for line in ReverseMapPane().nodeLines(of: range, self) { document.add(line) }
    document.addBlank()
    let canonical = range.canonical.lowerBound
    document.add(
      Line("canonical IPA \(hex: canonical)  ").adding("\(Glyph.right) ")
        .adding(
          machine.output(of: canonical, in: .canonical).map { "PA \(hex: $0)" } ?? "not mapped"),
      to: .place(.canonical, canonical))
    guard let nested = range.nested else {
      document.add("An unmap of any page of it unmaps all of the shadow.", .unknown)
      return document
    }
    let shadow = TableID.shadow(mappedShadow)
    document.add(
      Line("nested IPA \(hex: nested)  ").adding("\(Glyph.right) ")
        .adding(machine.output(of: nested, in: shadow).map { "PA \(hex: $0)" } ?? "not mapped"),
      to: .place(shadow, nested))
    if reverseMap.summary?.stale?.contains(range.canonical) ?? false {
      document.add("Stale: no leaf of the shadow leads to this memory any more.", .stale)
    }
    return document
  }
}
