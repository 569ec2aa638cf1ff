import Engine
import Language

/// A number that JSON spells as hexadecimal text, since JSON numbers cannot hold 64 bits everywhere.
@propertyWrapper
package struct Hex<Value: HexValue>: Encodable {
  package var wrappedValue: Value

  package init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue.spelled)
  }
}

extension Hex: Equatable where Value: Equatable {}
extension Hex: Sendable where Value: Sendable {}

/// What `Hex` can spell.
package protocol HexValue {
  associatedtype Spelled: Encodable
  var spelled: Spelled { get }
}

extension UInt64: HexValue {
  package var spelled: String { "\(hex: self)" }
}

extension Optional: HexValue where Wrapped: HexValue {
  package var spelled: Wrapped.Spelled? { map(\.spelled) }
}

extension Array: HexValue where Element: HexValue {
  package var spelled: [Element.Spelled] { map(\.spelled) }
}

extension Range: HexValue where Bound == UInt64 {
  package var spelled: [String: String] {
    ["start": lowerBound.spelled, "end": upperBound.spelled]
  }
}

extension TableID: Encodable {
  /// A table as its name on the command line.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}

extension Moment: Encodable {
  /// A moment in its typed form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}

extension Permissions: Encodable {
  /// Permissions as rows show them.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension Descriptor: Encodable {
  /// The bits in hexadecimal.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bits.spelled)
  }
}
