import FoundationEssentials
import Glibc
import Import

/// Files given to a command for import.
enum SourceFiles {
  /// Maximum depth of folders, and number of files.
  private static let depthAtMost = 4
  private static let filesAtMost = 20_000
  /// Maximum number of names examined: a VM has few, so a whole disk is refused.
  private static let namesAtMost = 50_000

  /// Whether a file name is relevant in a folder of a VM; others are not even read.
  private static func isWanted(_ path: String) -> Bool {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return [
      "stage2_page_tables", "ipa_range", "stage2_levels", "trace.txt", "probes.txt",
      "hyp_trace.txt", "dmesg.txt", "step.txt", "events.jsonl", "tables.txt",
      RecordedChapter.numberFile,
    ].contains(name) || RecordedChapter.mapNumber(name) != nil || name.hasSuffix(".err")
      || path.contains("nested/")
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// A VM's files in a folder, by the paths below it. A file that vanishes while it is read, as in
  /// debugfs, or is refused, becomes `NAME.err` with the reason.
  static func all(in folder: String) throws -> [(path: String, bytes: [UInt8])] {
    var found: [(String, [UInt8])] = []
    var names = 0
    try add(folder, "", depth: 0, to: &found, &names)
    return found
  }

  private static func add(
    _ folder: String, _ prefix: String, depth: Int, to found: inout [(String, [UInt8])],
    _ names: inout Int
  ) throws {
    guard let all = try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + prefix)
    else {
      if depth == 0 { throw Failure.input("\(folder): the folder cannot be read") }
      return
    }
    names += all.count
    if names > namesAtMost {
      throw Failure.input(
        "\(folder): more than \(namesAtMost) names below it: name the folder of one VM")
    }
    for name in all.sorted() {
      let path = prefix.isEmpty ? name : prefix + "/" + name
      if isFolder(folder + "/" + path) {
        if depth < depthAtMost { try add(folder, path, depth: depth + 1, to: &found, &names) }
        continue
      }
      guard isWanted(path) else { continue }
      if found.count == filesAtMost {
        throw Failure.input("\(folder): more than \(filesAtMost) files of a VM")
      }
      switch contents(of: folder + "/" + path) {
      case .success(let bytes): found.append((path, bytes))
      case .failure(let error):
        found.append((path + ".err", Array(error.text.utf8)))
      }
    }
  }

  /// The names in a folder, sorted; none if it cannot be read.
  static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// Why a file could not be read.
  struct ReadError: Error {
    let number: Int32
    var text: String { String(cString: strerror(number)) }
  }

  /// The contents of a file, by one open and as many reads as needed: for a debugfs file, one walk.
  static func contents(of path: String) -> Result<[UInt8], ReadError> {
    let file = FileDescriptor(number: open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
    if file.number < 0 { return .failure(ReadError(number: errno)) }
    defer { close(file.number) }
    guard let bytes = file.contents() else { return .failure(ReadError(number: errno)) }
    return .success(bytes)
  }

  /// The first bytes of a file, which identify its kind.
  static func start(of path: String, count: Int = 4096) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return [] }
    defer { close(descriptor) }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = max(0, read(descriptor, buffer.baseAddress, count))
    }
  }
}
