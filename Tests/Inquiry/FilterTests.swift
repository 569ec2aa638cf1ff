import Engine
import Inquiry
import Language
import TestSupport
import Testing

/// Filters: what they find, and what they say to what they do not understand.
@Suite struct FilterTests {
  private func message(_ text: String, _ subject: Filter.Subject = .entries) -> String? {
    do throws(FilterError) {
      _ = try Filter(parsing: text, for: subject)
      return nil
    } catch {
      return error.message
    }
  }

  /// The input addresses that a filter finds in a table of the built-in scenario, after 14 events.
  private func found(_ filter: String, _ table: TableID = .shadow(0)) throws -> [UInt64] {
    var session = Session(try shippedScenario("nested/three-tables.pw"))
    try session.finish()
    session.seek(to: Moment(events: 14))
    return try QuestionTests.answer(ListAnswer.self, &session) {
      $0.table = table
      $0.text = filter
    }.rows.map(\.range.lowerBound)
  }

  @Test(arguments: ["writable", "RW-", "0x30000", "w 2M", "exec=1", "staled", "(w"])
  func `a word that is none is an error, and not a text to look for`(text: String) throws {
    #expect(message(text) != nil)
  }

  @Test func `a wrong word is answered with the nearest one, and all`() throws {
    #expect(message("violatoin", .events)?.contains("did you mean violation?") ?? false)
    #expect(message("staled")?.contains("did you mean stale?") ?? false)
    let all = try #require(message("xyzzy"))
    for word in Filter.Term.words(for: .entries) where word != "not" && word != "or" {
      #expect(all.contains(word), "\(word)")
    }
    #expect(!all.contains("did you mean"))
  }

  @Test func `text in quotes is looked for in what rows show`() throws {
    #expect(try found("\"0x30000\"") == [0x30000])
    #expect(try found("\"00030000\"") == [0x30000])
    #expect(try found("\"RW-\"") == found("perm=rw"))
    #expect(try found("\" 4K\"") == found("size=4K"))
    #expect(try found("\"0x800401000\"") == found("to=0x800401000"))
    #expect(try found("not \"RW-\"") == [])
    #expect(message("\"a") == "Expected a closing quote.")
  }

  @Test func `words combine`() throws {
    #expect(try found("w not from=0x30000") == [0x10000, 0x20000])
    #expect(try found("alias") == [0x10000, 0x20000])
    #expect(try found("(from=0x30000 | from=0x10000) w") == [0x10000, 0x30000])
    #expect(try found("block or level=2") == [])
    #expect(try found("") == [0x10000, 0x20000, 0x30000])
  }

  @Test(arguments: ["w and", "and w", "w and and x", "(w and)", "w and or x", "and"])
  func `and stands between two conditions`(text: String) throws {
    #expect(
      try #require(message(text)).hasPrefix("Expected a condition on each side of `and`: r, w, x"))
    #expect(try found("w and not from=0x30000") == [0x10000, 0x20000])
  }

  @Test func `a value that is nearly one is answered with what was meant`() throws {
    #expect(message("perm=RR") == "perm=RR has a letter twice; did you mean perm=r?")
    #expect(message("perm=wrw") == "perm=wrw has a letter twice; did you mean perm=rw?")
    #expect(message("perm=r--") == nil)
    #expect(message("size=4k") == "Expected a number, not 4k; did you mean 4K?")
    #expect(message("from=0x1000+2m") == "Expected a number, not 2m; did you mean 2M?")
    #expect(message("size=four") == "Expected a number, not four.")
    // As in a scenario.
    #expect(Number.value(of: "4k") == nil)
  }

  @Test func `parentheses have a limit`() throws {
    let deep = String(repeating: "(", count: 20_000)
    #expect(message(deep)?.contains("at most 100") ?? false)
    #expect(
      message(String(repeating: "not ", count: 20_000) + "w")?.contains("at most 100") ?? false)
    let shallow = String(repeating: "(", count: 90) + "w" + String(repeating: ")", count: 90)
    #expect(message(shallow) == nil)
  }

  @Test func `the last page of all addresses is one`() throws {
    #expect(message("from=0xffffffffffffffff") == nil)
    #expect(message("touches=0xffffffffffffffff+1", .events) == "Expected ADDRESS or ADDRESS+SIZE.")
  }

  @Test func `the nearest word is near`() {
    #expect(Spelling.nearest(to: "tbl", in: ["tlb", "rules"]) == "tlb")
    #expect(Spelling.nearest(to: "shadow", in: ["shadows", "owners"]) == "shadows")
    #expect(Spelling.nearest(to: "nothing at all", in: ["tlb", "rules"]) == nil)
  }
}
