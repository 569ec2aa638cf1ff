import Engine

/// Endless questions of one kind. A seed always gives the same questions; the engine answers them.
///
/// A drill is a generated lesson, so that it is read, played and proved like any other.
package struct Drill: Sendable {
  /// The kind of questions.
  package enum Kind: String, CaseIterable, Sendable {
    case walk, size, permission, notifier, tlbi, ranges, dma

    /// What it trains, for help.
    package var meaning: String {
      switch self {
      case .walk: "levels, indices and entries of a walk"
      case .size: "how large a leaf becomes"
      case .permission: "what two stages allow together"
      case .notifier: "what goes when the host takes a page"
      case .tlbi: "what a TLBI of L1 removes"
      case .ranges: "what the reverse map holds after some faults"
      case .dma: "what DMA gets"
      }
    }
  }

  package let kind: Kind
  /// The lesson's text.
  package let text: String

  /// `count` questions from a seed.
  package init(_ kind: Kind, seed: UInt64, count: Int) {
    self.kind = kind
    var random = SplitMix64(seed: seed &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(of: kind))
    var text = "# Drill: \(kind.rawValue)\n\n~~~lesson\nid: drill-\(kind.rawValue)\n~~~\n"
    for number in 1...max(1, count) {
      text += "\n" + Self.question(kind, number, &random)
    }
    self.text = text
  }

  private static func question(_ kind: Kind, _ number: Int, _ random: inout SplitMix64) -> String {
    switch kind {
    case .walk: walk(number, &random)
    case .size: size(number, &random)
    case .permission: permission(number, &random)
    case .notifier: notifier(number, &random)
    case .tlbi: tlbi(number, &random)
    case .ranges: ranges(number, &random)
    case .dma: dma(number, &random)
    }
  }

  /// The text of a scene and a question.
  private static func block(
    _ kind: String, _ number: Int, scene: [String], _ lines: [String], hints: (String, String),
    after: String
  ) -> String {
    let body = lines + ["hint: " + hints.0, "hint: " + hints.1, "after: " + after]
    return "~~~pw\n" + scene.joined(separator: "\n") + "\n~~~\n\n~~~ask \(kind) q\(number)\n"
      + body.joined(separator: "\n") + "\n~~~\n"
  }

  private static func hex(_ value: UInt64) -> String { Phrase.address(value) }

  // MARK: Walks

  private static func walk(_ number: Int, _ random: inout SplitMix64) -> String {
    let bits = random.one(of: [32, 36, 40, 44, 48])
    let start = UInt64(1) << UInt64(bits - 1)
    let address = start + random.below(1 << 28) << 2 & ~7
    let scene = [
      "pagewalk 1", "vm ipa=\(bits) vcpus=1 nested=off",
      "memslot 0 \(hex(start)) 1G backing=4K",
    ]
    let lines: [String]
    let after: String
    var kind = "number"
    switch random.below(3) {
    case 0:
      lines = [
        "L1's addresses have \(bits) bits. It writes to \(hex(address)). How many entries does a walk for it "
          + "read then?", "> l1 write \(hex(address))", "answer: walk canonical \(hex(address))",
        "belief: levels-are-four",
      ]
      after = "Nine bits a level above twelve, and up to four more in the root."
    case 1:
      let level = random.below(2) + 2
      lines = [
        "L1 writes to \(hex(address)). Which entry of the page of level \(level) does the walk read?",
        "> l1 write \(hex(address))", "answer: index canonical \(hex(address)) \(level)",
        "belief: index-is-page-number",
      ]
      after = "Level 3 takes bits 12 to 20, level 2 takes bits 21 to 29."
    default:
      kind = "count"
      lines = [
        "L1's addresses have \(bits) bits. It writes to \(hex(address)), the first page ever. Of how many "
          + "pages does the table consist then?", "> l1 write \(hex(address))",
        "answer: table-pages canonical", "belief: root-is-a-page",
      ]
      after = "A root has up to 16 pages, and each level below it one."
    }
    return block(
      kind, number, scene: scene, lines,
      hints: (
        "Write the address in binary, and cut it: 12 bits, then 9 for each level.",
        "What is left at the top belongs to the root, if it is at most four bits more."
      ), after: after)
  }

  // MARK: Nested scenes

  /// L1's table of 39 bits, of which level 3 covers nested 0 to 2M, and level 2 nested 1G to 2G.
  private static func nested(revmap: String, backing: String) -> [String] {
    [
      "pagewalk 1", "vm ipa=40 vcpus=1 nested=on", "policy revmap=\(revmap)",
      "memslot 0 0x40000000 4M backing=4K", "memslot 1 0x80000000 8M backing=\(backing)",
      "l1 store 0x40100000 0x40101003", "l1 store 0x40101000 0x40102003",
      "l1 store 0x40100008 0x40103003",
    ]
  }

  private static let context = "l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1"

  /// L1's entry for a page at a nested address below 2M, or a block at 1G and above.
  private static func entry(_ nested: UInt64, _ canonical: UInt64, bits: UInt64 = 0x7ff) -> String {
    nested >= 1 << 30
      ? "l1 store \(hex(0x4010_3000 + (nested - 1 << 30) >> 21 * 8)) \(hex(canonical | bits & ~2))"
      : "l1 store \(hex(0x4010_2000 + nested >> 12 * 8)) \(hex(canonical | bits))"
  }

  private static func size(_ number: Int, _ random: inout SplitMix64) -> String {
    let isHuge = random.below(2) == 1
    let isBlock = random.below(2) == 1
    let isBroken = isHuge && random.below(3) == 0
    let isLogged = random.below(4) == 0
    let page = random.below(512) * 4096
    var scene = nested(revmap: "none", backing: isHuge ? "thp" : "4K")
    let address = isBlock ? (1 << 30) + page : 0x1000
    scene += [
      entry(isBlock ? 1 << 30 : 0x1000, isBlock ? 0x8000_0000 : 0x8000_0000 + page), context,
    ]
    scene.append("host write 0x80000000 2M")
    if isBroken { scene.append("host discard \(hex(0x8000_0000 + (page + 4096) % (2 << 20))) 4K") }
    if isLogged { scene.append("host dirty-log on 0x80000000") }
    let lines = [
      "Behind canonical 0x80000000 the host has \(isHuge ? "a page of 2M" : "pages of 4K")"
        + (isBroken ? ", from which it has just freed 4K" : "")
        + ". L1 maps nested \(hex(address & ~(isBlock ? (2 << 20) - 1 : 4095))) by "
        + (isBlock ? "a block of 2M" : "a page of 4K")
        + (isLogged ? ". Writes to the slot are logged" : "")
        + ". L2 writes to \(hex(address)). How large is the leaf of the shadow?",
      "> l2 write \(hex(address))", "answer: size shadow0 \(hex(address))",
      "belief: shadow-has-guest-size",
    ]
    return block(
      "number", number, scene: scene, lines,
      hints: (
        "What is the largest page that the host has there?",
        "The smallest of all decides: host, L1's leaf, and the log."
      ), after: "The smallest of host page and L1's leaf; and writes are logged page by page.")
  }

  private static func permission(_ number: Int, _ random: inout SplitMix64) -> String {
    let (name, bits) = random.one(
      of: [
        ("read and write", 0x7ff), ("read only", 0x77f), ("write only", 0x7bf), ("nothing", 0x73f),
      ] as [(String, UInt64)])
    let isWrite = random.below(2) == 1
    let isWritten = random.below(2) == 1
    var scene = nested(revmap: "none", backing: "4K")
    scene += [entry(0x1000, 0x8000_0000, bits: bits), context]
    if isWritten { scene.append("host write 0x80000000 4K") }
    let access = isWrite ? "write" : "read"
    let abort = "expect l1 data-abort fsc=0x0f\(isWrite ? " write" : "") ipa=0x1000"
    let lines = [
      "L1's entry for nested 0x1000 allows \(name). The host's page "
        + (isWritten ? "was written by the host" : "was never written")
        + ". L2 \(access)s it. Who deals with that?",
      "> l2 \(access) 0x1000",
      "- KVM alone: the access is done", "  true: not \(abort)", "  belief: one-stage-decides",
      "- L1: it gets a permission fault", "  true: \(abort)", "  belief: permission-is-guests",
    ]
    return block(
      "choose", number, scene: scene, lines,
      hints: (
        "What does L1's entry say about this kind of access?",
        "What the host lacks KVM can get. What L1 forbids is L1's affair."
      ), after: "L1's own restriction is L1's fault; that of the host is repaired in silence.")
  }

  /// Pages of L2 mapped to canonical pages, some to the same one: nested address to canonical.
  private static func names(_ random: inout SplitMix64) -> [(nested: UInt64, canonical: UInt64)] {
    (1...(3 + random.below(3))).map { index in
      (index * 0x1000, 0x8000_0000 + random.below(3) * 0x1000)
    }
  }

  private static func notifier(_ number: Int, _ random: inout SplitMix64) -> String {
    let revmap = random.one(of: ["none", "repaired", "ideal"])
    let names = names(&random)
    var scene = nested(revmap: revmap, backing: "4K")
    scene += names.map { entry($0.nested, $0.canonical) } + [context]
    scene += names.map { "l2 write \(hex($0.nested))" }
    let taken = names[Int(random.below(UInt64(names.count)))].canonical
    let lines = [
      "L2 has used " + list(names)
        + ". The reverse map is that of `\(revmap)`. The host frees canonical "
        + "\(hex(taken)). How many leaves of the shadow are removed?",
      "> host discard \(hex(taken)) 4K", "answer: shadow-removed", "belief: kvm-knows-users",
    ]
    return block(
      "count", number, scene: scene, lines,
      hints: (
        "Does the map know each nested address of the page?",
        "Without a map, or where the address is unknown, all of the shadow goes."
      ),
      after: "Known: that leaf alone. Unknown, or no map: all. An ideal map removes what has to go."
    )
  }

  private static func list(_ names: [(nested: UInt64, canonical: UInt64)]) -> String {
    names.map { "\(hex($0.nested)) (canonical \(hex($0.canonical)))" }.joined(separator: ", ")
  }

  private static func tlbi(_ number: Int, _ random: inout SplitMix64) -> String {
    let pages = (1...(2 + random.below(3))).map { $0 * 0x1000 }
    let inBlock = (0..<(1 + random.below(3))).map { (1 << 30) + $0 * 0x5000 }
    var scene = nested(revmap: "none", backing: "4K")
    scene += pages.map { entry($0, 0x8020_0000 + $0) } + [entry(1 << 30, 0x8000_0000), context]
    scene += (pages + inBlock).map { "l2 read \(hex($0))" }
    let target = random.one(of: pages + inBlock)
    let statement = random.one(of: [
      "l1 tlbi ipas2e1is \(hex(target))", "l1 tlbi ipas2e1is \(hex(target)) ttl=4K:3",
      "l1 tlbi ripas2e1is \(hex(pages[0])) pages=2 granule=4K", "l1 tlbi vmalls12e1is",
      "l1 tlbi vmalle1is",
    ])
    let lines = [
      "L1 maps " + pages.map { hex($0) }.joined(separator: ", ")
        + " by pages, and 2M at 0x40000000 by one block. The host has pages of 4K. L2 has read all of these "
        + "pages, and \(inBlock.map { hex($0) }.joined(separator: ", ")) in the block. How many leaves of the "
        + "shadow does this remove?",
      "> \(statement)", "answer: shadow-removed", "belief: tlbi-is-one-page",
    ]
    return block(
      "count", number, scene: scene, lines,
      hints: (
        "What did L1 map there, and as what?",
        "Without a hint KVM takes the size of L1's entry; with one, what it says."
      ),
      after:
        "What L1 mapped as one goes as one, unless a hint says less. Stage 1 has no leaves here.")
  }

  private static func ranges(_ number: Int, _ random: inout SplitMix64) -> String {
    let names = names(&random)
    var scene = nested(revmap: "repaired", backing: "4K")
    scene += names.map { entry($0.nested, $0.canonical) } + [context]
    let asked = random.one(of: [("ranges 0", "ranges"), ("unknown 0", "unknown ranges")])
    let lines =
      [
        "The reverse map is empty. L2 writes to " + list(names)
          + ". How many \(asked.1) does the map hold then?"
      ] + names.map { "> l2 write \(hex($0.nested))" } + [
        "answer: \(asked.0)", "belief: one-to-one",
      ]
    return block(
      "number", number, scene: scene, lines,
      hints: (
        "Sort the canonical pages: each is one range.",
        "A page with two nested addresses is unknown, and still one range."
      ), after: "One range a canonical page; unknown where two names lead to it.")
  }

  private static func dma(_ number: Int, _ random: inout SplitMix64) -> String {
    let pages = 2 + random.below(3)
    let cached = random.below(pages)
    let used = random.below(pages)
    var scene = [
      "pagewalk 1", "vm ipa=40 vcpus=1 nested=off", "memslot 0 0x80000000 4M backing=4K",
      "iommu attach", "iommu pin 0x80000000 \(hex(pages * 4096))",
      "dev read \(hex(0x8000_0000 + cached * 4096))",
    ]
    let (words, statements) = random.one(
      of: [
        ("Nothing changes.", []),
        (
          "An unmap has removed the leaves, and has not yet invalidated.",
          ["pause at=0x80000000", "iommu unmap 0x80000000 \(hex(pages * 4096))"]
        ),
        ("The kernel has unmapped all of it.", ["iommu unmap 0x80000000 \(hex(pages * 4096))"]),
        (
          "The host has freed the memory behind it.",
          ["host discard 0x80000000 \(hex(pages * 4096))"]
        ),
        ("The device is detached.", ["iommu detach"]),
      ] as [(String, [String])])
    scene += statements
    let physical = hex(0x8_0040_0000 + used * 4096)
    let lines = [
      "\(pages) pages from 0x80000000 on are pinned and mapped for a device, which has read page \(cached). "
        + words + " Now it writes to page \(used). What does the DMA get?",
      "> dev write \(hex(0x8000_0000 + used * 4096))",
      "- The page, by what is cached", "  true: expect dma pa=\(physical) cached",
      "  belief: gone-leaf-stops-dma",
      "- The page, by a walk", "  true: expect dma pa=\(physical) walked",
      "  belief: gone-leaf-stops-dma",
      "- A translation fault", "  true: expect dma fault=translation", "  belief: unmap-stops-dma",
      "- Nothing: it is aborted in silence", "  true: expect dma aborted",
      "  belief: absent-is-blocked",
    ]
    return block(
      "choose", number, scene: scene, lines,
      hints: (
        "Has the SMMU cached this very page?",
        "And if not, what does a walk of the device's table find now?"
      ), after: "First the cache, then the table, and before both whether the device has one.")
  }
}

extension SplitMix64 {
  fileprivate mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

  fileprivate mutating func one<Value>(of values: [Value]) -> Value {
    values[Int(below(UInt64(values.count)))]
  }
}

extension UInt64 {
  /// A generator by kind, so that the same seed gives each kind other questions.
  fileprivate init(of kind: Drill.Kind) {
    self = kind.rawValue.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }
  }
}
