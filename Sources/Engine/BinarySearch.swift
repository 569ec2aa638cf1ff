extension Range<Int> {
  /// The first number for which a condition holds, or the upper bound if it holds for none. The condition
  /// must fail for all numbers before that and hold for all after. O(log `count`).
  @inline(__always)
  package func partitioningIndex(where holds: (Int) -> Bool) -> Int {
    var low = lowerBound
    var high = upperBound
    while low < high {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
