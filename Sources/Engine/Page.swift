/// The 4 KiB page, the host's and KVM's unit of memory whatever L1's granule is.
package enum Page {
  /// Log2 of the size.
  package static let shift: UInt64 = 12
  /// Bytes.
  package static let size: UInt64 = 1 << shift
  /// Bytes, as a stride.
  package static let stride = Int(size)
}

extension UInt64 {
  /// The first address of the page that holds an address.
  @inline(__always)
  package var page: UInt64 { self & ~(Page.size - 1) }

  /// The distance of an address from the start of its page, in bytes.
  @inline(__always)
  package var pageOffset: UInt64 { self & (Page.size - 1) }
}

extension Range<UInt64> {
  /// Bytes from the first address to the end.
  @inline(__always)
  package var size: UInt64 { upperBound - lowerBound }

  /// The range with its ends moved outward to multiples of a power of two.
  package func aligned(to size: UInt64) -> Range {
    lowerBound & ~(size - 1)..<(upperBound + size - 1) & ~(size - 1)
  }
}
