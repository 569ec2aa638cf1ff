extension Rect {
  /// The extent of one part of a rectangle that is split.
  public enum Extent: Hashable, Sendable {
    /// That many cells, as far as available.
    case fixed(Int)
    /// A share of the cells that the fixed parts leave, in proportion to its weight.
    case flexible(weight: Int)

    /// A share of weight 1.
    public static let flexible = Extent.flexible(weight: 1)
  }

  /// Splits the rectangle into parts above each other, the first at the top.
  ///
  /// There are as many rectangles as extents. Without room for all, the last fixed parts are cut and
  /// the flexible ones are empty.
  public func rows(_ extents: Extent...) -> [Rect] {
    rows(extents)
  }

  /// Splits the rectangle into parts above each other, as `rows(_: Extent...)` does.
  public func rows(_ extents: [Extent]) -> [Rect] {
    var top = y
    return Self.share(height, among: extents).map { part in
      defer { top += part }
      return Rect(x: x, y: top, width: width, height: part)
    }
  }

  /// Splits the rectangle into parts beside each other, the first at the left.
  ///
  /// There are as many rectangles as extents. Without room for all, the last fixed parts are cut and
  /// the flexible ones are empty.
  public func columns(_ extents: Extent...) -> [Rect] {
    columns(extents)
  }

  /// Splits the rectangle into parts beside each other, as `columns(_: Extent...)` does.
  public func columns(_ extents: [Extent]) -> [Rect] {
    var left = x
    return Self.share(width, among: extents).map { part in
      defer { left += part }
      return Rect(x: left, y: y, width: part, height: height)
    }
  }

  /// Shares `total` cells out: first to the fixed parts, in order, then the rest by weight.
  ///
  /// The shares add up to `total` when there is a flexible part. Each boundary between flexible parts
  /// is rounded up, so the remainder goes to earlier parts first.
  private static func share(_ total: Int, among extents: [Extent]) -> [Int] {
    var rest = total
    var parts = extents.map { extent in
      guard case .fixed(let cells) = extent else { return 0 }
      let part = min(max(cells, 0), rest)
      rest -= part
      return part
    }
    let weights = extents.map { extent in
      guard case .flexible(let weight) = extent else { return 0 }
      return min(max(weight, 0), limit)
    }
    let whole = weights.reduce(0, +)
    guard whole > 0 else { return parts }
    var seen = 0
    var given = 0
    for (index, weight) in weights.enumerated() where weight > 0 {
      seen += weight
      let boundary = (rest * seen + whole - 1) / whole
      parts[index] = boundary - given
      given = boundary
    }
    return parts
  }
}
