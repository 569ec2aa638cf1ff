import ArgumentParser
import Glibc

/// The command line.
///
/// Each command declares its name: otherwise the argument parser searches all types of the program for it
/// at each start.
struct Pagewalk: ParsableCommand {
  /// The version of the program, for reports.
  static let version = "0.1"

  static let configuration = CommandConfiguration(
    commandName: "pagewalk",
    abstract: "Watch stage-2 page tables live, forward and back.",
    discussion: """
      pagewalk FILE opens a scenario on the screen; pagewalk alone opens the built-in one, and lists what \
      else there is. The other commands need no terminal. FILE may be - for the standard input, or one of \
      the scenarios that `pagewalk scenarios` lists.

      Exit codes: 0 done; 1 the answer is no (an expectation failed); 2 wrong usage; 3 wrong input; \
      4 the environment cannot do it, as without a terminal; 70 a fault of pagewalk itself. If a \
      fault ends the screen by a signal, what is needed to report it is kept in \
      $XDG_STATE_HOME/pagewalk/fault, and `pagewalk report` prints it. `pagewalk --version --json` \
      prints the versions for programs.
      """,
    version: Versions().text(asJSON: CommandLine.arguments.contains("--json")),
    subcommands: [
      View.self, Play.self, Verify.self, Repair.self, Diff.self, ExportCommand.self, Render.self,
      Run.self, Dump.self,
      Compare.self, Windows.self, Ask.self, Learn.self, Review.self, DrillCommand.self,
      Present.self, Notes.self, Lessons.self, Scenarios.self, Import.self, Check.self, Live.self,
      RecorderCommand.self, Config.self, Report.self,
    ],
    defaultSubcommand: View.self)
}

/// Parses the arguments and carries out the command, with the manual's exit codes.
@main
enum Main {
  static func main() {
    do {
      var command = try Pagewalk.parseAsRoot()
      try command.run()
    } catch {
      let end = Failure(error)
      if end.code == 0 {
        FileDescriptor.output.write(CompletionScript.withoutCommand(end.message) + "\n")
      } else if !end.message.isEmpty {
        writeError(end.message)
      }
      exit(end.code)
    }
  }
}
