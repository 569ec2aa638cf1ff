import Engine

/// A table as a source showed it: runs of entries, and the bits of them that the source contains.
///
/// Missing bits are not zero: `known` says which bits may be used. Runs are ascending and leave no gap
/// from the first to the last.
package struct ObservedTable: Equatable, Sendable {
  /// L1's registers for a shadow, as the kernel prints them above it.
  package struct Context: Equatable, Sendable {
    /// VTCR_EL2 of L1.
    package let vtcr: UInt64
    /// VTTBR_EL2 of L1, with CnP cleared.
    package let vttbr: UInt64
    /// HCR_EL2.VM of L1.
    package let stage2Enabled: Bool

    /// The registers of a shadow.
    package init(vtcr: UInt64, vttbr: UInt64, stage2Enabled: Bool) {
      self.vtcr = vtcr
      self.vttbr = vttbr
      self.stage2Enabled = stage2Enabled
    }
  }

  /// Adjacent entries of one level that look the same in the source.
  package struct Run: Equatable, Sendable {
    /// The first input address.
    package let start: UInt64
    /// The address after the last, above `start`.
    package let end: UInt64
    /// The known bits of each entry. For several with output addresses: the first's, and the others are
    /// contiguous.
    package let descriptor: Descriptor
    /// Level of the entries, 0 to 3.
    package let level: Int8
    /// Its line in the source, from 1; 0 if it has none.
    package let line: Int32

    /// A run at a place of a source.
    package init(_ range: Range<UInt64>, level: Int, descriptor: Descriptor, line: Int) {
      start = range.lowerBound
      end = range.upperBound
      self.descriptor = descriptor
      self.level = Int8(truncatingIfNeeded: level)
      self.line = Int32(clamping: line)
    }

    /// The input addresses.
    package var range: Range<UInt64> { start..<max(start, end) }

    /// Whether the hardware uses the entries.
    package var isMapped: Bool { descriptor.isValid }

    /// Whether the entries are zero: one that is not valid may still have bits.
    package var isEmpty: Bool { descriptor.bits == 0 }
  }

  /// Whether the first or the last run may be missing.
  package enum Coverage: Equatable, Sendable {
    /// The runs reach from 0 to the end of all input addresses.
    case whole
    /// The source never prints the last run, so it is unknown.
    case lastRunMissing
    /// The source began midway.
    case firstRunMissing
  }

  /// L1's registers, if it is a shadow and the source has them.
  package var context: Context?
  /// The runs, ascending.
  package var runs: [Run]
  /// The bits of a leaf's descriptor that the source has.
  package var known: UInt64
  /// Whether a run is missing.
  package var coverage: Coverage

  /// A table as a source showed it.
  package init(
    context: Context? = nil, runs: [Run], known: UInt64, coverage: Coverage = .whole
  ) {
    self.context = context
    self.runs = runs
    self.known = known
    self.coverage = coverage
  }

  /// Whether output addresses are known.
  package var knowsOutputs: Bool { known & Descriptor.addressMask == Descriptor.addressMask }

  /// Number of leaves of a table with 4K pages, known even for a dump without output addresses.
  package var leaves: UInt64 {
    runs.reduce(0) { count, run in
      guard run.isMapped else { return count }
      let size = Geometry.stage2(bits: 48).size(Int(run.level))
      return count &+ max(1, (run.end &- run.start) / size)
    }
  }

  /// The format of entries of which no more is known than the source tells.
  package var format: Descriptor.Format {
    if known == ~0 { return .dump(.descriptors) }
    if known & Descriptor.executeNeverMask == Descriptor.executeNeverMask { return .dump(.words) }
    return known & Descriptor.contiguous == 0 ? .dump(.marks) : .dump(.names)
  }

  /// The entry of a run at an input address of it, as far as it is known. Cost: O(1).
  package func entry(of run: Run, at address: UInt64) -> Descriptor {
    let size = Geometry.stage2(bits: 48).size(Int(run.level))
    let offset = run.isMapped && knowsOutputs ? (address &- run.start) & ~(size - 1) : 0
    return Descriptor(run.descriptor.bits &+ offset, format)
  }

  /// What the source does not say, in the words of a header; empty if it says everything.
  package var unknowns: [String] {
    var words: [String] = []
    if !knowsOutputs { words.append("output addresses") }
    if known & Descriptor.memAttrMask == 0 { words.append("memory types") }
    if known & Descriptor.executeNeverMask == 1 << 54 { words.append("XN[0]") }
    if known & Descriptor.softwareMask == 0 { words.append("software bits") }
    switch coverage {
    case .whole: break
    case .lastRunMissing: words.append("last run")
    case .firstRunMissing: words.append("first run")
    }
    return words
  }

  /// The run that contains an input address, or nil. O(log n) in the number of runs.
  package func run(at address: UInt64) -> Run? {
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    return low < runs.count && runs[low].start <= address ? runs[low] : nil
  }
}
