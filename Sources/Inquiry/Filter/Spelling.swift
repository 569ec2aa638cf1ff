/// Finds the word that a person may have meant.
package enum Spelling {
  /// The candidate that differs least from a word, by at most a third of its letters, or two if that is
  /// more; nil if none is that near. The first of equals wins.
  package static func nearest(to word: some StringProtocol, in candidates: [String]) -> String? {
    let typed = Array(word.lowercased().utf8.prefix(lettersAtMost))
    let limit = max(2, typed.count / 3)
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(typed, Array(candidate.utf8))
      if distance <= limit, distance < candidate.utf8.count, distance < best?.distance ?? .max {
        best = (candidate, distance)
      }
    }
    return best?.candidate
  }

  /// The candidates, those that differ least from a word first, equals in their order.
  package static func byDistance(
    from word: some StringProtocol, _ candidates: [String]
  ) -> [String] {
    let typed = Array(word.lowercased().utf8.prefix(lettersAtMost))
    let distances = candidates.map {
      distance(typed, Array($0.lowercased().utf8.prefix(lettersAtMost)))
    }
    return candidates.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
      .map { candidates[$0] }
  }

  private static let lettersAtMost = 64

  /// The number of letters to add, remove, replace or swap with a neighbour to turn one word into the
  /// other.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before: [Int] = []
    var row = Array(0...b.count)
    for i in a.indices {
      var next = [i + 1]
      for j in b.indices {
        var least = min(row[j + 1] + 1, next[j] + 1, row[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, before[j - 1] + 1)
        }
        next.append(least)
      }
      (before, row) = (row, next)
    }
    return row[b.count]
  }
}
