import FoundationEssentials
import Glibc
import Inquiry
import Viewer

/// The file for what is kept when the screen closes. Failures to read or write it have no other effect.
enum LastTimeFile {
  private static let name = "last"
  private static let bytesAtMost = 16_384

  /// The kept data; without the place if it can no longer be opened.
  static func read() -> LastTime {
    guard let (path, _) = ConfigurationFile.stateFile(name),
      let bytes = try? FileDescriptor.contents(of: path, atMost: bytesAtMost)
    else { return LastTime() }
    var last = LastTime(parsing: String(decoding: bytes, as: UTF8.self))
    if let file = last.place?.file, access(file, R_OK) != 0, !Pagewalk.isShipped(file) {
      last.place = nil
    }
    return last
  }

  /// Keeps a place in a scenario if it can be opened again, else the old place; and
  /// the detail if it was chosen now.
  static func write(_ file: String?, at moment: String, detail: DetailLevel?) {
    guard let target = ConfigurationFile.stateFile(name), access(target.folder, F_OK) == 0 else {
      return
    }
    var last = read()
    if moment != "0", let file = wholeName(of: file) {
      last.place = LastTime.Place(file: file, moment: moment)
    }
    if let detail { last.detail = detail }
    let url = URL(filePath: target.path)
    try? FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? Data(last.text.utf8).write(to: url, options: .atomic)
  }

  private static func wholeName(of file: String?) -> String? {
    guard let file else { return Pagewalk.builtIn }
    guard file != "-", let path = realpath(file, nil) else {
      return Pagewalk.isShipped(file) ? file : nil
    }
    defer { free(path) }
    return String(cString: path)
  }
}
