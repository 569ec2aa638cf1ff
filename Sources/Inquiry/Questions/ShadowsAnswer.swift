import Engine
import Language

/// The shadow tables, in use or not.
package struct ShadowsAnswer: Answer {
  package struct Shadow: Encodable, Sendable {
    package let number: Int
    /// Nil if no dump told it.
    package let isInUse: Bool?
    package let isPendingUnmap: Bool
    /// Whether the current event took it from another context.
    package let isRecycled: Bool
    package let hasStage2: Bool
    /// L1's VMID.
    package let guestVMID: UInt64
    /// The hardware's VMID, 0 if no vCPU has run with it; nil if it is not known.
    package let vmid: UInt16?
    @Hex package private(set) var vttbr: UInt64
    @Hex package private(set) var vtcr: UInt64
    /// Nil without a reverse map.
    package let reverseMap: ReverseMap?
  }

  package struct ReverseMap: Encodable, Sendable {
    package let entries: Int
    package let bytes: Int
    package let isBroken: Bool
    /// Leaves of the shadow that no entry covers; nil where that cannot be judged.
    package let uncovered: Int?

    /// How many leaves no entry covers, in words.
    package static func coverage(_ uncovered: Int) -> String {
      uncovered == 0
        ? "every leaf covered" : "\(count(uncovered, "leaf", "leaves")) not covered"
    }
  }

  package let shadows: [Shadow]

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let timeline = session.timeline
    let machine = timeline.machine
    let recycled = timeline.steps.prefix(timeline.stepsDone)
      .filter { if case .fault(.shadowRecycled) = $0.action { true } else { false } }.map(\.table)
    let told = machine.configuration.isSeen ? Self.told(in: timeline) : nil
    let uncovered = (0..<machine.configuration.shadows).map {
      session.uncoveredLeaves(ofShadow: $0)
    }
    shadows = (0..<machine.configuration.shadows).map { number in
      let context = machine.shadowContext(number)
      let size = machine.reverseMapSize(ofShadow: number)
      return Shadow(
        number: number,
        isInUse: context.isValid || told?.contains(.shadow(number)) ?? true
          ? context.isValid : nil, isPendingUnmap: context.pendingUnmap,
        isRecycled: recycled.contains(.shadow(number)), hasStage2: context.stage2Enabled,
        guestVMID: context.vttbr >> 48,
        vmid: machine.configuration.isRecorded ? nil : context.vmid, vttbr: context.vttbr,
        vtcr: context.vtcr,
        reverseMap: machine.configuration.reverseMap == .none
          ? nil
          : ReverseMap(
            entries: size.reverse + size.direct, bytes: size.bytes,
            isBroken: machine.isReverseMapBroken(ofShadow: number), uncovered: uncovered[number]))
    }
  }

  /// The shadows of which a dump was read so far. O(n) in the events.
  private static func told(in timeline: Timeline) -> Set<TableID> {
    Set(
      timeline.events.prefix(timeline.moment.events).compactMap { event in
        guard case .recorded(let call) = event else { return nil }
        return switch call {
        case .context(let table, _, _, _), .unused(let table): table
        default: nil
        }
      })
  }

  package func report(_ detail: DetailLevel) -> Report {
    let indent = "           "
    var report = Report()
    for shadow in shadows {
      var line = Report.Text("shadow \(shadow.number)  ".padded(to: indent.utf8.count), .heading)
      guard shadow.isInUse == true else {
        report.add(
          line.adding(shadow.isInUse == nil ? "\(Sign.unknown) not told" : "not in use", .dim),
          to: .place(.shadow(shadow.number), 0))
        continue
      }
      line.add(
        shadow.isPendingUnmap ? "pending unmap" : "in use",
        shadow.isPendingUnmap ? .warning : .plain)
      if shadow.isRecycled { line.add(", just recycled", .changed) }
      if !shadow.hasStage2 { line.add(", stage 2 off", .warning) }
      line.add("  " + detail.text("L1's VMID \(shadow.guestVMID)"))
      if let vmid = shadow.vmid {
        line.add(vmid > 0 ? ", " + detail.text("VMID \(vmid)") : ", never run")
      }
      report.add(line, to: .place(.shadow(shadow.number), 0))
      if detail != .plain {
        report.add(
          Report.Text(indent)
            .adding("VTTBR \(hex: shadow.vttbr)  VTCR \(hex: shadow.vtcr)", .dim))
      }
      if let map = shadow.reverseMap {
        var line = Report.Text(indent)
        line.add("reverse map: \(map.entries) entries, \(map.bytes) bytes", .dim)
        if map.isBroken {
          line.add(" broken", .error)
        } else if let uncovered = map.uncovered {
          line.add(
            ", " + detail.text(Self.ReverseMap.coverage(uncovered)),
            uncovered > 0 ? .mismatch : .dim)
        }
        report.add(line)
      }
    }
    report.addBlank()
    report.add(
      detail.text("2 per vCPU. When all are in use, the next in turn is recycled."), .dim)
    return report
  }
}
