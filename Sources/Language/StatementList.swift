import Engine

/// The statements of a scenario, in order.
///
/// A long history must not hold each statement twice, in the scenario and as an event of the timeline. So
/// once statements of the file have been carried out, `release` keeps the place of their lines, 8 bytes
/// each; such a statement is read again, O(its line), when it is asked for. Events that were imported have no
/// line that could be read again, and are packed as soon as a chunk is full.
public struct StatementList: RandomAccessCollection, Sendable {
  /// Statements that are held, released or packed together.
  private struct Chunk {
    /// The statements; empty if they are released or packed.
    var held: [Statement] = []
    /// Where they are in the file; empty unless they are released.
    var places: [Place] = []
    /// The events, nil for other statements; empty unless they are packed.
    var packed: PackedList<ImportedEvent?>?
  }

  /// An event that was imported.
  private struct ImportedEvent {
    let event: Event
    let line: UInt32
    let source: UInt32

    /// The event of a statement; nil if it was not imported.
    init?(_ statement: Statement) {
      guard case .event(let event) = statement.kind,
        case .imported(let line, let source) = statement.origin
      else { return nil }
      (self.event, self.line, self.source) = (event, line, source)
    }

    var statement: Statement {
      Statement(kind: .event(event), origin: .imported(line: line, source: source))
    }
  }

  /// Where a statement's line is.
  private struct Place {
    /// The line, from 1, in the lower 31 bits; above them whether it is an event.
    let bits: UInt32
    /// Where the line begins.
    let offset: UInt32

    /// The place of a statement; nil if it is not in the file.
    init?(_ statement: Statement) {
      guard case .file(let line, let offset) = statement.origin else { return nil }
      bits = line | (statement.isEvent ? 1 << 31 : 0)
      self.offset = offset
    }

    var isEvent: Bool { bits >> 31 != 0 }
    var origin: Origin { .file(line: bits & StatementList.linesAtMost, offset: offset) }
  }

  /// Largest number of a line.
  static let linesAtMost: UInt32 = 1 << 31 - 1

  private static let chunkShift = 12
  private static let chunkSize = 1 << chunkShift

  /// The file's bytes.
  let source: [UInt8]
  private var chunks: [Chunk] = []
  /// Statements among packed events, by their index.
  private var besidesPacked: [Int: Statement] = [:]
  /// Why the engine refuses statements of a recording, by their index: they are no part of the history.
  private(set) var refused: [Int: String] = [:]
  /// Number of statements.
  public private(set) var count = 0

  /// A list without statements.
  init(of source: [UInt8] = []) { self.source = source }

  /// 0.
  public var startIndex: Int { 0 }
  /// The number of statements.
  public var endIndex: Int { count }

  /// A statement. O(1); if it is released, O(its line).
  public subscript(index: Int) -> Statement {
    switch find(index) {
    case .held(let statement): statement
    case .released(let place): read(place)
    }
  }

  /// Whether a statement is an event of the history. O(1).
  package func isEvent(at index: Int) -> Bool {
    if refused[index] != nil { return false }
    return switch find(index) {
    case .held(let statement): statement.isEvent
    case .released(let place): place.isEvent
    }
  }

  /// Where a statement comes from. O(1).
  package func origin(at index: Int) -> Origin {
    switch find(index) {
    case .held(let statement): statement.origin
    case .released(let place): place.origin
    }
  }

  /// Notes that the engine refuses a statement.
  mutating func refuse(at index: Int, _ reason: String) { refused[index] = reason }

  /// Whether the engine refuses a statement of a recording. O(1).
  package func isRefused(at index: Int) -> Bool { refused[index] != nil }

  /// Forgets what was refused, for another machine.
  mutating func forgetRefused() { refused = [:] }

  /// What is kept of a statement.
  private enum Kept {
    case held(Statement)
    case released(Place)
  }

