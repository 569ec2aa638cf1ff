import Canvas
import Engine
import Inquiry
import Testing

@testable import Viewer

/// One table of actions gives the keys, the help and the names for the command line.
@Suite struct ActionTests {
  /// Moments at which different things are possible.
  private static let situations = ["", "} } } } 3 t", "$ 5"]

  private func screens() throws -> [Screen] {
    let start = try Screen("scenarios/nested/three-tables.pw", 80, 24)
    return Self.situations.map { keys in
      var screen = start
      screen.press(keys)
      return screen
    }
  }

  @Test func `every action is in the help, with its keys, its name, and what it lacks`() throws {
    for screen in try screens() {
      let help = screen.model.help("").text.map(\.string)
      for action in Action.allCases {
        let line = help.first {
          $0.contains(":" + action.rawValue) && $0.contains(action.facts.summary.string)
        }
        let text = try #require(line, "\(action.rawValue)")
        if let key = screen.model.keyMap.keys(for: action).first {
          #expect(text.contains(key.shortName.string))
        }
        #expect(text.contains("(unavailable)") == (screen.model.obstacle(to: action) != nil))
      }
    }
  }

  @Test func `an action that asks a question has a name of the question`() {
    for action in Action.allCases {
      #expect(Question(name: action.rawValue) == action.facts.question, "\(action.rawValue)")
    }
  }

  @Test func `what a question lacks is said as on the command line`() throws {
    var screen = try Screen("scenarios/pkvm/donation.pw", 80, 24)
    for action in Action.allCases {
      guard let question = action.facts.question else { continue }
      var subject = Subject()
      subject.table = .pkvmHost
      do throws(Unanswerable) {
        _ = try question.answer(about: subject, in: &screen.model.session)
      } catch {
        guard question.facts.needs.contains(where: { $0.refusal == error.message }) else {
          continue
        }
        let obstacle = screen.model.obstacle(to: action)?.string ?? ""
        #expect(obstacle.hasPrefix(error.message) || question.facts.operand == .address)
      }
    }
    #expect(screen.model.obstacle(to: .shadows)?.string == Question.Need.nested.refusal)
  }

  @Test func `every action is reached by its name, as by its key`() throws {
    for screen in try screens().prefix(2) {
      // The costs take long to count, and the command line is what names are typed on.
      for action in Action.allCases where action != .costs && action != .command {
        var named = screen
        named.press(": ‹\(action.rawValue)› enter")
        #expect(!named.lastLine.contains("Unknown command"))
        guard let key = action.defaultKeys.first, action != .pane else { continue }
        var pressed = screen
        pressed.input(.key(key))
        #expect(named.effects == pressed.effects)
        #expect(named.model.isFinished == pressed.model.isFinished)
        #expect(named.text == pressed.text, "\(action.rawValue)")
      }
    }
  }

  @Test func `a refused action says why, and changes nothing else`() throws {
    for screen in try screens() {
      for action in Action.allCases {
        guard let obstacle = screen.model.obstacle(to: action), let key = action.defaultKeys.first
        else { continue }
        var refused = screen
        refused.input(.key(key))
        // It is a sentence, and may take more than one line.
        #expect(obstacle.string.hasSuffix("."))
        #expect(refused.lastLine.contains(obstacle.string.suffix(20)))
        #expect(refused.lines.prefix(18).elementsEqual(screen.lines.prefix(18)))
      }
    }
  }

  @Test func `every key does one thing`() {
    var actions: [Key: Action] = [:]
    for action in Action.allCases {
      #expect(
        action.defaultKeys.count == action.facts.keys.split(separator: " ").count,
        "\(action.rawValue): a key that cannot be read")
      for key in action.defaultKeys {
        #expect(actions[key] == nil, "\(key) for \(action.rawValue)")
        actions[key] = action
      }
    }
  }

  @Test func `help is found by name, by key, and by meaning`() throws {
    var screen = try Screen()
    screen.press("? / ‹preview›")
    #expect(screen.text.contains("what will the next event change?"))
    #expect(!screen.text.contains("one event forward"))
    screen.press("ctrl-u ‹]› enter")
    #expect(screen.text.contains("to the next event that touches the selection"))
    screen.press("escape / ‹exactly undone› enter")
    #expect(screen.text.contains(":previous-event"))
    screen.press("escape / ‹no such thing› enter")
    #expect(screen.text.contains("Nothing in the help has this text or key."))
    screen.press("escape escape")
    #expect(screen.model.sheet == nil)
  }

  @Test func `every question that can be typed is in the help`() throws {
    let screen = try Screen()
    for question in Question.allCases {
      let lines = screen.model.help(question.name).text.map(\.string)
      #expect(lines.contains { $0.contains(":\(question.name)") }, "\(question.name)")
    }
  }

  @Test func `an action is done from the help`() throws {
    var screen = try Screen()
    screen.press("? / ‹next-event› enter enter")
    #expect(screen.model.sheet == nil)
    #expect(screen.model.timeline.moment == Moment(events: 1))
  }

  @Test func `what was typed comes back, and is completed`() throws {
    var screen = try Screen()
    screen.press(": ‹goto 5› enter : ‹goto 9› enter : up up enter")
    #expect(screen.model.timeline.moment == Moment(events: 5))
    screen.press(": ‹got› tab ‹step:al› tab enter")
    #expect(screen.model.timeline.moment == Moment(events: 14))
    screen.press(": ‹pol› tab tab")
    #expect(screen.lastLine.hasPrefix(":policy revmap="))
    screen.press("escape : ‹host dis› tab")
    #expect(screen.lastLine.hasPrefix(":host discard"))
  }
}
