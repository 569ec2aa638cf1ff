import ArgumentParser
import RecorderScripts

extension Pagewalk {
  /// `pagewalk recorder`, which is for machines with a real kernel.
  struct RecorderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "recorder",
      abstract: "Print a script that records a VM on a machine with a real kernel.",
      discussion: """
        The script needs root, tracefs and debugfs, and no pagewalk: it sets kprobes and events, reads the \
        tables at each line of its input or every so many seconds, and packs all of it for \
        `pagewalk import`. Its -h says more, its -n what it would do. Where the kernel has no \
        stage2_page_tables in debugfs, --drgn prints another script, for drgn, which reads the tables of a \
        running kernel, a vmcore or a QEMU guest with all their words.
        """)

    @Flag(help: "Print the script for drgn.")
    var drgn = false

    func run() throws {
      FileDescriptor.output.write((drgn ? RecorderScript.drgn : .shell).bytes)
    }
  }
}
