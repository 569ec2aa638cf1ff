import Engine
import Foundation
import Inquiry
import KernelText
import Language
import TestSupport
import Testing

/// Answers are values: each against something that finds it another way.
@Suite struct QuestionTests {
  /// Scenarios with shadows, with devices, and with owners.
  static let files = [
    "nested/three-tables.pw", "bugs/relax.pw", "iommu/discard.pw", "rmp/rmp-first.pw",
    "cca/one-owner.pw",
    "pkvm/donation.pw", "btm/aset.pw",
  ]

  /// A session at its end.
  static func session(_ file: String) throws -> Session {
    var session = Session(try shippedScenario(file))
    try session.finish()
    return session
  }

  /// Moments of a session: after at most so many events, evenly.
  static func moments(of session: Session, _ number: Int = 6) -> [Moment] {
    let count = session.timeline.events.count
    return stride(from: 0, through: count, by: max(1, count / number)).map { Moment(events: $0) }
  }

  static func answer<A: Answer>(
    _ type: A.Type, _ session: inout Session, _ change: (inout Subject) -> Void = { _ in }
  ) throws -> A {
    var subject = Subject()
    change(&subject)
    return try A(about: subject, in: &session)
  }

  @Test func `permissions of a device's stage 1 are the same in every answer and step`() throws {
    let text = """
      pagewalk 1
      vm ipa=40
      iommu attach
      iommu map 0x40000000 4K 0x880000000 rw
      iommu map 0x40001000 4K 0x890001000 r
      dev read 0x40000000
      dev read 0x40001000
      """
    var session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "test.pw"))
    try session.finish()
    for (address, output, wanted) in [
      (UInt64(0x4000_0000), "0x880000000", "RWX"), (0x4000_1000, "0x890001000", "R-X"),
    ] {
      var texts: [String] = []
      for question in [Question.entry, .list, .tlb, .aliases, .provenance] {
        var subject = Subject()
        (subject.table, subject.address, subject.text) = (.iommu(0), address, "leaf")
        guard let answer = try? question.answer(about: subject, in: &session) else { continue }
        texts.append(answer.report(.engineer).text)
      }
      for event in 1...4 {
        session.seek(to: Moment(events: event))
        texts += session.timeline.steps.map(\.explanation.what)
      }
      session.seek(to: Moment(events: 5))
      let notations = ["RWX", "RW-", "R-X", "R--", "-WX", "-W-", "--X"]
      let lines = texts.joined(separator: "\n").split(separator: "\n").filter { line in
        line.contains(output) && notations.contains { line.contains($0) }
      }
      #expect(lines.count > 5 && lines.allSatisfy { $0.contains(wanted) }, "\(lines)")
    }
  }

  /// All pages that a table maps, found by a walk to each: input address to output and permissions.
  private func pages(of table: TableID, in machine: Machine) -> [UInt64: (UInt64, Permissions)] {
    var pages: [UInt64: (UInt64, Permissions)] = [:]
    guard let reader = machine.reader(of: table) else { return pages }
    func visit(_ page: TablePage) {
      for index in 0..<page.count {
        let entry = page[index]
        if let child = reader.child(of: index, in: page) {
          visit(child)
        } else if entry.isLeaf(page.level) {
          let start = page.address(of: index)
          let output = entry.address(granuleShift: reader.geometry.granuleShift)
          for offset in stride(from: 0, to: min(page.entrySize, 4 << 20), by: 4096) {
            pages[start + offset] = (output + offset, entry.permissions)
          }
        }
      }
    }
    visit(reader.root)
    return pages
  }

  @Test(arguments: files)
  func `every question has an answer, or says why not, at every moment`(file: String) throws {
    var session = try Self.session(file)
    for moment in Self.moments(of: session) {
      session.seek(to: moment)
      for question in Question.allCases {
        var subject = Subject()
        switch question.facts.operand {
        case .address: subject.address = 0x8000_0000
        case .other: subject.text = "start"
        case .word: subject.text = "stale"
        case .filter: subject.text = "w"
        case .nothing: break
        }
        do {
          let answer = try question.answer(about: subject, in: &session)
          for detail in DetailLevel.allCases {
            #expect(!answer.report(detail).text.isEmpty, "\(question) \(moment)")
          }
          let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(answer))
          #expect(!((json as? [String: Any]) ?? [:]).isEmpty, "\(question)")
        } catch let error as Unanswerable {
          #expect(error.message.hasSuffix("."), "\(question) \(error)")
        }
        #expect(session.timeline.moment == moment, "\(question)")
      }
    }
  }

  @Test func `the table of questions has a name, a title and a key once each`() {
    let facts = Question.allCases.map(\.facts)
    #expect(Set(facts.map(\.title)).count == facts.count)
    let keys = facts.map(\.key).filter { !$0.isEmpty }
    #expect(Set(keys).count == keys.count)
    for question in Question.allCases {
      #expect(Question(name: question.name) == question)
      #expect(!question.facts.summary.hasSuffix("."))
    }
  }

  @Test(arguments: ["nested/three-tables.pw", "iommu/discard.pw", "pkvm/donation.pw"])
  func `aliases are what reading all tables finds`(file: String) throws {
    var session = try Self.session(file)
    for moment in Self.moments(of: session) {
      session.seek(to: moment)
      let machine = session.timeline.machine
      let table = machine.cpuTableID
      let all = machine.tableIDs.map { ($0, pages(of: $0, in: machine)) }
      let own = pages(of: table, in: machine).sorted { $0.key < $1.key }
      for (address, (physical, _)) in own.prefix(20) {
        let answer = try Self.answer(AliasesAnswer.self, &session) {
          $0.table = table
          $0.address = address
        }
        #expect(answer.physical == physical && answer.isComplete && !answer.isCut)
        let listed = Set(answer.places.map { "\($0.table.name) \($0.address)" })
        for (other, pages) in all {
          // L1's tables lead to canonical addresses, all others to physical ones. A device with the VMM's
          // addresses shares none with the CPUs.
          if case .iommu(let device) = other, machine.sharesAddresses(device) { continue }
          let wanted = if case .guest = other { address } else { physical }
          for (input, (output, _)) in pages where output == wanted {
            #expect(
              listed.contains("\(other.name) \(input)"), "\(file) \(moment) \(other) \(input)")
          }
        }
      }
    }
  }

  /// Sessions, then two moments, and what differs in entries that are no leaves.
  @Test(arguments: [
    ("cca/one-owner.pw", "start", "9", "@0 empty, @9 RIPAS RAM"),
    ("cca/one-owner.pw", "6", "8", "@6 empty, @8 table at "),
  ])
  func `notes in entries and tables are a part of the difference`(
    file: String, then: String, now: String, what: String
  ) throws {
    var session = try Self.session(file)
    session.seek(to: try #require(session.moment(named: now)))
    let answer = try Self.answer(DifferenceAnswer.self, &session) {
      $0.table = .canonical
      $0.text = then
    }
    let found = answer.items.filter { $0.kind == .entry }.map(\.what)
    #expect(found.contains { $0.hasPrefix(what) }, "\(found)")
    #expect(answer.isNo)
  }

  @Test(arguments: ["pkvm/donation.pw", "cca/one-owner.pw", "sharing/donation-bbm0.pw"])
  func `the difference of entries is what reading entry by entry finds`(file: String) throws {
    var session = try Self.session(file)
    let moments = Self.moments(of: session)
    for (then, now) in zip(moments, moments.dropFirst(1)) {
      session.seek(to: then)
      let before = session.timeline.machine
      session.seek(to: now)
      let after = session.timeline.machine
      for table in after.tableIDs {
        guard let one = before.reader(of: table), let two = after.reader(of: table) else {
          continue
        }
        let answer = try Self.answer(DifferenceAnswer.self, &session) {
          $0.table = table
          $0.text = then.name
        }
        let listed = answer.items.filter { $0.kind == .entry && !$0.what.contains("table at") }
        // Each page of some memory, by the entry at which a walk of it ends.
        let pages = [0x8000_0000, 0x8_0000_0000].flatMap { (start: UInt64) in
          stride(from: start, to: start + 0x40_0000, by: 4096)
        }
        for page in pages {
          func end(_ reader: TableReader) -> (Descriptor, Int)? {
            reader.path(to: page).last.map { ($0.page[$0.index], $0.page.level) }
          }
          guard page < one.geometry.inputSize, let (first, level) = end(one),
            let (second, other) = end(two)
          else { continue }
          let isNote =
            [(first, level), (second, other)].contains {
              $0.0.bits != 0 && !one.geometry.isLeaf($0.0, at: $0.1)
            }
          let words = [
            Phrase.entry(first, level: level, in: one.geometry),
            Phrase.entry(second, level: other, in: two.geometry),
          ]
          let differs = isNote && (level == other ? first != second : words[0] != words[1])
          #expect(
            listed.contains { $0.range.contains(page) } == differs,
            "\(file) \(table) \(then)-\(now) \(hex(page)): \(words)")
        }
      }
    }
  }

  @Test(arguments: files)
  func `the difference of two moments is what comparing page by page finds`(file: String) throws {
    var session = try Self.session(file)
    let moments = Self.moments(of: session)
    for (then, now) in zip(moments, moments.dropFirst(1)) {
      session.seek(to: then)
      let before = session.timeline.machine
      session.seek(to: now)
      let after = session.timeline.machine
      for table in after.tableIDs where before.reader(of: table) != nil {
        let answer = try Self.answer(DifferenceAnswer.self, &session) {
          $0.table = table
          $0.text = then.name
        }
        #expect(answer.first == "@\(then.name)" && answer.second == "@\(now.name)")
        let one = pages(of: table, in: before)
        let two = pages(of: table, in: after)
        var differing: Set<UInt64> = []
        for address in Set(one.keys).union(two.keys) {
          let (first, second) = (one[address], two[address])
          if first?.0 != second?.0 || first?.1 != second?.1 { differing.insert(address) }
        }
        let listed = Set(
          answer.items.filter { ![.bits, .size, .attribute, .entry].contains($0.kind) }
            .flatMap { stride(from: $0.range.lowerBound, to: $0.range.upperBound, by: 4096) })
        #expect(listed == differing, "\(file) \(table) \(then)-\(now)")
      }
    }
  }

  @Test(arguments: files)
  func `list and count find what the kernel's dump has`(file: String) throws {
    var session = try Self.session(file)
    for moment in Self.moments(of: session) {
      session.seek(to: moment)
      let machine = session.timeline.machine
      for table in machine.tableIDs {
        if case .guest = table { continue }
        let dump = try #require(KernelDump.text(of: table, in: machine))
        // Rows of the dump: start and end, then size, level and attributes.
        var bytes: UInt64 = 0
        var writable: UInt64 = 0
        for line in dump.split(separator: "\n") where line.hasPrefix("0x") {
          let words = line.split(separator: " ")
          let ends = words[0].split(separator: "-").compactMap {
            UInt64($0.dropFirst(2), radix: 16)
          }
          // What is not mapped has no attributes, what is no valid entry an F.
          guard ends.count == 2, words.count > 3, words[3] != "F" else { continue }
          bytes += ends[1] - ends[0]
          if words.contains("W") { writable += ends[1] - ends[0] }
        }
        func listed(_ filter: String) throws -> UInt64 {
          try Self.answer(ListAnswer.self, &session) {
            $0.table = table
            $0.text = filter
          }.rows.reduce(0) { $0 + ($1.range.upperBound - $1.range.lowerBound) }
        }
        #expect(try listed("w") == writable, "\(file) \(table) \(moment)")
        #expect(try listed("page or block") == bytes, "\(file) \(table) \(moment)")
        let counted = try Self.answer(CountAnswer.self, &session) {
          $0.table = table
          $0.text = "w"
        }
        let rows = try Self.answer(ListAnswer.self, &session) {
          $0.table = table
          $0.text = "w"
        }.rows
        #expect(counted.total == rows.reduce(0) { $0 + $1.entries })
        #expect(counted.isNo == rows.isEmpty)
      }
    }
  }

  @Test(arguments: ["1", "2"])
  func `a pane's marks and the difference judge alike`(stage: String) throws {
    // KVM's write-back with FEAT_S2FWB, io-pgtable-arm's of stage 2, and its index of stage 1 are one memory type.
    var session = try TestSupport.session(
      """
      policy iommu-stage=\(stage)
      memslot 0 0x80000000 4M backing=thp
      l1 write 0x80000000
      iommu attach
      iommu pin 0x80000000 2M
      """)
    let disagreement = try Self.answer(DisagreementAnswer.self, &session)
    #expect(!disagreement.items.contains { $0.disagreement.kind != .presence })
    let difference = try Self.answer(DifferenceAnswer.self, &session) {
      $0.table = .iommu(0)
      $0.text = "canonical"
    }
    #expect(!difference.isNo && difference.items.isEmpty)
  }

  @Test func `memory types that differ are marked and listed`() throws {
    // pKVM leaves the type to the host's stage 1, and says what it is to devices.
    var session = try Self.session("pkvm/donation.pw")
    let disagreement = try Self.answer(DisagreementAnswer.self, &session)
    #expect(disagreement.items.contains { $0.disagreement.kind == .attribute })
    let difference = try Self.answer(DifferenceAnswer.self, &session) {
      $0.table = .iommu(0)
      $0.text = "pkvm-host"
    }
    #expect(difference.isNo && difference.items.contains { $0.kind == .attribute })
  }

  @Test(arguments: ["iommu/discard.pw", "rmp/rmp-first.pw"])
  func `rules that do not hold are those that the machine finds`(file: String) throws {
    var session = try Self.session(file)
    for moment in Self.moments(of: session) where moment.events > 0 {
      session.seek(to: moment)
      let answer = try Self.answer(RulesAnswer.self, &session)
      let timeline = session.timeline
      let found = timeline.machine.violations(after: timeline.stores(ofEvent: moment.events - 1))
      #expect(answer.isNo == !found.isEmpty)
      #expect(Set(answer.violations?.map(\.rule) ?? []) == Set(found.map(\.invariant.rawValue)))
      #expect(answer.checked == moment.events)
    }
  }
}
