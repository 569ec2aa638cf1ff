import Canvas

/// A trace as Perfetto's protocol buffers: a track for each actor with its events, micro-steps nested in them;
/// a counter for the leaves of each table and for each count; and flows from the event that made a leaf to the
/// one that removed it.
///
/// The numbers of fields are those of `perfetto/trace/trace_packet.proto` and `track_event.proto`.
package struct PerfettoTrace: TraceFormat {
  private var tracks: [String: UInt64] = [:]
  private var values: [String: UInt64] = [:]
  private static let root: UInt64 = 1
  private static let sequence: UInt64 = 1

  package init() {}

  package mutating func header(title: SafeText) -> [UInt8] {
    packet(at: nil) { packet in
      packet.message(60) { track in
        track.number(1, Self.root)
        track.text(2, "pagewalk: " + title.string)
        track.text(14, TraceEvent.timeIsOrder)
      }
    }
  }

  package mutating func bytes(of event: TraceEvent) -> [UInt8] {
    let start = UInt64(event.number) * 1_000_000
    var bytes: [UInt8] = []
    let track = track(event.actor, isCounter: false, &bytes)
    bytes += begin(track, at: start, SafeText(event.statement).string) { slice in
      slice.annotation("sentence", SafeText(event.sentence).string)
    }
    for (index, step) in event.steps.enumerated() {
      let (first, last) = event.microseconds(ofStep: index)
      bytes += begin(track, at: start + UInt64(first) * 1_000, SafeText(step.label).string) {
        slice in
        slice.annotation("what", SafeText(step.what).string)
        if !step.table.isEmpty { slice.annotation("table", step.table) }
        slice.pointer("address", step.address)
        if let flow = step.flow { slice.fixed(47, flow) }
      }
      bytes += end(track, at: start + UInt64(last) * 1_000)
    }
    bytes += end(track, at: start + 1_000_000)
    let counts =
      event.leaves.map { ("leaves of " + $0.table, $0.count) }
      + event.counts.map { ($0.name, $0.value) }
    for (name, value) in counts where values[name] != value {
      // A count that was never nonzero needs no track.
      if values[name] == nil, value == 0 { continue }
      values[name] = value
      let track = self.track(name, isCounter: true, &bytes)
      bytes += packet(at: start + 1_000_000) { packet in
        packet.message(11) { slice in
          slice.number(9, 4)
          slice.number(11, track)
          slice.number(30, value)
        }
      }
    }
    return bytes
  }

  package mutating func footer() -> [UInt8] { [] }

  /// The track of a name; adds its description if it is new.
  private mutating func track(_ name: String, isCounter: Bool, _ bytes: inout [UInt8]) -> UInt64 {
    let key = (isCounter ? "counter " : "actor ") + name
    if let known = tracks[key] { return known }
    let track = UInt64(tracks.count) + 2
    tracks[key] = track
    bytes += packet(at: nil) { packet in
      packet.message(60) { description in
        description.number(1, track)
        description.text(2, name)
        description.number(5, Self.root)
        if isCounter { description.message(8) { $0.number(3, 2) } }
        description.number(12, track)
      }
    }
    return track
  }

  private func begin(
    _ track: UInt64, at time: UInt64, _ name: String, _ more: (inout ProtocolBuffer) -> Void
  ) -> [UInt8] {
    packet(at: time) { packet in
      packet.message(11) { slice in
        more(&slice)
        slice.number(9, 1)
        slice.number(11, track)
        slice.text(23, name)
      }
    }
  }

  private func end(_ track: UInt64, at time: UInt64) -> [UInt8] {
    packet(at: time) { packet in
      packet.message(11) { slice in
        slice.number(9, 2)
        slice.number(11, track)
      }
    }
  }

  private func packet(at time: UInt64?, _ fill: (inout ProtocolBuffer) -> Void) -> [UInt8] {
    var trace = ProtocolBuffer()
    trace.message(1) { packet in
      if let time { packet.number(8, time) }
      packet.number(10, Self.sequence)
      fill(&packet)
    }
    return trace.bytes
  }
}

/// Protocol buffer messages as bytes: varints, and length-delimited fields.
struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  mutating func number(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  mutating func fixed(_ field: UInt64, _ value: UInt64) {
    varint(field << 3 | 1)
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  mutating func text(_ field: UInt64, _ text: String) { block(field, Array(text.utf8)) }

  mutating func message(_ field: UInt64, _ fill: (inout ProtocolBuffer) -> Void) {
    var inner = ProtocolBuffer()
    fill(&inner)
    block(field, inner.bytes)
  }

  /// A debug annotation of a track event: a name and a text.
  mutating func annotation(_ name: String, _ text: String) {
    message(4) {
      $0.text(10, name)
      $0.text(6, text)
    }
  }

  /// The same with a number that is shown in hexadecimal.
  mutating func pointer(_ name: String, _ value: UInt64) {
    message(4) {
      $0.text(10, name)
      $0.number(7, value)
    }
  }

  private mutating func block(_ field: UInt64, _ content: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(content.count))
    bytes += content
  }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
}
