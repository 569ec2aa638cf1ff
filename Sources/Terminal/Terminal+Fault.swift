import CTerminal
import Canvas

extension Terminal {
  /// Says what whoever repairs the program has to know if a fault ends it from now on.
  ///
  /// The handler of the signal gives the terminal back, writes these lines and the name of the signal to the
  /// file of ``keepFaultNotes(in:below:)``, lets Swift's runtime print a backtrace where it has one, and says
  /// in a last line where the file is. Without the file the lines go to the standard error.
  public func setFaultNote(_ lines: [SafeText]) {
    ct_set_fault_note(lines.map { $0.string + "\n" }.joined())
  }

  /// Keeps the note of the last fault in a file.
  ///
  /// - Parameters:
  ///   - file: Its path.
  ///   - folder: The part of the path that must be there. Folders below it are made with the file.
  public func keepFaultNotes(in file: String, below folder: String) {
    ct_set_fault_file(file, folder.utf8.count + 1)
  }
}
