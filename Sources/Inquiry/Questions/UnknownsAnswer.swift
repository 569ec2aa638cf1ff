import Engine
import Language

/// What is not known of the machine, because its tables are a real kernel's and nobody told it.
package struct UnknownsAnswer: Answer {
  /// What is not known, and what that means for what is shown.
  package struct Unknown: Encodable, Sendable {
    package let name: String
    package let meaning: String
  }

  package private(set) var unknowns: [Unknown]

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    self.init(of: session.timeline.machine)
    unknowns += session.leftOut.prefix(Report.linesAtMost).compactMap { left in
      left.place.map {
        Unknown(
          name: "left out",
          meaning: "\(left.text), of \($0), which the model refuses: \(left.reason).")
      }
    }
  }

  /// What is not known of a machine. Cost: a walk for each table.
  package init(of machine: Machine) {
    unknowns =
      Self.ofTables(machine.configuration) + machine.unseenRuns
      + Self.ofRest(machine.configuration.evidence)
  }

  private static func ofTables(_ configuration: VMConfiguration) -> [Unknown] {
    guard case .dumps(let format) = configuration.evidence else { return [] }
    var unknowns: [Unknown] = []
    func add(_ bits: UInt64, _ name: String, _ meaning: String) {
      if format.known & bits != bits { unknowns.append(Unknown(name: name, meaning: meaning)) }
    }
    add(
      Descriptor.addressMask, "output addresses",
      "Dumps of debugfs do not tell where an entry leads, nor where its table lies.")
    add(Descriptor.memAttrMask, "memory types", "MemAttr and SH are in no dump.")
    add(
      1 << 53, "XN[0]", "The dump has one mark for execution, so EL1 is taken to be as EL0.")
    add(
      Descriptor.softwareMask, "software bits",
      "Neither the level of L1's leaf in a shadow, nor LOCKED and annotations.")
    return unknowns
  }

  private static func ofRest(_ evidence: Evidence) -> [Unknown] {
    let contents = Unknown(
      name: "contents",
      meaning: "What the VM's memory holds, and so the tables that L1 keeps in it.")
    return switch evidence {
    case .events: []
    case .calls: [contents]
    case .dumps:
      [
        contents,
        Unknown(
          name: "order",
          meaning:
            "What happened between two moments, and in which order: rows are told as they stand in a dump."
        ),
      ]
    }
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    if unknowns.isEmpty { report.add("Everything is known: the machine is the model's own.") }
    for unknown in unknowns {
      report.add(
        Report.Text("\(Sign.unknown) ", .dim).adding(unknown.name.padded(to: 18), .heading)
          .adding(unknown.meaning), indent: 20)
    }
    return report
  }
}

extension Machine {
  /// Which ends of tables no dump told. Cost: a walk for each table.
  fileprivate var unseenRuns: [UnknownsAnswer.Unknown] {
    guard configuration.isSeen else { return [] }
    let tables = tableIDs.compactMap { table($0) }
    func isUnseen(_ address: (Table) -> UInt64) -> Bool {
      tables.contains { walk(address($0), in: $0).descriptor.isUnseen }
    }
    return
      (isUnseen { _ in 0 }
      ? [
        UnknownsAnswer.Unknown(
          name: "first run", meaning: "No row of a dump tells where a table begins.")
      ] : [])
      + (isUnseen { $0.geometry.inputSize - 1 }
        ? [
          UnknownsAnswer.Unknown(
            name: "last run",
            meaning:
              "No row of a dump tells where a table ends: kernels before 7.3 do not print it.")
        ] : [])
      + unseenMaps
  }

  /// Which reverse maps no dump told, and from where on.
  private var unseenMaps: [UnknownsAnswer.Unknown] {
    let maps = (0..<configuration.shadows).compactMap { number in
      reverseMapUnseen(ofShadow: number).map {
        TableID.shadow(number).phrase + ($0 == 0 ? "" : " from canonical \(Phrase.address($0)) on")
      }
    }
    if maps.isEmpty { return [] }
    return [
      UnknownsAnswer.Unknown(
        name: "reverse maps",
        meaning: "No dump tells what those of \(maps.joined(separator: ", ")) hold at this moment.")
    ]
  }
}
