import Canvas
import Inquiry
import Language
import TestSupport
import Testing

@testable import Viewer

/// Frames are what they were when a person last looked at them.
///
/// Each is a file in `Frames`: the characters on the screen. `LookTests` keeps how they look. All frames
/// are kept at 80x24, those that are about the layout at other sizes also.
@Suite struct FrameTests {
  /// A frame: what is opened, the keys that lead to it, and the sizes of the screen.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let open: @Sendable (Int, Int) throws -> Screen
    let keys: String
    let sizes: [(Int, Int)]

    /// A frame of a file of the assets.
    init(
      _ name: String, _ keys: String, file: String = "scenarios/nested/three-tables.pw",
      sizes: [(Int, Int)]? = nil
    ) {
      self.name = name
      self.keys = keys
      self.sizes = sizes ?? FrameTests.sizes(of: name)
      open = { try Screen(file, $0, $1) }
    }

    /// A frame of a scenario that is given by its statements.
    init(_ name: String, _ keys: String, statements: String) {
      self.name = name
      self.keys = keys
      sizes = FrameTests.sizes(of: name)
      open = { try Screen(statements: statements, $0, $1) }
    }

    /// A frame of a whole scenario, which no file has.
    init(_ name: String, _ keys: String, scenario: String) {
      self.name = name
      self.keys = keys
      sizes = FrameTests.sizes(of: name)
      open = { try Screen(bytes: [UInt8](scenario.utf8), file: "test.pw", $0, $1) }
    }

    /// A frame of a lesson.
    init(
      _ name: String, _ keys: String, lesson: String, from place: String, isForClass: Bool = false
    ) {
      self.name = name
      self.keys = keys
      sizes = FrameTests.sizes(of: name)
      open = { try Screen(lesson: lesson, from: place, isForClass: isForClass, $0, $1) }
    }

    /// A frame of what is wrong with a file.
    init(_ name: String, mistakesIn text: String) {
      self.name = name
      keys = ""
      sizes = FrameTests.sizes(of: name)
      open = {
        var screen = try Screen(FrameTests.builtIn, $0, $1)
        screen.model.show(Scenario.mistakes(in: [UInt8](text.utf8), file: "mine.pw"))
        return screen
      }
    }

    var testDescription: String { name }

    func fileName(_ width: Int, _ height: Int) -> String { "\(name)-\(width)x\(height).txt" }

