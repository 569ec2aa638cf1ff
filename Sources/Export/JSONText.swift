import Engine

/// A text as JSON spells it.
///
/// - Parameter isPlain: whether a scalar may stand as it is; `"` and `\\` never do. What may not is spelled by its
///   UTF-16 numbers.
func json(_ text: String, where isPlain: (Unicode.Scalar) -> Bool) -> String {
  var json = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": json += "\\\(scalar)"
    case _ where isPlain(scalar): json.unicodeScalars.append(scalar)
    default:
      for unit in String(scalar).utf16 { json += "\\u" + hex(UInt64(unit), 4) }
    }
  }
  return json + "\""
}
