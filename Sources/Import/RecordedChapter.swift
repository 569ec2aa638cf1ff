import Engine
import KernelText
import MemoryImage
import Observation

/// The data about a recorded machine up to a moment at which its tables were read.
package struct RecordedChapter: Sendable {
  /// Text of a trace, and its name in messages.
  package struct Trace: Sendable {
    package let name: String
    package let bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }
  }

  /// A dump of a shadow's reverse map.
  package struct ReverseMap: Sendable {
    /// The file, as messages call it.
    package let source: String
    package let rows: [ReverseMapDump.Row]
    /// The canonical IPA before which all rows are there, of a dump that broke off; nil of a whole one.
    package let knownEnd: UInt64?

    /// The rows below an address that are sure to be all.
    package func rows(below limit: UInt64) -> [ReverseMapDump.Row] {
      rows.filter { $0.canonical.lowerBound < min(limit, knownEnd ?? .max) }
    }
  }

  /// The name of the moment, without blanks.
  package var label: String
  /// A description of what happened before it.
  package var title: String?
  /// The VM's `ipa_range`, if it is plausible.
  package var inputBits: Int?
  /// The observed canonical table; nil if not observed.
  package var canonical: ObservedTable?
  /// The observed shadows; nil for one not in use.
  package var shadows: [Int: ObservedTable?] = [:]
  /// L1's observed own tables, by their VMIDs.
  package var guests: [UInt16: ObservedTable] = [:]
  /// The rows of the reverse maps' dumps, by their shadows.
  package var reverseMaps: [Int: ReverseMap] = [:]
  /// The places of slots in the VMM, if recorded.
  package var slots: [HostSlot] = []
  /// Tables that could not be read.
  package var unreadTables: Set<TableID> = []
  /// Where tables were seen, as messages call it.
  package var sources: [TableID: String] = [:]
  /// What was recorded since the moment before, in the order of the files.
  package var traces: [Trace] = []
  /// Kernel logs, read for events of an SMMU.
  package var logs: [Trace] = []
  /// The files that could not be read, and why.
  package var unread: [String] = []

  package init(label: String) { self.label = label }

  /// The observed tables.
  package var tables: [(id: TableID, table: ObservedTable)] {
    (canonical.map { [(.canonical, $0)] } ?? [])
      + shadows.sorted { $0.key < $1.key }.compactMap { number, table in
        table.map { (.shadow(number), $0) }
      } + guests.sorted { $0.key < $1.key }.map { (.guest($0.key), $0.value) }
  }
}

extension RecordedChapter {
  /// Reads debugfs's files for a VM, and those that pagewalk's recorder writes beside them, by their
  /// names below one folder. Skips other files.
  ///
  /// - Parameter folder: the folder's name in messages.
  package init(label: String, folder: String, files: [(path: String, bytes: [UInt8])]) {
    self.init(label: label)
    let byPath = Dictionary(files.map { ($0.path, $0.bytes) }, uniquingKeysWith: { $1 })
    if let bytes = byPath["ipa_range"] {
      inputBits = Self.inputBits(bytes)
      // Under pKVM the file has garbage.
      if inputBits == nil {
        unread.append("\(folder)/ipa_range: no number of bits that an IPA can have")
      }
    }
    if let bytes = byPath["step.txt"] {
      title = String(
        String(decoding: bytes.prefix(4096), as: UTF8.self).prefix { !$0.isNewline })
    }
    for name in byPath.keys.sorted() {
      let bytes = byPath[name] ?? []
      let place = "\(folder)/\(name)"
      switch name {
      case "stage2_page_tables":
        canonical = dump(bytes, inputBits, place)
        sources[.canonical] = place
        // Only a shadow's dump can be empty; or one that was refused.
        if bytes.isEmpty, byPath[name + ".err"] == nil {
          unread.append(
            "\(place): empty, as tar writes a file of debugfs, which has no size: copy the folder by `cp -r` first"
          )
        }
      case "trace.txt", "probes.txt", "hyp_trace.txt":
        traces.append(Trace(name: place, bytes: bytes))
      case "tables.txt": add(rawTables: bytes, place)
      case "dmesg.txt": logs.append(Trace(name: place, bytes: bytes))
      case _ where name.hasSuffix(".err"):
        let text = String(decoding: bytes.prefix(200), as: UTF8.self)
        unread.append("\(place.dropLast(4)): \(text.prefix { !$0.isNewline })")
      case _ where Self.mapNumber(name) != nil:
        add(reverseMap: bytes, Self.mapNumber(name) ?? 0, place)
      default: break
      }
    }
    let nested = byPath.keys.filter { $0.hasPrefix("nested/") && Self.mapNumber($0) == nil }
      .sorted()
    for (place, name) in nested.enumerated() {
      let number = name.hasPrefix("nested/nested_mmu") ? Self.shadowNumber(name) : place
      guard let number, Self.shadowNumbers.contains(number) else { continue }
      let failures = unread.count
      var table = dump(byPath[name] ?? [], 48, "\(folder)/\(name)")
      // A dump that cannot be read does not say that the shadow is not in use.
      if unread.count > failures {
        unreadTables.insert(.shadow(number))
        continue
      }
      if table?.context == nil { table?.context = Self.context(named: name) }
      shadows[number] = .some(table)
      sources[.shadow(number)] = "\(folder)/\(name)"
    }
    if canonical?.runs.isEmpty == true { canonical = nil }
  }

