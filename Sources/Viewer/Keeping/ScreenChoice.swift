import Canvas
import Engine
import Inquiry
import Language
import Recording

/// A choice on the screen that is saved with the session: how it is written, and how it is restored. An
/// unknown value changes nothing.
///
/// This is the only list of them; they are restored in its order.
struct ScreenChoice: Sendable {
  let name: String
  let value: @Sendable (Model) -> String
  let choose: @Sendable (inout Model, String) -> Void

  /// A choice that is a value of the model.
  private init<Value: ChoiceWord>(_ name: String, _ path: WritableKeyPath<Model, Value> & Sendable)
  {
    self.name = name
    value = { $0[keyPath: path].choiceWord }
    choose = { model, text in
      if let value = Value(choiceWord: text) { model[keyPath: path] = value }
    }
  }

  private init(
    _ name: String, _ value: @escaping @Sendable (Model) -> String,
    _ choose: @escaping @Sendable (inout Model, String) -> Void
  ) {
    self.name = name
    self.value = value
    self.choose = choose
  }

  static let all: [ScreenChoice] =
    [
      // A kept answer belongs to the moment at which it was asked, so ask it first.
      ScreenChoice("question", \.questionText) { $0.askAgain($1) },
      ScreenChoice("moments", \.momentsText) { $0.goAgain($1) },
      ScreenChoice("jumps", \.jumpsText) { $0.takeJumps($1) },
      ScreenChoice("layout", \.arrangement),
      ScreenChoice("maximised", \.isMaximised),
      ScreenChoice("present", \.isPresenting),
      ScreenChoice("detail", \.detailLevel),
      ScreenChoice("focus", \.focus),
      ScreenChoice("focus-table", \.lastTableFocus),
      ScreenChoice("focus-before", \.focusBefore),
      ScreenChoice("follow", \.isFollowing),
      ScreenChoice("link", \.isLinked),
      ScreenChoice("shadow", { String($0.recentShadow) }) { model, text in
        guard let number = Int(text), model.shadowNumbers.contains(number) else { return }
        model.recentShadow = number
      },
      ScreenChoice("selected", { $0.selected?.name ?? "-" }) { model, text in
        model.selected = model.table(named: text)
      },
      ScreenChoice("range", \.isRangeSelected),
      ScreenChoice("search", \.searched),
      ScreenChoice("matches", \.marksMatches),
      ScreenChoice("filter", { $0.filter?.filter.text ?? "" }) { model, text in
        model.filter = (try? Filter(parsing: text, for: .entries)).map { EntryFilter($0) }
      },
      ScreenChoice("watches", { Self.text(of: $0.watches) }) { model, text in
        model.watches = Self.watches(text)
      },
      ScreenChoice("usual-watches", { Self.text(of: $0.usualWatches) }) { model, text in
        model.usualWatches = Self.watches(text)
      },
      ScreenChoice("pace", { String($0.playback.rate) }) { model, text in
        guard let rate = Int(text), Playback.rates.contains(rate) else { return }
        model.playback.rate = rate
      },
      ScreenChoice("step", \.steps.cursor),
      ScreenChoice("steps-top", \.steps.top),
      ScreenChoice("answer-line", \.detail.choice),
      ScreenChoice("answer-top", \.detail.top),
      ScreenChoice("answer-left", \.detail.left),
      ScreenChoice("revmap", { Self.text(of: $0.reverseMap.cursor) }) { model, text in
        model.reverseMap.cursor = model.range(text)
      },
      ScreenChoice("revmap-top", { Self.text(of: $0.reverseMap.top) }) { model, text in
        model.reverseMap.top = model.range(text)
      },
    ]
    + Pane.allCases.filter(\.isTable).map { pane in
      ScreenChoice("pane-\(pane.rawValue)", { $0.views[pane]?.choiceText ?? "" }) { model, text in
        model.take(text, in: pane)
      }
    }

  private static func text(of watches: [Watch]) -> String {
    watches.map { ($0.isOn ? "on " : "off ") + $0.filter.text }.joined(separator: " ; ")
  }

