import Engine

/// The place of a memory slot in the VMM's address space, which translates a notifier's range to canonical
/// IPAs.
package struct HostSlot: Equatable, Sendable {
  /// First canonical IPA.
  package let canonical: UInt64
  /// First address of the VMM, with the same offset in its page.
  package let host: UInt64
  /// Bytes, whole pages.
  package let size: UInt64

  /// A slot; nil if it does not consist of pages, or ends beyond the addresses of a table.
  package init?(canonical: UInt64, host: UInt64, size: UInt64) {
    guard size > 0, (canonical | host | size) & (Page.size - 1) == 0,
      RecordedScenario.range(canonical, size) != nil,
      !host.addingReportingOverflow(size).overflow
    else { return nil }
    self.canonical = canonical
    self.host = host
    self.size = size
  }

  /// The canonical IPAs of the pages that a range of the VMM's addresses touches (`kvm_handle_hva_range`);
  /// nil if it touches none of the slot's.
  package func canonical(of range: Range<UInt64>) -> Range<UInt64>? {
    let start = max(range.lowerBound, host)
    let end = min(range.upperBound, host + size)
    guard start < end else { return nil }
    let first = (start - host) & ~(Page.size - 1)
    let last = (end - host + Page.size - 1) & ~(Page.size - 1)
    return canonical + first..<canonical + last
  }
}
