import Testing

@testable import Canvas

@Suite struct KeyTests {
  @Test(arguments: [
    ("j", Key(.character("j"))), ("G", Key(.character("G"))), ("?", Key(.character("?"))),
    ("-", Key(.character("-"))), ("é", Key(.character("é"))), ("漢", Key(.character("漢"))),
    ("ctrl-d", Key(.character("d"), .control)), ("ctrl--", Key(.character("-"), .control)),
    ("ctrl-space", Key(.character(" "), .control)), ("alt-x", Key(.character("x"), .alt)),
    ("space", Key(.character(" "))), ("tab", Key(.tab)), ("shift-tab", .backTab),
    ("enter", Key(.enter)), ("escape", Key(.escape)), ("backspace", Key(.backspace)),
    ("delete", Key(.delete)), ("insert", Key(.insert)), ("home", Key(.home)), ("end", Key(.end)),
    ("pageup", Key(.pageUp)), ("pagedown", Key(.pageDown)), ("up", Key(.up)),
    ("shift-right", Key(.right, .shift)),
    ("ctrl-alt-shift-left", Key(.left, [.control, .alt, .shift])),
    ("F1", Key(.function(1))), ("shift-F12", Key(.function(12), .shift)),
    ("U+200B", Key(.character("\u{200B}"))),
  ])
  func `is spelled in one way`(spelling: String, key: Key) {
    #expect(key.description == spelling)
    #expect(Key(spelling: spelling) == key)
  }

  @Test(arguments: [
    ("Ctrl-D", "ctrl-d"), ("CTRL-d", "ctrl-d"), ("shift-ctrl-up", "ctrl-shift-up"),
    ("Space", "space"), ("f5", "F5"), ("shift-g", "G"), ("shift-G", "G"), ("PageUp", "pageup"),
    ("ctrl-i", "tab"), ("ctrl-m", "enter"), ("ctrl-[", "escape"), ("ctrl-h", "backspace"),
    ("ctrl-@", "ctrl-space"), ("Alt-X", "alt-X"), ("ctrl-shift-d", "ctrl-d"),
  ])
  func isReadInOtherSpellings(spelling: String, canonical: String) {
    #expect(Key(spelling: spelling)?.description == canonical)
  }

  @Test(arguments: [
    "", " ", "ctrl-", "ctrl", "jj", "F0", "F13", "F+1", "shift-1", "shift-space", "meta-x",
    "ctrl-ctrl-x", "U+1B", "U+110000", "\u{1B}", "\u{7F}", "\u{200B}", "ctrl-\u{9B}", "alt-",
  ])
  func `is not read from anything else`(spelling: String) {
    #expect(Key(spelling: spelling) == nil)
  }

  @Test(arguments: UInt32(0)...0xFF)
  func `of any typed character round trips`(value: UInt32) throws {
    let key = Key(typed: try #require(Unicode.Scalar(value)))
    #expect(Key(spelling: key.description) == key)
    #expect(SafeText(key.description).string == key.description)
  }

  @Test(arguments: [
    (0x00, "ctrl-space"), (0x01, "ctrl-a"), (0x04, "ctrl-d"), (0x08, "backspace"), (0x09, "tab"),
    (0x0A, "ctrl-j"), (0x0D, "enter"), (0x1B, "escape"), (0x1C, "ctrl-\\"), (0x1F, "ctrl-_"),
    (0x20, "space"), (0x41, "A"), (0x7F, "backspace"),
  ])
  func `is what a terminal means by a byte`(value: UInt32, spelling: String) throws {
    #expect(Key(typed: try #require(Unicode.Scalar(value))).description == spelling)
  }

  @Test func `every key round trips with every modifier`() {
    var bases: [Key.Base] = [
      .up, .down, .left, .right, .home, .end, .pageUp, .pageDown, .tab, .enter, .escape,
      .backspace, .insert, .delete,
    ]
    bases += (1...12).map { .function($0) }
    bases += (0x21..<0x7F).map { .character(Unicode.Scalar($0)) }
    for base in bases {
      for bits in UInt8(0)..<8 {
        let key = Key(base, Key.Modifiers(rawValue: bits))
        #expect(Key(spelling: key.description) == key)
      }
    }
  }
}