  /// The shadow of a reverse map's dump by its name, `revmap0` or `nested/revmap0`; nil if it is none.
  package static func mapNumber(_ path: String) -> Int? {
    let name = path.hasPrefix("nested/") ? path.dropFirst(7) : path[...]
    guard name.hasPrefix("revmap"), let number = Int(name.dropFirst(6)),
      shadowNumbers.contains(number)
    else { return nil }
    return number
  }

  /// Adds a table of a text that has several; one with L1's registers is the next shadow.
  ///
  /// - Returns: false if that table is there already, so that this is another moment.
  package mutating func add(_ table: ObservedTable, _ place: String) -> Bool {
    guard let context = table.context else {
      if canonical != nil { return false }
      (canonical, sources[.canonical]) = (table, place)
      return true
    }
    let number = shadows.count
    guard Self.shadowNumbers.contains(number),
      !shadows.values.contains(where: { $0?.context == context })
    else { return false }
    (shadows[number], sources[.shadow(number)]) = (.some(table), place)
    return true
  }

  /// Reads a dump of a shadow's reverse map.
  package mutating func add(reverseMap bytes: [UInt8], _ shadow: Int, _ place: String) {
    do {
      let (rows, cut) = try ReverseMapDump.readToCut(bytes)
      reverseMaps[shadow] = ReverseMap(source: place, rows: rows, knownEnd: cut?.end)
      if let cut {
        unread.append(
          "\(place):\(cut.error.description): it breaks off there, and what the map holds from canonical "
            + "\(Phrase.address(cut.end)) on is not known")
      }
    } catch {
      unread.append("\(place):\(error.description)")
    }
  }

  /// Reads the text of raw tables: the host's, with all their words.
  package mutating func add(rawTables bytes: [UInt8], _ place: String) {
    do {
      for raw in try RawTable.read(bytes) { add(raw, place) }
    } catch {
      unread.append("\(place):\(error.description)")
    }
  }

  private mutating func add(_ raw: RawTable, _ place: String) {
    guard let id = TableID(name: raw.name), id == .canonical || raw.name.hasPrefix("shadow") else {
      unread.append("\(place): a table '\(raw.name)': expected canonical or shadow<N>")
      return
    }
    do {
      let walk = try ImageWalk(raw.geometry, root: raw.root, context: raw.context) {
        raw.words(at: $0, count: $1)
      }
      unread += walk.faults.prefix(3).map { "\(place): table \(raw.name): \($0.sentence)" }
      sources[id] = place
      if case .shadow(let number) = id {
        shadows[number] = .some(walk.table)
      } else {
        canonical = walk.table
        inputBits = inputBits ?? raw.geometry.inputBits
      }
    } catch {
      unread.append("\(place): table \(raw.name): \(error.description)")
    }
  }

  private mutating func dump(_ bytes: [UInt8], _ bits: Int?, _ place: String) -> ObservedTable? {
    do {
      let reading = try DumpReader.read(bytes, inputBits: bits)
      if let first = reading.skipped.first.first, reading.tables.isEmpty, !bytes.isEmpty {
        unread.append("\(place):\(first.description)")
      }
      return reading.tables.first
    } catch {
      unread.append("\(place):\(error.description)")
      return nil
    }
  }

  /// The numbers that shadows of a VM can have.
  package static let shadowNumbers = 0..<VMConfiguration.shadowsAtMost

