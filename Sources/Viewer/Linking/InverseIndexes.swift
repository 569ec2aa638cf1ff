import Inquiry

/// The indexes of the tables at one moment.
struct InverseIndexes {
  private var place: Place?
  var indexes: [InverseIndex] = []

  /// Drops them if they are of another moment.
  mutating func belong(to place: Place) {
    if self.place != place { self = InverseIndexes(place: place) }
  }
}
