import Engine

/// The text form of a reverse map: a line for each range, ascending by canonical IPA, its end exclusive.
public enum ReverseMapDump {
  /// The entries of a shadow, which must exist; empty if there are none.
  public static func text(ofShadow number: Int, in machine: Machine) -> String {
    machine.reverseMap(ofShadow: number).map { entry in
      "0x\(hex(entry.canonical.lowerBound))-0x\(hex(entry.canonical.upperBound)) "
        + (entry.nested.map { "known 0x\(hex($0))" } ?? "unknown") + "\n"
    }.joined()
  }
}
