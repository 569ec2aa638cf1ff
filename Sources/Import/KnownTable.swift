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
  /// - Parameter segments: L1's memory, as in the image.
  package static func guestScenario(
    _ walk: ImageWalk, segments: [MemoryImage.Segment], title: String
  ) -> String {
    let ranges = slots(segments)
    let end = ranges.map(\.upperBound).max() ?? 1 << 32
    let bits = max(40, 64 - (end - 1).leadingZeroBitCount)
    var text =
      "pagewalk 1\ntitle \(StatementText.quoted(title))\nvm ipa=\(min(48, bits)) nested=on\n\n"
    text += "# What lies behind L1's memory is not in the image: pages of 4K are taken.\n"
    for (id, range) in ranges.enumerated() {
      text += Event.addMemslot(id: UInt64(id), range, .pages).statement + "\n"
    }
    for page in walk.pages {
      text += "# level \(page.level), at 0x\(hex(page.place))\n"
      for (index, word) in page.words.enumerated() where word != 0 {
        let event = Event.access(
          .l1, vcpu: 0, .write, page.place + UInt64(index) * 8, value: word)
        text += event.statement + "\n"
      }
    }
    if let context = walk.table.context {
      let event = Event.context(vcpu: 0, vttbr: context.vttbr, vtcr: context.vtcr, hcr: 1)
      text += event.statement + "\n"
    }
    return text + "chapter table \"L1's table is as in the image\"\n"
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
