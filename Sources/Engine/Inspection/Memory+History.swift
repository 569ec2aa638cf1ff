/// Asking the journal.
extension Memory {
  /// The last of some stores that changed one of a few words, or nil.
  public func lastStore(toAny slots: [Int], in stores: Range<Int>) -> Int? {
    stores.last { slots.contains(journalEntry($0).slot) }
  }
}
