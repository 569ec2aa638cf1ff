import ArgumentParser
import Export
import FoundationEssentials
import Glibc
import Language
import Lesson

extension Pagewalk {
  /// `pagewalk lesson`.
  struct Lessons: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lesson",
      abstract: "Prove lessons, begin a new one, or print one.",
      discussion: "How a lesson is written stands in assets/lessons.md.",
      subcommands: [Check.self, New.self, Export.self])

    /// `pagewalk lesson check`.
    struct Check: ParsableCommand {
      static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Prove lessons: that they run, and that exactly the keyed answers are right.",
        discussion: """
          Without a file, the lessons of the program. A file without a lesson's head holds worlds and \
          misconceptions, which the other files may use; without such a file there are the program's own.

          Exit code 1: a lesson is not proved.
          """)

      @Argument(help: "Files of lessons, or folders with them.", completion: .file())
      var files: [String] = []

      @Flag(help: "Print one JSON object a file: version, status, and tests with name and status.")
      var json = false

      @Flag(help: "Check again whenever a file changes.")
      var watch = false

      func run() throws {
        if watch { return try watchFiles() }
        if try !check() { throw Failure.no("") }
      }

      /// Checks all lessons; returns whether all are proved.
      private func check() throws -> Bool {
        let lessons = try Self.read(files)
        var library = Library.shipped
        for (lesson, _) in lessons { library.add(lesson) }
        var isProved = true
        for (lesson, mistakes) in lessons {
          let report = Report(lesson, mistakes, in: library)
          isProved = isProved && report.status == .pass
          if json { try FileDescriptor.output.write(json: report) } else { report.print() }
        }
        return isProved
      }

      private func watchFiles() throws {
        let paths = try Self.paths(files)
        guard !paths.isEmpty else { throw Failure.usage("--watch: expected files") }
        var watches = paths.map { FileWatch($0) }
        while true {
          _ = try check()
          while !watches.indices.contains(where: { watches[$0].change() == .changed }) {
            usleep(UInt32(FileWatch.interval / .microseconds(1)))
          }
        }
      }

      /// The lessons of files, each with the mistakes in it; without files, those of the program.
      static func read(_ files: [String]) throws -> [(lesson: Lesson, mistakes: [ScenarioError])] {
        func read(_ bytes: [UInt8], _ file: String) -> (Lesson, [ScenarioError]) {
          var mistakes: [ScenarioError] = []
          return (Lesson(reading: bytes, file: file, &mistakes), mistakes)
        }
        if files.isEmpty { return ShippedLesson.all.map { read($0.bytes, $0.name + ".md") } }
        return try paths(files).map { read(try FileDescriptor.contents(of: $0), $0) }
      }

      /// The named files, those of a folder in the order of their names.
      private static func paths(_ files: [String]) throws -> [String] {
        try files.flatMap { file -> [String] in
          var isFolder = false
          guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), isFolder
          else {
            return [file]
          }
          return try FileManager.default.contentsOfDirectory(atPath: file)
            .filter { $0.hasSuffix(".md") }.sorted().map { file + "/" + $0 }
        }
      }

      /// The results for a file, in the format of Exercism's `results.json`.
      private struct Report: Encodable {
        let version = 2
        let file: String
        let status: LessonCheck.Test.Status
        /// Why it cannot be checked at all; nil if it can.
        let message: String?
        let tests: [LessonCheck.Test]
        private let summary: String

        private enum CodingKeys: CodingKey { case version, file, status, message, tests }

        init(_ lesson: Lesson, _ mistakes: [ScenarioError], in library: Library) {
          file = lesson.file
          if mistakes.isEmpty {
            tests = LessonCheck(lesson, in: library).tests
            message = nil
          } else {
            tests = []
            message = mistakes.map(\.description).joined(separator: "\n")
          }
          status = message == nil && tests.allSatisfy { $0.status == .pass } ? .pass : .fail
          summary =
            lesson.isCollection
            ? "\(lesson.worlds.count) worlds, \(lesson.beliefs.count) misconceptions"
            : "\(lesson.exercises.count) questions, \(lesson.texts.count) texts, \(lesson.wordCount) words, "
              + "\(lesson.minutes) minutes"
        }

        func print() {
          var lines = tests.compactMap(\.message)
          if let message { lines.append(message) }
          lines.append("\(file): \(status == .pass ? "proved" : "not proved"): \(summary)")
          FileDescriptor.output.write(lines: lines.joined(separator: "\n"))
        }
      }
    }

    /// `pagewalk lesson export`.
    struct Export: ParsableCommand {
      static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print a lesson to be read without the program.",
        discussion: """
          Texts, scenes and questions in order; what the tables hold, hints and answers, which the engine has \
          found, at the end of a text and folded in a page.
          """)

      @Argument(help: "The number or the name of a lesson, or a file.", completion: .lesson)
      var lesson: String

      @Option(help: "The form: markdown or html, which is one page that needs nothing else.")
      var to = Handout.Form.markdown

      @Flag(help: "With the notes for a teacher.")
      var notes = false

      func run() throws {
        let (lesson, library) = try Pagewalk.lesson(lesson)
        do throws(ScenarioError) {
          let text = try Handout(lesson, in: library, hasNotes: notes).text(as: to)
          // A page has no control characters; a text may be shown by a terminal.
          if to == .html {
            FileDescriptor.output.write(text)
          } else {
            FileDescriptor.output.write(lines: text)
          }
        } catch {
          throw Failure.input([error])
        }
      }
    }

    /// `pagewalk lesson new`.
    struct New: ParsableCommand {
      static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a small lesson that is proved, to change it into your own.",
        discussion: "It is written to NAME.md, which must not be there.")

      @Argument(help: "The name: letters in lower case, digits, hyphens.")
      var name: String

      func run() throws {
        guard let text = Lesson.skeleton(named: name) else {
          throw Failure.usage(
            "lesson new: expected a name of letters in lower case, digits and hyphens, not '\(name)'"
          )
        }
        let path = name + ".md"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
          throw Failure.cannotWrite(path)
        }
        FileDescriptor(number: descriptor).write(text)
        close(descriptor)
        FileDescriptor.output.write("\(path): now `pagewalk lesson check \(path)`\n")
      }
    }
  }
}

extension Handout.Form: ExpressibleByArgument {}
