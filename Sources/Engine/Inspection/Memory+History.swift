/// Searching the journal.
extension Memory {
  /// The last of `stores` that changed one of some words, or nil.
  public func lastStore(toAny slots: [Int], in stores: Range<Int>) -> Int? {
    stores.last { slots.contains(journalEntry($0).slot) }
  }
}
