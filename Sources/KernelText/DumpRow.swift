import Engine

/// A row of Linux 7.3's stage-2 dump: a run of entries of one level with the same attributes.
enum DumpRow {
  static func text(_ range: Range<UInt64>, _ level: Int, _ entry: Descriptor) -> String {
    let units = ["K", "M", "G", "T", "P", "E"]
    var size = (range.upperBound - range.lowerBound) >> 10
    var unit = 0
    while size & 1023 == 0, unit + 1 < units.count {
      size >>= 10
      unit += 1
    }
    let number = String(size)
    let padding = String(repeating: " ", count: max(0, 9 - number.count))
    let text =
      "0x\(hex(range.lowerBound, 16))-0x\(hex(range.upperBound, 16))   \(padding)\(number)\(units[unit]) \(level)"
    return entry.bits == 0 ? text : text + attributes(entry)
  }

  private static func attributes(_ entry: Descriptor) -> String {
    let names = ["px ux ", "PXNux ", "PXNUXN", "px UXN"]
    return " "
      + [
        entry.isValid ? " " : "F",
        entry.permissions.read ? "R" : " ",
        entry.permissions.write ? "W" : " ",
        names[Int(entry.executeNever)],
        entry.bits & Descriptor.accessed != 0 ? "AF" : "  ",
        entry.bits & 3 == 1 ? "BLK" : "   ",
      ].joined(separator: " ")
  }
}
