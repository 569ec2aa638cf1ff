import Engine
import Inquiry
import Language
import TestSupport
import Testing

/// What an event changes that is in no table: who owns memory.
@Suite struct OwnerChangeTests {
  @Test(arguments: [
    (
      "rmp/rmp-first.pw", "rmp assign",
      "The RMP changed: 0x800400000+6M \u{2192} the guest, by 2M, accepted."
    ), ("cca/one-owner.pw", "realm delegate", "The GPT changed: 0x800400000+16K \u{2192} the RMM"),
  ])
  func `an event that changes owners alone says whose memory is now`(
    file: String, statement: String, sentence: String
  ) throws {
    var session = try QuestionTests.session(file)
    let texts = (0..<session.timeline.events.count).map { session.text(ofEvent: $0) }
    let event = try #require(
      texts.lastIndex { text in
        text.hasPrefix(statement) && (file.hasPrefix("rmp") || text.hasSuffix("16K"))
      })
    session.seek(to: Moment(events: event + 1))
    let answer = try QuestionTests.answer(ExplainAnswer.self, &session)
    #expect(answer.nothing?.hasPrefix(sentence) == true, "\(answer.nothing ?? "")")
  }

  @Test(arguments: ["rmp/firmware.pw", "cca/one-owner.pw", "pkvm/donation.pw"])
  func `memory whose owner changes is what two looks at all owners find`(file: String) throws {
    var session = try QuestionTests.session(file)
    // Without addresses, which of a range are the first page's, and without what the host's table says.
    func words(_ state: OwnedRange.State) -> String {
      switch state {
      case .rmp(let entry):
        "\(entry.isAssigned) \(entry.isLarge) \(entry.isValidated) \(entry.isInUse)"
      case .granule(let state): "\(state)"
      case .page(let host, let hypervisor, let shares, let references, _):
        "\(host) \(hypervisor) \(shares) \(references)"
      }
    }
    func owners(_ machine: Machine) -> [UInt64: String] {
      var found: [UInt64: String] = [:]
      // Granules below are those of the tables.
      for owned in machine.ownedRanges(limit: 100_000).ranges
      where owned.range.lowerBound >= 0x8_0000_0000 {
        for page in stride(from: owned.range.lowerBound, to: owned.range.upperBound, by: 4096) {
          found[page] = words(owned.state)
        }
      }
      return found
    }
    session.seek(to: Moment(events: 0))
    var before = owners(session.timeline.machine)
    for event in 0..<session.timeline.events.count {
      session.seek(to: Moment(events: event + 1))
      let machine = session.timeline.machine
      let past = PastWords(before: session.timeline.stores(ofEvent: event), in: machine.memory)
      let listed = machine.ownerChanges(since: past).map(\.range)
      let after = owners(machine)
      for page in Set(before.keys).union(after.keys) where before[page] != after[page] {
        #expect(
          listed.contains { $0.contains(page) }, "\(file), event \(event + 1), \(hex(page))")
      }
      if listed.isEmpty { #expect(before == after) }
      before = after
    }
  }
}
