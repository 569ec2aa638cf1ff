import Engine
import Observation

/// Writes an observed table in the form of Linux 7.3's dump, which `DumpReader` reads.
package enum DumpWriter {
  /// The text of a table, with its registers above if they are known.
  package static func text(of table: ObservedTable) -> String {
    var text = ""
    if let context = table.context {
      text +=
        "VTCR: 0x\(hex(context.vtcr, 16)) VTTBR: 0x\(hex(context.vttbr, 16)) "
        + "s2: \(context.stage2Enabled ? "enabled" : "disabled")\n"
    }
    text += "---[ Guest IPA ]---\n"
    for run in table.runs { text += DumpRow.text(run.range, Int(run.level), run.descriptor) + "\n" }
    return text
  }
}