  private func find(_ index: Int) -> Kept {
    let chunk = chunks[index >> Self.chunkShift]
    let place = index & (Self.chunkSize - 1)
    if let packed = chunk.packed {
      guard let statement = packed[place]?.statement ?? besidesPacked[index] else {
        preconditionFailure("a statement was neither packed nor kept beside")
      }
      return .held(statement)
    }
    return chunk.places.isEmpty ? .held(chunk.held[place]) : .released(chunk.places[place])
  }

  /// Number of statements that are held. O(n).
  var heldCount: Int { chunks.reduce(0) { $0 + $1.held.count } }

  /// The statements that are no events. O(n), and O(the line) for each of these that is released.
  package var besidesEvents: [Statement] {
    indices.compactMap { isEvent(at: $0) ? nil : self[$0] }
  }

  mutating func append(_ statement: Statement) {
    if count & (Self.chunkSize - 1) == 0 {
      pack(before: count)
      chunks.append(Chunk())
      if count > 0 { chunks[chunks.count - 1].held.reserveCapacity(Self.chunkSize) }
    }
    hold(chunks.count - 1)
    chunks[chunks.count - 1].held.append(statement)
    count += 1
  }

  /// The statements that satisfy a condition, all of them held. O(n).
  package func filtered(_ isIncluded: (Statement) -> Bool) -> StatementList {
    var list = StatementList(of: source)
    for statement in self where isIncluded(statement) { list.append(statement) }
    return list
  }

  /// Removes the statements from an index on.
  package mutating func keep(_ kept: Int) {
    let full = kept >> Self.chunkShift
    let rest = kept & (Self.chunkSize - 1)
    chunks.removeSubrange((rest == 0 ? full : full + 1)...)
    if rest > 0 {
      let (held, places) = (chunks[full].held.count, chunks[full].places.count)
      chunks[full].held.removeLast(Swift.max(0, held - rest))
      chunks[full].places.removeLast(Swift.max(0, places - rest))
      chunks[full].packed?.keep(rest)
    }
    count = kept
    if !refused.isEmpty { refused = refused.filter { $0.key < kept } }
    if !besidesPacked.isEmpty { besidesPacked = besidesPacked.filter { $0.key < kept } }
  }

  /// Releases the full chunk before an index, if that is where a chunk ends and its statements are all in
  /// the file.
  mutating func release(before index: Int) {
    guard index > 0, index & (Self.chunkSize - 1) == 0 else { return }
    let chunk = index >> Self.chunkShift - 1
    let held = chunks[chunk].held
    guard held.count == Self.chunkSize else { return }
    var places: [Place] = []
    places.reserveCapacity(held.count)
    for statement in held {
      guard let place = Place(statement) else { return }
      places.append(place)
    }
    chunks[chunk] = Chunk(places: places)
  }

  /// Packs the full chunk before an index, if its events were all imported.
  private mutating func pack(before index: Int) {
    guard index > 0 else { return }
    let chunk = index >> Self.chunkShift - 1
    var packed = PackedList<ImportedEvent?>()
    for statement in chunks[chunk].held {
      let event = ImportedEvent(statement)
      if event == nil, statement.isEvent { return }
      packed.append(event)
    }
    if packed.isEmpty { return }
    for (statement, place) in zip(chunks[chunk].held, (index - Self.chunkSize)...)
    where !statement.isEvent { besidesPacked[place] = statement }
    chunks[chunk] = Chunk(packed: packed)
  }

  /// Holds the statements of a chunk again.
  private mutating func hold(_ chunk: Int) {
    if !chunks[chunk].held.isEmpty { return }
    let first = chunk << Self.chunkShift
    let held = (first..<count).map { self[$0] }
    besidesPacked = besidesPacked.filter { $0.key < first }
    chunks[chunk] = Chunk(held: held)
  }

  private func read(_ place: Place) -> Statement {
    var reader = StatementReader(source)
    do throws(Mistake) {
      try reader.readLine(from: Int(place.offset))
      if let kind = try reader.statement().kind {
        return Statement(kind: kind, origin: place.origin, columns: reader.values.columns)
      }
    } catch {}
    preconditionFailure("a line of the file was a statement when it was read first")
  }
}