  /// The watches of a text. A `;` in quotes is of a condition.
  private static func watches(_ text: String) -> [Watch] {
    var isQuoted = false
    return text.split { character in
      if character == "\"" { isQuoted.toggle() }
      return character == ";" && !isQuoted
    }.compactMap { part in
      let words = part.trimmed.split(separator: " ", maxSplits: 1)
      guard words.count == 2, let filter = try? Filter(parsing: String(words[1]), for: .events)
      else { return nil }
      return Watch(filter: filter, isOn: words[0] == "on")
    }
  }

  private static func text(of range: ReverseMapEntry?) -> String {
    range.map { Phrase.address($0.canonical.lowerBound) } ?? ""
  }
}

extension Model {
  /// Restores saved choices.
  mutating func take(_ choices: [SavedSession.Choice]) {
    for choice in ScreenChoice.all {
      guard let kept = choices.first(where: { $0.name == choice.name }) else { continue }
      choice.choose(&self, kept.value)
    }
    for choice in choices where choice.name.hasPrefix(Self.foldPrefix) {
      let words = choice.name.dropFirst(Self.foldPrefix.count).split(separator: "-", maxSplits: 1)
      guard words.count == 2, let pane = Pane(choiceWord: String(words[0])),
        let table = table(named: words[1])
      else { continue }
      views[pane]?.folds[table] = Folds(text: choice.value)
    }
    settle()
  }

  private static let foldPrefix = "fold-"

  /// The folds of each table, a choice for each.
  var foldChoices: [SavedSession.Choice] {
    let choices = views.flatMap { pane, view in
      view.folds.filter { $0.value != Folds() }.map { table, folds in
        SavedSession.Choice(
          name: "\(Self.foldPrefix)\(pane.rawValue)-\(table.name)", value: folds.text)
      }
    }
    return choices.sorted { $0.name < $1.name }
  }

  /// The question and the text typed after it; if its answer is kept, also its place and entry:
  /// `HISTORY@MOMENT,TABLE,ADDRESS:LEVEL`.
  fileprivate var questionText: String {
    let place = question.isKept ? answered?.place : nil
    let at =
      place.map { place in
        (["\(place.branch + 1)@\(place.moment.name)"] + place.selectionText.split(separator: " "))
          .joined(separator: ",")
      } ?? "-"
    return ([question.name, at] + (asked.isEmpty ? [] : [asked])).joined(separator: " ")
  }

  fileprivate mutating func askAgain(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count > 1, let topic = Topic.allCases.first(where: { $0.name == words[0] }) else {
      return
    }
    let asked = words.count > 2 ? String(words[2]) : ""
    guard topic.isKept else {
      // It is answered at the final moment, or the reason why not is reported.
      (question, self.asked, answered) = (topic, asked, nil)
      return
    }
    let parts = words[1].split(separator: ",", maxSplits: 1)
    if let kept = parts.first.flatMap({ SavedSession.Place($0) }),
      branches.indices.contains(kept.history)
    {
      var place = Place(branch: kept.history, moment: kept.moment)
      if parts.count > 1 { select(String(parts[1]).replacing(",", with: " "), at: &place) }
      show(place)
    }
    if topic == .question(.diff) { compare(asked) } else { ask(topic, asked) }
    message = nil
  }

  /// The history on the screen, and the moment of each.
  fileprivate var momentsText: String {
    ([String(branch + 1)] + branches.map(\.session.timeline.moment.name)).joined(separator: " ")
  }

  fileprivate mutating func goAgain(_ text: String) {
    let words = text.split(separator: " ")
    guard let number = words.first.flatMap({ Int($0) }), branches.indices.contains(number - 1)
    else { return }
    for (index, name) in words.dropFirst().enumerated() where index < branches.count {
      guard let moment = Moment(name: name) else { continue }
      branches[index].session.seek(to: moment)
    }
    branch = number - 1
    changes = Changes(in: session)
  }

  fileprivate var jumpsText: String {
    ([String(jumps.index)]
      + jumps.places.map { place in
        String("\(place.branch + 1)@\(place.moment.name) \(place.selectionText)".trimmed)
      }).joined(separator: ";")
  }

