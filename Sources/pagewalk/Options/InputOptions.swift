import ArgumentParser
import Engine
import FoundationEssentials
import Glibc
import Import
import Inquiry
import Language
import Recording
import Scenarios

/// The scenario that a command carries out, and its policies.
struct InputOptions: ParsableArguments {
  @Argument(
    help: "A file, - for the standard input, or a scenario of the program, as in rmp/iommu-first.",
    completion: .scenario)
  var file: String

  @Option(help: Pagewalk.policyHelp, completion: .policy)
  var policy: [String] = []

  /// The scenario, read and parsed.
  func scenario() throws -> Scenario { try Pagewalk.scenario(file, policies: policy) }
}

/// The same, with the built-in scenario if no file is named.
struct OptionalInputOptions: ParsableArguments {
  @Argument(
    help: """
      A file, - for the standard input, or a scenario of the program, as in rmp/iommu-first; without it, \
      the built-in one.
      """,
    completion: .scenario)
  var file: String?

  @Option(help: Pagewalk.policyHelp, completion: .policy)
  var policy: [String] = []

  /// The scenario, read and parsed.
  func scenario() throws -> Scenario { try Pagewalk.scenario(file, policies: policy) }
}

extension Pagewalk {
  /// The help of `--policy`.
  static let policyHelp = ArgumentHelp(
    "Another policy than the scenario's, as revmap=v2 or iommu-sync=off; can be repeated. A wrong key is "
      + "answered with all of them.",
    valueName: "key=value")

  /// The help of `--at`, for every command that looks at one moment.
  static func momentHelp(_ what: String = "The moment") -> ArgumentHelp {
    ArgumentHelp("\(what): N events done, N.STEP, chapter:LABEL, N%, start, end.")
  }

  /// Reads and parses a scenario; see `source`.
  static func scenario(_ path: String?, policies: [String] = []) throws -> Scenario {
    switch try source(path) {
    case .text(let bytes, let file):
      try scenario(parsing: bytes, file: file, policies: policies)
    case .imported(let scenario): try under(policies, scenario)
    }
  }

  /// Parses a scenario, which may be a recording.
  static func scenario(
    parsing bytes: [UInt8], file: String, policies: [String] = []
  ) throws -> Scenario {
    let scenario: Scenario
    do {
      scenario =
        Recording.isRecording(bytes)
        ? try Scenario(parsing: bytes, of: Recording(bytes, file: file), file: file)
        : try Scenario(parsing: bytes, file: file)
    } catch {
      let mistakes = Scenario.mistakes(in: bytes, file: file)
      throw Failure.input(mistakes.isEmpty ? [error] : mistakes)
    }
    return try under(policies, scenario)
  }

  /// A scenario under other policies than its own.
  static func under(_ policies: [String], _ own: consuming Scenario) throws -> Scenario {
    var scenario = own
    for policy in policies {
      do {
        scenario = try scenario.under(policy: policy)
      } catch {
        throw Failure.usage("--policy \(policy): \(error.message)")
      }
    }
    return scenario
  }

  /// The name of the default scenario.
  static var builtIn: String { ShippedScenario.builtIn }

  /// Whether the program has a scenario with a name.
  static func isShipped(_ name: String) -> Bool { ShippedScenario.named(name) != nil }

  /// What a path names.
  enum Source {
    /// The text of a scenario or a recording, and its file's name in messages.
    case text([UInt8], file: String)
    /// A scenario that was made of what a real machine says.
    case imported(Scenario)
  }

  /// What a path names: a file, `-` for the standard input, or, if there is no such file, a scenario of the program;
  /// nil is the built-in one.
  static func source(_ path: String?) throws -> Source {
    if let path, path == "-" || access(path, F_OK) == 0 {
      if SourceFiles.isFolder(path) { return .imported(try imported([path])) }
      if path != "-" {
        let start = SourceFiles.start(of: path)
        if !start.starts(with: "pagewalk ".utf8), SourceKind.isLarge(start) {
          return .imported(try imported([path]))
        }
      }
      let bytes = try FileDescriptor.contents(of: path)
      if path != "-", !isScenario(bytes), SourceKind.of(bytes) != nil {
        return .imported(try imported([path]))
      }
      return .text(bytes, file: path == "-" ? "stdin" : path)
    }
    let name = path ?? ShippedScenario.builtIn
    if let shipped = ShippedScenario.named(name) { return .text(shipped.bytes, file: name + ".pw") }
    let names = ShippedScenario.all.map(\.name)
    let near = names.first { $0.hasSuffix("/" + name) } ?? Spelling.nearest(to: name, in: names)
    throw Failure.input(
      "\(name): no such file, and no such scenario of the program"
        + (near.map { ". Did you mean \($0)?" } ?? "; `pagewalk scenarios` lists them"))
  }

