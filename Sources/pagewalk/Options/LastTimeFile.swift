import FoundationEssentials
import Glibc
import Viewer

/// The file in which the place is kept at which the screen was left. Whether it can be read or written
/// makes no difference but that.
enum LastTimeFile {
  private static let name = "last"
  private static let bytesAtMost = 16_384

  /// The place that is kept, if what was open there can still be opened.
  static func read() -> LastTime? {
    guard let (path, _) = ConfigurationFile.stateFile(name),
      let bytes = try? FileDescriptor.contents(of: path), bytes.count <= bytesAtMost,
      let last = LastTime(parsing: String(decoding: bytes, as: UTF8.self)),
      access(last.file, R_OK) == 0 || Pagewalk.isShipped(last.file)
    else { return nil }
    return last
  }

  /// Keeps a place in a scenario, if it is one that can be opened again.
  static func write(_ file: String?, at moment: String) {
    guard let place = ConfigurationFile.stateFile(name), access(place.folder, F_OK) == 0,
      let file = wholeName(of: file), let text = LastTime(file: file, moment: moment).text
    else { return }
    let url = URL(filePath: place.path)
    try? FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? Data(text.utf8).write(to: url, options: .atomic)
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