    /// The screen after the keys.
    func screen(_ width: Int, _ height: Int) throws -> Screen {
      var screen = try open(width, height)
      screen.press(keys)
      return screen
    }
  }

  /// The frames that are about how the screen is shared.
  private static let layouts: Set<String> = [
    "start", "notifier", "alias-notifier", "reverse-map", "mapped-beside", "device-beside", "pkvm",
    "reading", "tables", "answer-costs", "answer-diff", "help", "prompt", "present", "plain-words",
    "lesson-text", "lesson-question", "class-question", "histories-beside", "seen", "seen-changed",
  ]

  private static func sizes(of name: String) -> [(Int, Int)] {
    switch name {
    case "first-screen", "losses": [(40, 12), (80, 24), (120, 40), (160, 45)]
    case _ where layouts.contains(name): [(40, 12), (80, 24), (120, 40), (200, 60)]
    default: [(80, 24)]
    }
  }

  static let alias = "captures/nested/nested-alias/scenario.pw"
  /// Under a policy that has a reverse map.
  static let repaired = "P ‹repaired› enter "
  /// A device with a table of its own, of pages and a block, and what stays of it in its TLB.
  static let device = """
    memslot 0 0x80000000 16M backing=4K
    host write 0x80000000 16K
    l1 write 0x80001000
    iommu attach
    iommu map 0x80000000 8K 0x800400000 rw
    iommu map 0x80200000 2M 0x800600000 r
    dev write 0x80000000
    dev read 0x80201000
    iommu unmap 0x80000000 4K
    dev write 0x80000000
    """

  static let cases =
    moments + panes + isolated + empty + seen + answers + sheets + prompts + lessons + histories + [
      Case("tiny", "", sizes: [(1, 1), (20, 4), (30, 6)])
    ]

  private static let builtIn = "scenarios/built-in.pw"

  /// Tables that were seen at two moments, as `pagewalk import` makes them of dumps of an old kernel.
  private static let sights = """
    pagewalk 1
    title "seen in two folders"
    vm ipa=40 vcpus=1 nested=on seen=marks
    kernel unseen canonical 0 1T  # until a dump is read

    kernel seen-empty canonical 0 2G L1  # 00/stage2_page_tables:2
    kernel seen canonical 0x80000000 16K L3 rw x  # 00/stage2_page_tables:3
    kernel seen-empty canonical 0x80004000 2032K L3  # 00/stage2_page_tables:4
    kernel seen canonical 0x80200000 2M L2 rw x  # 00/stage2_page_tables:5
    kernel context shadow0 vttbr=0x1000040100000 vtcr=0x80023559 on  # 00/nested/nested_mmu0:1
    kernel unseen shadow0 0 256T  # until 00/nested/nested_mmu0 is read
    kernel seen shadow0 0 8K L3 rw xn  # 00/nested/nested_mmu0:3
    kernel seen-empty shadow0 0x2000 2040K L3  # 00/nested/nested_mmu0:4
    chapter 00 "L2 has written"

    kernel seen canonical 0x80001000 4K L3 r x af=off  # 01/stage2_page_tables:4
    kernel seen-empty shadow0 0 8K L3  # 01/nested/nested_mmu0:3
    kernel seen shadow0 0x5000 4K L3 r xn  # 01/nested/nested_mmu0:4
    chapter 01 "The VMM has forked"

    """

  /// What is known of a real kernel's tables, and what is not.
  /// A shadow and its reverse map that were seen at two moments.
  private static let seenMaps = """
    pagewalk 1
    title "a map in two folders"
    vm ipa=40 nested=on seen=words
    policy revmap=repaired
    kernel seen canonical 0x80000000 2M L2 rw x  # 00/stage2_page_tables:3
    kernel context shadow0 vttbr=0x1000040100000 vtcr=0x80023559 on  # 00/nested/nested_mmu0:1
    kernel seen shadow0 0x1000 4K L3 rw x  # 00/nested/nested_mmu0:3
    kernel seen-revmap shadow0 0x80080000 4K nipa=0x1000  # 00/revmap0:1
    kernel seen-revmap shadow0 0x80100000 4K nipa=0x2000  # 00/revmap0:2
    chapter 00
    kernel seen-no-revmap shadow0 0x80080000 4K  # 01/revmap0
    kernel seen-revmap shadow0 0x80080000 64K  # 01/revmap0:1
    chapter 01 "two mappings fused"
    """

  private static let seen = [
    Case("seen-start", "", scenario: sights),
    Case("seen", "}", scenario: sights),
    Case("seen-changed", "} }", scenario: sights),
    Case("seen-revmap", "} } 3", scenario: seenMaps),
    Case("seen-row", "} .", scenario: sights),
    Case("seen-entry", "} } t", scenario: sights),
    Case("seen-why", "} } 2 w", scenario: sights),
    Case("seen-diff", "} } 2 : ‹diff chapter:00› enter", scenario: sights),
    Case("seen-unknowns", "} : ‹unknowns› enter", scenario: sights),
    Case("seen-rules", "} !", scenario: sights),
    Case("seen-refused", "} a", scenario: sights),
    Case("seen-plain", "} } : ‹detail plain› enter", scenario: sights),
  ]

  /// What is on the screen without being asked for.
  private static let moments = [
    Case("first-screen", "", file: builtIn),
    Case("losses", "} } } } } } } } } , ,", file: builtIn),
    Case("start", ""),
    Case("shadow-fault", "} } } } ."),
    Case("micro-step", "} } } } . . s s s s s s s s"),
    Case("notifier", "} } } } } }"),
    Case("stale", "} } } } } } } }"),
    Case("alias-notifier", "} } } } 3", file: alias),
    Case("violation", "$", file: "scenarios/bugs/relax.pw"),
    Case("history", "} } } : ‹l2 write 0x30000› enter"),
  ]

  /// Each pane alone, in the ways that it can be shown, and the layouts.
  private static let panes = [
    Case("canonical", "} } } } 1 z"),
    Case("guest", "} } } } 2 z"),
    Case("shadow", "} } } } 3 z"),
    Case("reverse-map", repaired + "} } } } } 4 z", file: alias),
    Case("steps", "} } } } } 5 k k k"),
    Case("steps-alone", "} } } } } 5 z"),
    Case("why-alone", "} } } } } 6 z"),
    Case("device", "$ 4 z", statements: device),
    Case("device-beside", "$", statements: device),
    Case("device-disagrees", "} } } 2 t", file: "scenarios/iommu/discard.pw"),
    Case("flat", "} } } } 1 r"),
    Case("filtered", "} } } } } 3 f ‹w› enter"),
    Case("unfolded", "$ 1 z g l l l"),
    Case("plain-words", "} } } } } } } : ‹detail plain› enter", file: builtIn),
    Case("plain-presented", "} } } } } } } : ‹detail plain› enter s s * 3", file: builtIn),
    Case("bits-of-rows", "} } } } 3 z e"),
    Case("reading", "} } } } Z Z"),
    Case("tables", "} } } } Z"),
    Case("present", "} } } } } } } *", file: builtIn),
    Case("mapped-beside", repaired + "} } } } }", file: alias),
  ]

  static let donation = "scenarios/pkvm/donation.pw"
  static let realm = "scenarios/cca/one-owner.pw"

  /// Where memory has owners: the tables of pKVM, of a realm, and beside an RMP; and VMIDs of the SMMU.
  private static let isolated = [
    Case("pkvm", "$", file: donation),
    Case("pkvm-host", "$ 1 z", file: donation),
    Case("pkvm-guest", "$ 2 z", file: donation),
    Case("pkvm-device", "$ 3 z", file: donation),
    Case("pkvm-owners", "} } } O", file: "scenarios/pkvm/guest-sharing.pw"),
    Case("pkvm-entry", "$ 1 t", file: donation),
    Case("pkvm-windows", "} } } } } V", file: donation),
    Case("realm", "$", file: realm),
    Case("realm-table", "$ 1 z", file: realm),
    Case("realm-owners", "} } } } O", file: realm),
    Case("realm-entry", "$ 1 t", file: realm),
    Case("rmp", "} } }", file: "scenarios/rmp/rmp-first.pw"),
    Case("rmp-windows", "} } } } , V", file: "scenarios/rmp/rmp-first.pw"),
    Case("rmp-entry", "} } } 2 t", file: "scenarios/rmp/rmp-first.pw"),
    Case("vmids", "} }", file: "scenarios/btm/rollover-unpinned.pw"),
    Case("vmids-counters", "} } #", file: "scenarios/btm/rollover-unpinned.pw"),
    Case("vmids-tlb", "$ T", file: "scenarios/btm/rollover-unpinned.pw"),
    Case("shared-addresses", "$ T", file: "scenarios/btm/aset.pw"),
  ]

  /// Where there is nothing to be seen yet.
  private static let empty = [
    Case("empty-guest", "2 z"),
    Case("empty-shadow", "3 z"),
    Case("empty-reverse-map", "$ 4 z"),
    Case("empty-steps", "5 z"),
    Case("empty-tlb", "T"),
    Case("empty-watches", "ctrl-w"),
    Case("empty-marks", "\""),
    Case("empty-forecast", "$ : ‹l1 read 0x80000000› enter v"),
    Case("empty-filter", "} } f ‹stale› enter"),
    Case("empty-reverse-map-entries", repaired + "4 z"),
  ]

  /// The answers to all questions.
  private static let answers = [
    Case("answer-entry", "} } } } 3 t"),
    Case("answer-provenance", "} } } } } } 3 w"),
    Case("answer-forecast", "} } } } } v"),
    Case("answer-aliases", "} } } } } 3 a"),
    Case("answer-tlb", "} } } } } T"),
    Case("answer-shadows", repaired + "} } } } } L", file: alias),
    Case("answer-windows", "$ V", statements: device),
    Case("answer-owners", "$ O", file: "scenarios/rmp/firmware.pw"),
    Case("answer-counters", "$ #"),
    Case("answer-rules", "$ !", file: "scenarios/bugs/relax.pw"),
    Case("answer-costs", "$ %"),
    Case("answer-watches", "} } } } 3 W : ‹watch unmap or fault› enter ctrl-w"),
    Case("answer-marks", "} } m a } } \""),
    Case("answer-branches", "} } } : ‹l2 write 0x30000› enter B"),
    Case("answer-diff", "} } } } m a } } 3 d"),
    Case("answer-diff-panes", "$ 3 D"),
    Case("answer-disagreement", "} } } : ‹disagreement› enter", file: "scenarios/iommu/discard.pw"),
    Case("answer-list", "} } } } } : ‹list w› enter"),
    Case("answer-count", "} } } } } : ‹count w› enter"),
  ]

  /// What opens above the panes.
  private static let sheets = [
    Case("help", "?"),
    Case(
      "left-out", "$ : ‹mute 1› enter",
      statements: """
        memslot 0 0x40000000 4M backing=4K
        host write 0x40000000 4K
        host read 0x40000000 4K
        """),
    Case(
      "mistakes", mistakesIn: "pagewalk 1\nvm ipa=40 nested=on\nl1 reed 0x0\nhost discrad 0x0 4K\n"),
    Case("opening", "E"),
    Case("opening-narrowed", "E / ‹rmp›"),
    Case("help-narrowed", "? / ‹mark›"),
    Case("help-by-key", "? / ‹w› enter"),
    Case("glossary", "} } } } . ? K"),
    Case("glossary-word", "} } } } . K"),
    Case("reference", "} } } } . R"),
  ]

  /// Lines that are typed, and what is said about them.
  private static let prompts = [
    Case("prompt", "} } : ‹l2 › tab"),
    Case("prompt-wrong", "} } : ‹l2 jump 5› enter"),
    Case("prompt-filter", "} } f ‹per›"),
    Case("prompt-search", "} } / ‹table›"),
    Case("refusal", ","),
  ]

  /// What a lesson says and asks.
  private static let lessons = [
    Case("lesson-text", "", lesson: "two-stages", from: "the-shadow"),
    Case("lesson-question", "down", lesson: "two-stages", from: "unmapped"),
    Case("lesson-hints", "down enter enter enter", lesson: "two-stages", from: "block"),
    Case("lesson-outcome", "enter", lesson: "two-stages", from: "unmapped"),
    Case("lesson-refuted", "down enter enter", lesson: "shadow-is-a-tlb", from: "whose-fault"),
    Case("lesson-typed", "enter ‹l1 tlbi › tab", lesson: "shadow-is-a-tlb", from: "suffices"),
    Case("class-text", "enter", lesson: "one-walk", from: "three-looks", isForClass: true),
    Case(
      "class-question", "1 2 3 3 2 2", lesson: "two-stages", from: "unmapped", isForClass: true),
    Case(
      "class-outcome", "1 2 3 3 2 2 enter", lesson: "two-stages", from: "unmapped",
      isForClass: true),
  ]

  /// Two histories side by side.
  private static let histories = [
    Case("histories-beside", ": ‹14› enter : ‹host discard 0x80005000 4K› enter = ."),
    Case(
      "histories-policies", "P ‹repaired› enter = ]", file: "scenarios/bugs/two-unmappers.pw"),
  ]

  private static let files = GoldenFiles("Frames")

  @Test(arguments: cases)
  func `a frame is as it was`(_ frameCase: Case) throws {
    for (width, height) in frameCase.sizes {
      let frame = try frameCase.screen(width, height).frame
      #expect(StateMarkTests.unwrittenStates(in: frame).isEmpty, "\(frameCase.name)")
      let difference = try Self.files.difference(frameCase.fileName(width, height), frame.text)
      #expect(difference == nil)
    }
  }

  @Test func `every pane, kind of table, answer and sheet has a frame`() throws {
    var panes: Set<Pane> = []
    var tables: Set<String> = []
    var topics: Set<Topic> = []
    var sheets: Set<String> = []
    for frameCase in Self.cases where !frameCase.name.hasPrefix("tiny") {
      let model = try frameCase.screen(120, 40).model
      let shown = Layout(model).panes.map(\.pane)
      panes.formUnion(shown)
      if shown.contains(.answer) { topics.insert(model.question) }
      for pane in shown where model.reader(of: pane) != nil {
        if let id = model.tableID(of: pane) { tables.insert(id.name.filter { !$0.isNumber }) }
      }
      switch model.sheet?.kind {
      case .help: sheets.insert("help")
      case .glossary: sheets.insert("glossary")
      case .term: sheets.insert("term")
      case .reference: sheets.insert("reference")
      case .start: sheets.insert("start")
      case .mistakes: sheets.insert("mistakes")
      case .leftOut: sheets.insert("left-out")
      case nil: break
      }
    }
    #expect(panes == Set(Pane.allCases))
    // The glossary opens above the panes.
    #expect(topics.union([.question(.glossary)]) == Set(Topic.allCases))
    #expect(
      tables == ["canonical", "guest", "shadow", "iommu", "pkvm-host", "pkvm-guest"])
    #expect(sheets == ["help", "glossary", "term", "reference", "start", "mistakes", "left-out"])
  }

  @Test func `every file of a frame belongs to one`() throws {
    let expected = Self.cases.flatMap { frameCase in
      frameCase.sizes.map { frameCase.fileName($0.0, $0.1) }
    }
    #expect(try Self.files.strangers(beside: expected).isEmpty)
  }
}
