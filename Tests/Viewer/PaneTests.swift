import Canvas
import Engine
import Inquiry
import Language
import Testing

@testable import Viewer

/// What every pane promises, asked of each in the list of panes and in different situations.
@Suite struct PaneTests {
  /// Files and keys after which a pane shows something, or nothing.
  private static let situations: [(file: String, keys: String)] = [
    ("scenarios/nested/three-tables.pw", ""), ("scenarios/nested/three-tables.pw", "$"),
    ("scenarios/bugs/worked-example.pw", FrameTests.repaired + "} }"),
    ("scenarios/nested/three-tables.pw", "} } } } f ‹w› enter"),
    ("scenarios/iommu/discard.pw", "} } }"), (FrameTests.donation, "$"),
  ]

  /// Screens that show a pane, in each situation in which there is one.
  private func screens(of pane: Pane, _ width: Int = 120, _ height: Int = 40) throws -> [Screen] {
    try Self.situations.compactMap { file, keys in
      var screen = try Screen(file, width, height)
      screen.press(keys)
      guard let number = screen.model.panes.firstIndex(of: pane) else { return nil }
      screen.press("\(number + 1)")
      return screen
    }
  }

  /// What a person can press that is about one pane.
  private static let keys = [
    "j", "k", "g", "G", "h", "l", "enter", "ctrl-d", "ctrl-u", "pagedown", "pageup", "r", ">", "<",
    "w", "t", "a", "[", "W", "/ ‹x› enter", "n", "N", "f ‹changed› enter", "F", "K",
  ]

  @Test(arguments: Pane.allCases)
  func `a pane is in some situation, and knows that it is itself`(_ pane: Pane) throws {
    #expect(pane.operations.pane == pane)
    #expect(try !screens(of: pane).isEmpty)
    for screen in try screens(of: pane) {
      #expect(screen.model.focus == pane)
      #expect(screen.model.layout.rect(of: pane) != nil)
    }
  }

  @Test(arguments: Pane.allCases)
  func `its title begins with number and name, and fits at every width`(_ pane: Pane) throws {
    for screen in try screens(of: pane) {
      let model = screen.model
      let name = pane.operations.name(in: model).string
      let number = try #require(model.panes.firstIndex(of: pane)) + 1
      #expect(!name.isEmpty && !name.hasSuffix(" "))
      for part in pane.operations.context(in: model) { #expect(!part.isEmpty) }
      for width in [name.count + 2, 40, 80, 200] {
        let title = model.title(of: pane, width: width)
        #expect(title.columns <= width)
        #expect(title.string.hasPrefix("\(number) \(name)"))
      }
    }
  }

  @Test(arguments: Pane.allCases)
  func `what it shows, and what the cursor is on, has words and a term`(_ pane: Pane) throws {
    for screen in try screens(of: pane) {
      let operations = pane.operations
      #expect(Glossary.entry(operations.term) != nil)
      #expect(!operations.term(in: screen.model).isEmpty)
      #expect(screen.model.placeText.string.hasSuffix("."))
      #expect(operations.content(in: screen.model).allSatisfy { !$0.isEmpty })
    }
  }

  @Test(arguments: Pane.allCases)
  func `every key does something, or says why not`(_ pane: Pane) throws {
    for start in try screens(of: pane) {
      for keys in Self.keys {
        var screen = start
        screen.press(keys)
        let moved = start.frame != screen.frame || start.model.focus != screen.model.focus
        #expect(
          moved || screen.model.message != nil || Self.mayRest.contains(keys),
          "\(keys) in \(pane)")
        if let message = screen.model.message { #expect(message.text.string.hasSuffix(".")) }
      }
    }
  }

  /// Keys that leave all as it is at an end of what they move along, or where there is nothing to undo.
  private static let mayRest: Set<String> = [
    "j", "k", "g", "G", "h", "l", "ctrl-d", "ctrl-u", "pagedown", "pageup", "F", "enter",
  ]

  @Test(arguments: Pane.allCases)
  func `an obstacle is a sentence, and what has none is not refused`(_ pane: Pane) throws {
    for screen in try screens(of: pane) {
      for action in Action.allCases where action.concernsPane {
        var acted = screen
        _ = acted.model.update(.key(try #require(action.defaultKeys.first)))
        if let obstacle = pane.operations.obstacle(to: action, in: screen.model) {
          #expect(obstacle.string.hasSuffix("."))
          #expect(acted.model.message?.text == obstacle)
        }
      }
    }
  }

  @Test(arguments: Pane.allCases)
  func `a search finds what the pane shows, or says that it is not there`(_ pane: Pane) throws {
    for start in try screens(of: pane) {
      var screen = start
      screen.press("/ ‹no such text› enter")
      #expect(screen.model.message?.isRefusal ?? false)
      let shown = start.model.layout.rect(of: pane).map(Layout.inside)
      guard let rect = shown, !pane.operations.content(in: start.model).isEmpty else { continue }
      // A word of the pane, as it is on the screen.
      let row = (rect.x..<rect.right).map { start.frame[Point($0, rect.y + 1)].scalar }
      let text = String(String.UnicodeScalarView(row))
      guard
        let word = text.split(separator: " ").first(where: {
          $0.allSatisfy(\.isLetter) && $0.count > 3
        })
      else { continue }
      screen = start
      screen.press("/ ‹\(word)› enter")
      #expect(
        screen.model.message == nil || !screen.model.message!.text.string.hasPrefix("Expected"))
    }
  }

  @Test(arguments: Pane.allCases)
  func `the mouse selects what is under it, and the wheel moves`(_ pane: Pane) throws {
    for start in try screens(of: pane) {
      let rect = try #require(start.model.layout.rect(of: pane))
      for y in [rect.y, rect.y + 1, rect.bottom - 1] {
        for action in [Mouse.Action.click, .doubleClick, .wheelUp, .wheelDown] {
          var screen = start
          screen.press("M")
          screen.input(.mouse(Mouse(action, at: Point(rect.x + 4, y))))
          #expect(screen.frame.height == 40)
          if action == .click { #expect(screen.model.focus == pane) }
        }
      }
    }
  }

  @Test func `at every size each pane has its place`() throws {
    for (width, height) in [(20, 4), (40, 12), (80, 24), (100, 30), (120, 40), (200, 60)] {
      for pane in Pane.allCases {
        for screen in try screens(of: pane, width, height) {
          let rects = screen.model.layout.panes.map(\.rect)
          #expect(screen.model.layout.rect(of: pane) != nil, "\(pane) at \(width)x\(height)")
          for (index, rect) in rects.enumerated() {
            #expect(rects[..<index].allSatisfy { $0.intersection(rect).isEmpty })
          }
        }
      }
    }
  }
}
