import Engine

/// Takes the operands of one statement, word by word. Every `take` names what it expects, for the message.
struct Operands {
  private(set) var words: Words
  private var index = 0

  init(_ words: Words) { self.words = words }

  /// Goes on with the line that starts at `start`, and returns where the next one starts.
  mutating func read(from start: Int) throws(Mistake) -> Int {
    index = 0
    return try words.read(from: start)
  }

  var isAtEnd: Bool { index == words.words.count }

  /// The next word, if there is one.
  var next: Word? { isAtEnd ? nil : words.words[index] }

  func mistake(_ expected: String) -> Mistake {
    Mistake(offset: next?.range.lowerBound ?? words.end, message: "expected " + expected)
  }

  /// The next word, whatever it is.
  mutating func take(_ expected: @autoclosure () -> String) throws(Mistake) -> Word {
    guard let word = next else { throw mistake(expected()) }
    index += 1
    return word
  }

  /// Takes the next word if it is `keyword`.
  mutating func takeIf(_ keyword: StaticString) -> Bool {
    guard let word = next, words.word(word, is: keyword) else { return false }
    index += 1
    return true
  }

  mutating func take(keyword: StaticString) throws(Mistake) {
    if !takeIf(keyword) { throw mistake("'\(keyword)'") }
  }

  /// One of a few words.
  mutating func take<Value>(_ choices: KeyValuePairs<StaticString, Value>) throws(Mistake) -> Value
  {
    for (keyword, value) in choices where takeIf(keyword) { return value }
    throw mistake(choices.map { "'\($0.key)'" }.joined(separator: ", "))
  }

  mutating func number(_ name: String) throws(Mistake) -> UInt64 {
    guard let word = next, let value = words.number(word.range), !word.isQuoted else {
      throw mistake("\(name): a decimal or 0x number, K M G T allowed")
    }
    index += 1
    return value
  }

  /// A text in quotes, or one bare word.
  mutating func text(_ name: String) throws(Mistake) -> String {
    try words.text(try take("\(name) in quotes"))
  }

  /// The rest of a word `key=…`, or nil if the next word is another.
  mutating func takeValue(_ key: StaticString) -> Range<Int>? {
    guard let word = next, words.hasPrefix(word, key) else { return nil }
    index += 1
    return word.range.lowerBound + key.utf8CodeUnitCount..<word.range.upperBound
  }

  /// A number in a word `key=NUMBER`, or nil if the next word is another.
  mutating func option(_ key: StaticString) throws(Mistake) -> UInt64? {
    guard let range = takeValue(key) else { return nil }
    guard let value = words.number(range) else {
      throw Mistake(offset: range.lowerBound, message: "expected a number after '\(key)'")
    }
    return value
  }

  mutating func required(_ key: StaticString) throws(Mistake) -> UInt64 {
    guard let value = try option(key) else { throw mistake("'\(key)NUMBER'") }
    return value
  }

  /// One of a few words after `key=`.
  mutating func required<Value>(
    _ key: StaticString, _ choices: KeyValuePairs<StaticString, Value>
  ) throws(Mistake) -> Value {
    let expected = choices.map { "\($0.key)" }.joined(separator: "|")
    guard let range = takeValue(key) else { throw mistake("'\(key)\(expected)'") }
    let word = Word(range: range, isQuoted: false)
    for (keyword, value) in choices where words.word(word, is: keyword) { return value }
    throw Mistake(offset: range.lowerBound, message: "expected \(expected) after '\(key)'")
  }

  /// A range of addresses: start and size.
  mutating func range(_ name: String = "IPA") throws(Mistake) -> Range<UInt64> {
    let start = try number(name)
    let place = next
    let size = try number("SIZE")
    let (end, overflow) = start.addingReportingOverflow(size)
    if size == 0 || overflow || end > 1 << 48 {
      throw Mistake(
        offset: place?.range.lowerBound ?? words.end,
        message: "expected a size above 0 that stays below 2^48")
    }
    return start..<end
  }

  mutating func finish() throws(Mistake) {
    if let word = next {
      throw Mistake(
        offset: word.range.lowerBound, message: "expected the end of the statement")
    }
  }
}
