/// Bytes as text, by RFC 4648.
func base64(_ bytes: [UInt8]) -> String {
  var text: [UInt8] = []
  for place in stride(from: 0, to: bytes.count, by: 3) {
    let three = bytes[place..<min(place + 3, bytes.count)]
    let word = three.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - three.count))
    for digit in 0...3 {
      text.append(
        digit <= three.count ? base64Digits[word >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}

private let base64Digits = Array(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
