/// What is kept when the screen closes, for the next time: lines `NAME = VALUE`.
///
/// It is a convenience: lines that nobody understands are left out, and without any nothing is missing.
public struct LastTime: Equatable, Sendable {
  /// What was open: a file, by all of its path, or a scenario of the program, by its name.
  public var file: String
  /// The moment at which it was left, as it is typed.
  public var moment: String

  /// A place.
  public init(file: String, moment: String) {
    self.file = file
    self.moment = moment
  }

  /// Reads what `text` writes; nil if there is no place in it.
  public init?(parsing text: String) {
    func value(_ name: String) -> String? {
      text.split(separator: "\n").first { $0.hasPrefix(name + " = ") }
        .map { String($0.dropFirst(name.count + 3)) }
    }
    guard let file = value("file"), let moment = value("moment") else { return nil }
    self.init(file: file, moment: moment)
  }

  /// The lines; nil if the name of the file does not fit into one.
  public var text: String? {
    file.contains { $0.isNewline } ? nil : "file = \(file)\nmoment = \(moment)\n"
  }
}
