import Engine

/// A text as a JSON string.
///
/// - Parameter isPlain: whether a scalar may stay as it is; `"` and `\\` never do. Others are spelled by
///   their UTF-16 numbers.
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