  /// Whether a file's first statement is a scenario's.
  private static func isScenario(_ bytes: [UInt8]) -> Bool {
    let lines = bytes.prefix(1 << 16).split(separator: 0x0a)
    let first = lines.first { line in
      line.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d } != UInt8(ascii: "#")
        && line.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }
    }
    return first?.drop { $0 == 0x20 || $0 == 0x09 }.starts(with: "pagewalk ".utf8) ?? false
  }

  /// The text of a recording, and its file's name in messages.
  static func recording(_ path: String) throws -> (bytes: [UInt8], file: String) {
    guard case .text(let bytes, let file) = try source(path), Recording.isRecording(bytes) else {
      throw Failure.input("\(path): expected a recording, which has lines that begin with #@")
    }
    return (bytes, file)
  }

  /// The scenario that is made of sources which are none, several as moments.
  static func imported(_ paths: [String]) throws -> Scenario {
    var imported = try Imported(paths, Imported.Hints(), for: .opening)
    for source in imported.sources {
      writeError(
        "\(source.path): taken for \(source.kind); `pagewalk import` can be told otherwise")
    }
    for note in imported.notes { writeError(note) }
    let unread = imported.chapters.flatMap(\.unread)
    for line in unread.prefix(3) { writeError("not read: \(line)") }
    if unread.count > 3 {
      writeError("not read: \(unread.count - 3) more; `pagewalk import` lists them")
    }
    guard var scenario = imported.takeScenario() else {
      throw Failure.input(
        "\(paths.joined(separator: ", ")): neither an event nor a table in it that can be shown")
    }
    scenario.file = paths[0]
    return scenario
  }

  /// Says what was left out of what a real machine says.
  static func tellLeftOut(of session: Session) {
    guard let first = session.leftOut.first else { return }
    let count = session.leftOut.count
    writeError(
      "\(session.scenario.file): \(count) statement\(count == 1 ? " is" : "s are") left out, which the model "
        + "refuses; the first, of \(first.place ?? session.scenario.file): \(first.text): \(first.reason)"
    )
  }

  /// Carries out a scenario for a command, and goes to a moment of it. The scenario is consumed, so that
  /// its statements are in memory only until they are carried out.
  static func session(
    _ scenario: consuming Scenario, at text: String, for command: String
  ) throws -> Session {
    let events = scenario.eventCount
    var session = Session(scenario)
    do {
      try watching(Progress(command, events: events)) { progress in
        while let statement = try session.advance() {
          if case .event = statement.kind { progress.advance() }
        }
      }
    } catch {
      throw Failure.input(session.scenario.refusals())
    }
    tellLeftOut(of: session)
    if let token = MomentToken(text) {
      // The token's policies override the file's.
      session = try Pagewalk.session(session, of: token)
      return session
    }
    let moment = try Pagewalk.moment(text, of: "--at", in: &session)
    session.seek(to: moment)
    return session
  }
}

extension Pagewalk {
  /// The moment of a history that an option names.
  static func moment(
    _ text: String, of option: String, in session: inout Session
  ) throws -> Moment {
    do throws(NoMoment) {
      return try session.existingMoment(named: text)
    } catch {
      throw Failure.usage("\(option): \(error.message)")
    }
  }
}

extension Pagewalk {
  /// The moment of a token: under the token's policies, overriding the session's, and only if the events
  /// before it are the same.
  private static func session(_ session: Session, of token: MomentToken) throws -> Session {
    var session = session
    if session.scenario.changedPolicies != token.policies {
      var scenario = session.scenario
      do {
        for policy in token.policies { scenario = try scenario.under(policy: policy) }
        session = Session(scenario)
        try session.finish()
      } catch {
        throw Failure.input("--at \(token.text): \(error.message)")
      }
    }
    guard session.has(token) else {
      throw Failure.input(
        "--at \(token.text): the events of this file are not those that the token was made for")
    }
    session.seek(to: token.moment)
    return session
  }
}

extension CompletionKind {
  /// A scenario of the program.
  static let shippedScenario = CompletionKind.custom { _, _, prefix in names(prefix) }
  /// A scenario of the program, a file of the event language, or a folder above one.
  static let scenario = CompletionKind.custom { _, _, prefix in
    forShell(names(prefix) + files(prefix))
  }

  /// A moment of the first scenario named earlier on the line, or of the built-in one.
  static let moment = CompletionKind.custom { words, index, prefix in
    let before = words.prefix(index).dropFirst().filter { !$0.hasPrefix("-") }
    guard let scenario = before.lazy.compactMap(scenario).first ?? scenario(Pagewalk.builtIn) else {
      return []
    }
    let chapters = scenario.statements.besidesEvents.compactMap { statement in
      if case .chapter(let label, _) = statement.kind { "chapter:" + label } else { nil }
    }
    return forShell((["start", "end"] + chapters).filter { $0.hasPrefix(prefix) })
  }

  /// zsh takes the text after a colon for a description, unless the colon is escaped.
  private static func forShell(_ words: [String]) -> [String] {
    CompletionShell.requesting == .zsh ? words.map { $0.replacing(":", with: "\\:") } : words
  }

  /// The scenario named by a word, if any and if it can be read at once.
  private static func scenario(_ name: String) -> Scenario? {
    var status = stat()
    if let shipped = ShippedScenario.named(name) {
      return try? Scenario(parsing: shipped.bytes, file: name)
    }
    guard stat(name, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size < 1 << 22,
      let bytes = try? FileDescriptor.contents(of: name)
    else { return nil }
    return try? Scenario(parsing: bytes, file: name)
  }

  private static func names(_ prefix: String) -> [String] {
    ShippedScenario.all.map(\.name).filter { $0.hasPrefix(prefix) }
  }

  private static func files(_ prefix: String) -> [String] {
    let end = prefix.lastIndex(of: "/").map { prefix.index(after: $0) } ?? prefix.startIndex
    let folder = String(prefix[..<end])
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
    return (names ?? []).sorted().compactMap { name in
      let path = folder + name
      guard path.hasPrefix(prefix), prefix.hasSuffix(".") || !name.hasPrefix(".") else {
        return nil
      }
      var isFolder = false
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      return isFolder ? path + "/" : name.hasSuffix(".pw") ? path : nil
    }
  }

  /// Settings of policies.
  static let policy = CompletionKind.list(Policy.settings)
}