  fileprivate mutating func takeJumps(_ text: String) {
    let parts = text.split(separator: ";")
    let places = parts.dropFirst().compactMap { part -> Place? in
      let words = part.split(separator: " ", maxSplits: 1)
      guard let place = words.first.flatMap({ SavedSession.Place($0) }),
        branches.indices.contains(place.history)
      else { return nil }
      var found = Place(branch: place.history, moment: place.moment)
      if words.count > 1 { select(String(words[1]), at: &found) }
      return found
    }
    guard let index = parts.first.flatMap({ Int($0) }), (0...places.count).contains(index) else {
      return
    }
    jumps = Jumps(places, index: index)
  }

  /// The range of the reverse map that begins at a canonical IPA.
  fileprivate func range(_ text: String) -> ReverseMapEntry? {
    guard hasReverseMap, let address = Number.value(of: text) else { return nil }
    let found = ReverseMapEntries(ofShadow: mappedShadow, in: machine).entry(from: address)
    return found?.canonical.lowerBound == address ? found : nil
  }
}

extension TableView {
  /// The chosen table, the cursor, the top and the face, in one line.
  fileprivate var choiceText: String {
    "\(pinned?.name ?? "-") \(cursor?.text ?? "-") \(top.text) \(face.rawValue)"
  }
}

extension Model {
  /// Restores what `choiceText` wrote of the view of a pane.
  fileprivate mutating func take(_ text: String, in pane: Pane) {
    let words = text.split(separator: " ")
    guard words.count == 4, let top = Position(text: words[2]),
      let face = Face(rawValue: String(words[3]))
    else { return }
    let pinned = table(named: words[0])
    views[pane]?.pinned = pinned
    views[pane]?.cursor = Position(text: words[1])
    views[pane]?.top = top
    views[pane]?.face = face
  }

  /// The numbers of the VM's shadows.
  fileprivate var shadowNumbers: Range<Int> { 0..<machine.configuration.shadows }

  /// The table with a name in a file; nil if the VM can have no such table.
  func table(named name: some StringProtocol) -> TableID? {
    let table = TableID(name: name)
    if case .shadow(let number) = table, !shadowNumbers.contains(number) { return nil }
    return table
  }
}

extension Folds {
  /// The closed tables, and after `/` the unfolded pages.
  fileprivate var text: String {
    [closed, unfolded].map { $0.sorted().map(\.text).joined(separator: ",") }
      .joined(separator: "/")
  }

  fileprivate init(text: String) {
    self.init()
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    for place in (parts.first ?? "").split(separator: ",") {
      if let position = Position(text: place) { close(position) }
    }
    for place in (parts.count > 1 ? parts[1] : "").split(separator: ",") {
      if let position = Position(text: place) { unfold(position) }
    }
  }
}

/// A value written as a word, or as the rest of a line.
private protocol ChoiceWord: SendableMetatype {
  var choiceWord: String { get }
  init?(choiceWord: String)
}

extension Bool: ChoiceWord {
  fileprivate var choiceWord: String { self ? "on" : "off" }
  fileprivate init?(choiceWord: String) { self = choiceWord == "on" }
}

extension Int: ChoiceWord {
  fileprivate var choiceWord: String { String(self) }
  fileprivate init?(choiceWord: String) {
    guard let number = Int(choiceWord), (0...Int(Int32.max)).contains(number) else { return nil }
    self = number
  }
}

extension String: ChoiceWord {
  fileprivate var choiceWord: String { self }
  fileprivate init?(choiceWord: String) { self = choiceWord }
}

extension Arrangement: ChoiceWord {}
extension DetailLevel: ChoiceWord {}
extension Pane: ChoiceWord {}

extension ChoiceWord where Self: RawRepresentable, RawValue == String {
  fileprivate var choiceWord: String { rawValue }
  fileprivate init?(choiceWord: String) { self.init(rawValue: choiceWord) }
}

extension Optional: ChoiceWord where Wrapped: ChoiceWord {
  fileprivate var choiceWord: String { self?.choiceWord ?? "-" }
  fileprivate init?(choiceWord: String) { self = Wrapped(choiceWord: choiceWord) }
}
