import Canvas
import Language
import Lesson
import Scenarios

/// What can be opened.
extension Model {
  /// A line of the list: what it opens, with a description.
  private struct Offer {
    let name: SafeText
    let meaning: SafeText
    let target: Document.Target

    init(_ name: SafeText, _ meaning: SafeText, _ target: Document.Target) {
      self.name = name
      self.meaning = meaning
      self.target = target
    }

    /// A scenario of the program, under a name.
    init(_ scenario: ShippedScenario, named name: SafeText) {
      self.init(name, scenario.title, .open(scenario.name, at: nil))
    }

    func matches(_ query: String) -> Bool {
      query.isEmpty
        || (name + " " + meaning).string.lowercased().contains(query.lowercased())
    }
  }

  /// The places to begin or resume, and the scenarios of the program by subject; narrowed to lines that
  /// contain a text.
  func start(_ query: String) -> Document {
    var document = Document()
    let groups =
      [(title: "", offers: ways), (title: "Lessons", offers: lessons)]
      + ShippedScenario.System.allCases.map { system in
        let scenarios = ShippedScenario.all.filter { $0.system == system }
        return (system.title, scenarios.map { Offer($0, named: SafeText($0.name)) })
      }
    for (title, offers) in groups {
      let offers = offers.filter { $0.matches(query) }
      if offers.isEmpty { continue }
      if !document.items.isEmpty { document.addBlank() }
      if !title.isEmpty { document.add(SafeText(title), .title) }
      for offer in offers {
        document.add(
          Line(" " + offer.name, .key).adding("  " + offer.meaning), to: offer.target, indent: 4)
      }
    }
    if document.items.isEmpty { document.add("No scenario has this in its name or title.", .dim) }
    return document
  }

  /// The lessons of the program, in their order.
  private var lessons: [Offer] {
    Library.shipped.lessons.enumerated().map { index, lesson in
      Offer(
        "\(index + 1) \(SafeText(lesson.title))", SafeText(Library.shipped.effort(of: lesson)),
        .learn(lesson.id))
    }
  }

  private var ways: [Offer] {
    var ways: [Offer] = []
    if let unsaved {
      ways.append(
        Offer("Recover", "what was not saved when pagewalk ended by force", .open(unsaved, at: nil))
      )
      ways.append(Offer("Discard", "remove that for good", .discard(unsaved)))
    }
    if let first = ShippedScenario.named(ShippedScenario.builtIn) {
      ways.append(Offer(first, named: "Begin"))
    }
    if let lastPlace {
      ways.append(
        Offer(
          "Go on",
          "where you were: \(SafeText(lastPlace.file)), event \(SafeText(lastPlace.moment))",
          .open(lastPlace.file, at: lastPlace.moment)))
    }
    ways.append(Offer("File", "open a scenario of your own, by its name", .typing("open ")))
    return ways
  }
}

extension ShippedScenario {
  /// The titles of all, by name, read from the head of each scenario.
  private static let titles = Dictionary(
    uniqueKeysWithValues: all.map {
      ($0.name, SafeText(Scenario.title(in: $0.bytes) ?? ""))
    })

  /// Its own title.
  package var title: SafeText { Self.titles[name] ?? "" }
}
