import Inquiry

/// What is kept when the screen closes, for the next time: lines `NAME = VALUE`.
///
/// It is a convenience: unknown lines are ignored, and an empty file is fine.
public struct LastTime: Equatable, Sendable {
  /// The place in a file at the last close.
  public struct Place: Equatable, Sendable {
    /// What was open: a file, by its full path, or a scenario of the program, by its name.
    public let file: String
    /// The moment, as it is typed.
    public let moment: String

    /// A place.
    public init(file: String, moment: String) {
      self.file = file
      self.moment = moment
    }
  }

  /// The last place; nil if it cannot be resumed.
  public var place: Place?
  /// The level of detail, if it was chosen on the screen.
  public var detail: DetailLevel?

  /// A record of what is kept.
  public init(place: Place? = nil, detail: DetailLevel? = nil) {
    self.place = place
    self.detail = detail
  }

  /// Reads what `text` writes.
  public init(parsing text: String) {
    func value(_ name: String) -> String? {
      text.split(separator: "\n").first { $0.hasPrefix(name + " = ") }
        .map { String($0.dropFirst(name.count + 3)) }
    }
    if let file = value("file"), let moment = value("moment") {
      place = Place(file: file, moment: moment)
    }
    detail = value("detail").flatMap { DetailLevel(rawValue: $0) }
  }

  /// The lines. A file name that does not fit into a line is omitted with its moment.
  public var text: String {
    var text = ""
    if let place, !place.file.contains(where: \.isNewline) {
      text = "file = \(place.file)\nmoment = \(place.moment)\n"
    }
    if let detail { text += "detail = \(detail.rawValue)\n" }
    return text
  }
}
