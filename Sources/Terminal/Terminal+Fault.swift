import CTerminal
import Canvas

extension Terminal {
  /// Sets the lines that a fault from now on reports for debugging the program.
  ///
  /// The signal handler restores the terminal, writes these lines and the name of the signal to the file
  /// of ``keepFaultNotes(in:below:)``, lets Swift's runtime print a backtrace if it can, and names the
  /// file in a last line. Without the file the lines go to standard error.
  public func setFaultNote(_ lines: [SafeText]) {
    ct_set_fault_note(lines.map { $0.string + "\n" }.joined())
  }

  /// Keeps the note of the last fault in a file.
  ///
  /// - Parameters:
  ///   - file: Its path.
  ///   - folder: The part of the path that must exist. Folders below it are created with the file.
  public func keepFaultNotes(in file: String, below folder: String) {
    ct_set_fault_file(file, folder.utf8.count + 1)
  }
}
