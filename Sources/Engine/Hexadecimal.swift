/// A number in hexadecimal with leading zeros.
package func hex(_ value: UInt64, _ digits: Int = 1) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
