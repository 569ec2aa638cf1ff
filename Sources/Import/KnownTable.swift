import Engine
import KernelText
import Language
import MemoryImage
import Observation

/// A table whose words are all known, as statements.
package enum KnownTable {
  /// L1's own stage 2, from its memory: the words of its table become `l1 store`, its registers
  /// `l1 context`, and the model builds the shadow by itself when L2 runs.
  ///
  /// - Parameters:
  ///   - segments: L1's memory, as in the image.
  ///   - file: the image's name in messages.
  /// - Throws: that no VM has such a head.
  package static func guestScenario(
    _ walk: ImageWalk, segments: [MemoryImage.Segment], file: String, title: String,
    writesText: Bool = false
  ) throws(ScenarioError) -> ScenarioMaker {
    let ranges = slots(segments)
    let end = ranges.map(\.upperBound).max() ?? 1 << 32
    let bits = max(40, 64 - (end - 1).leadingZeroBitCount)
    var made = try ScenarioMaker(
      head: [
        "pagewalk 1", "title \(StatementText.quoted(title))", "vm ipa=\(min(48, bits)) nested=on",
      ], file: "imported", writesText: writesText)
    let origin = made.origin(file)
    made.comment()
    made.comment("What lies behind L1's memory is not in the image: pages of 4K are taken.")
    for (id, range) in ranges.enumerated() {
      made.addPlain(.event(.addMemslot(id: UInt64(id), range, .pages)), origin)
    }
    for page in walk.pages {
      made.comment("level \(page.level), at \(Phrase.address(page.place))")
      for (index, word) in page.words.enumerated() where word != 0 {
        let event = Event.access(
          .l1, vcpu: 0, .write, page.place + UInt64(index) * 8, value: word)
        made.addPlain(.event(event), origin)
      }
    }
    if let context = walk.table.context {
      let event = Event.context(vcpu: 0, vttbr: context.vttbr, vtcr: context.vtcr, hcr: 1)
      made.addPlain(.event(event), origin)
    }
    made.addPlain(.chapter(label: "table", text: "L1's table is as in the image"), origin)
    return made
  }

  /// Memory slots for segments: whole pages below 2^48.
  private static func slots(_ segments: [MemoryImage.Segment]) -> [Range<UInt64>] {
    segments.compactMap { segment in
      let start = (segment.range.lowerBound + 4095) & ~4095
      let end = min(segment.range.upperBound & ~4095, 1 << 48)
      return start < end ? start..<end : nil
    }
  }
}
