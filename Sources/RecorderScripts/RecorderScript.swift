/// A script for a machine with a real kernel, where pagewalk is not: it is a part of the program.
public enum RecorderScript: String, CaseIterable, Sendable {
  /// Records a VM with tracefs and debugfs: a POSIX shell script.
  case shell = "record.sh"
  /// Writes tables with all their words: a script for drgn.
  case drgn = "tables.py"

  /// Its text.
  public var bytes: [UInt8] {
    guard let file = embedded.first(where: { $0.name.description == rawValue }) else { return [] }
    return Array(
      UnsafeBufferPointer(start: file.text.utf8Start, count: file.text.utf8CodeUnitCount))
  }
}
