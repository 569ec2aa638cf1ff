import Engine

/// The random numbers of tests: a printed seed brings them back.
public typealias Generator = SplitMix64

extension Generator {
  /// A number below `bound`.
  public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