  /// The shadow of a dump by its path, `nested/nested_mmu0`; nil if the path has no number, as those of older
  /// kernels: they have the registers of a shadow in use, and no line above the rows.
  package static func shadowNumber(_ path: String) -> Int? {
    let prefix = "nested/nested_mmu"
    guard path.hasPrefix(prefix), let number = Int(path.dropFirst(prefix.count)),
      shadowNumbers.contains(number)
    else { return nil }
    return number
  }

  /// The bits of an IPA in the file `ipa_range`; nil if it has none.
  package static func inputBits(_ bytes: [UInt8]) -> Int? {
    let text = String(decoding: bytes.prefix(32), as: UTF8.self)
    let bits = Int(text.drop { $0 == " " }.prefix { $0.isNumber })
    return bits.flatMap { VMConfiguration.ipaBitsRange.contains($0) ? $0 : nil }
  }

  /// The registers in a path like `nested/0x0001000040100000-0x0000000080023559-s2-enabled`.
  package static func context(named path: String) -> ObservedTable.Context? {
    let parts = path.drop { $0 != "/" }.dropFirst().split(separator: "-")
    guard parts.count == 4, parts[0].hasPrefix("0x"), parts[1].hasPrefix("0x"),
      let vttbr = UInt64(parts[0].dropFirst(2), radix: 16),
      let vtcr = UInt64(parts[1].dropFirst(2), radix: 16)
    else { return nil }
    return ObservedTable.Context(vtcr: vtcr, vttbr: vttbr, stage2Enabled: parts[3] == "enabled")
  }
}

extension RecordedChapter {
  /// A file of a moment with its number among the moments, where their names do not give the order.
  package static let numberFile = "moment.txt"

  /// The moments in a tree of files: each folder with a VM's files is one, in the order of their numbers, then
  /// of their names. Other files belong to none.
  package static func all(
    in files: [(path: String, bytes: [UInt8])], of root: String
  ) -> [RecordedChapter] {
    let marks = [
      "stage2_page_tables", "ipa_range", "trace.txt", "probes.txt", "hyp_trace.txt", "tables.txt",
    ]
    var folders: [String: [(path: String, bytes: [UInt8])]] = [:]
    let isMoment = { (path: String) in
      marks.contains(String(path.split(separator: "/").last ?? ""))
    }
    let places = Set(files.map(\.path).filter(isMoment).map(Self.folder))
    for file in files {
      // Find the deepest folder above the file that is a moment; L1's records of its own VM are not one.
      var folder = Self.folder(of: file.path)
      if folder.split(separator: "/").last == "l1" { continue }
      while !places.contains(folder), !folder.isEmpty { folder = Self.folder(of: folder) }
      guard places.contains(folder) else { continue }
      let rest = folder.isEmpty ? file.path : String(file.path.dropFirst(folder.count + 1))
      folders[folder, default: []].append((rest, file.bytes))
    }
    let numbers = folders.mapValues { files in
      files.first { $0.path == numberFile }.flatMap { file in
        Int(String(decoding: file.bytes.prefix(20).prefix { $0 > 0x20 }, as: UTF8.self))
      } ?? Int.max
    }
    let ordered = numbers.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
    return ordered.map { folder in
      let name = folder.split(separator: "/").last.map(String.init) ?? Self.label(root)
      return RecordedChapter(
        label: Self.label(name), folder: folder.isEmpty ? root : folder,
        files: folders[folder] ?? [])
    }
  }

  /// The names of VMs' folders of debugfs, `PID-DESCRIPTOR`, in a tree of files, sorted.
  package static func vms(in files: [(path: String, bytes: [UInt8])]) -> [String] {
    func isVM(_ name: Substring) -> Bool {
      let parts = name.split(separator: "-", omittingEmptySubsequences: false)
      return parts.count == 2
        && parts.allSatisfy {
          !$0.isEmpty && $0.utf8.allSatisfy { $0 & 0xf8 == 0x30 || $0 & 0xfe == 0x38 }
        }
    }
    return Set(files.flatMap { $0.path.split(separator: "/").dropLast().filter(isVM) })
      .map(String.init).sorted()
  }

  private static func folder(of path: String) -> String {
    path.split(separator: "/").dropLast().joined(separator: "/")
  }

  /// A name as a chapter's label, which is one word.
  package static func label(_ name: String) -> String {
    let word = name.split(separator: "/").last.map(String.init) ?? name
    let safe = word.map {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_"
    }
    return safe.isEmpty ? "0" : String(safe)
  }
}
