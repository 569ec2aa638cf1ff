import Canvas

extension Surface {
  /// Marks all occurrences of a text within rows of `rect`; case counts if it has capitals.
  mutating func mark(_ text: String, in rect: Rect) {
    let hasCapitals = text.contains(where: \.isUppercase)
    func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
      hasCapitals ? scalar : scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar
    }
    let wanted = text.unicodeScalars.map(folded)
    let rect = rect.intersection(bounds)
    guard !wanted.isEmpty, wanted.count <= rect.width else { return }
    for y in rect.y..<rect.bottom {
      let shown = (rect.x..<rect.right).map { folded(self[Point($0, y)].scalar) }
      var x = 0
      while x + wanted.count <= shown.count {
        guard shown[x..<x + wanted.count].elementsEqual(wanted) else {
          x += 1
          continue
        }
        restyle(Rect(x: rect.x + x, y: y, width: wanted.count, height: 1)) { $0.role = .match }
        x += wanted.count
      }
    }
  }
}
