import ArgumentParser
import Engine

extension Pagewalk {
  /// `pagewalk dump`.
  struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "dump",
      abstract: "Print one table as the kernel would, at a moment of a scenario.",
      discussion: """
        With --image the table's pages are also written to a file, as they lie in memory from the lowest \
        one up, and three lines above the text say what hardware needs to walk them.
        """)

    @OptionGroup var input: InputOptions

    @Option(help: momentHelp(), completion: .moment)
    var at = "end"

    @OptionGroup var table: TableOption

    @Option(
      help: ArgumentHelp("Write the table's pages to this file.", valueName: "out"),
      completion: .file())
    var image: String?

    func run() throws {
      let machine = try Pagewalk.session(input.scenario(), at: at, for: "dump").timeline.machine
      let (text, pages) = try table.selected(in: machine)
      if let image {
        guard machine.configuration.evidence.format.knowsPlaces else {
          throw Failure.input(
            "--image: where tables lie is not known of tables that were seen in dumps"
          )
        }
        try write(pages, to: image)
        FileDescriptor.output.write(
          ([("base", pages.base)] + pages.registers)
            .map { "\($0): 0x\(hex($1, 16))\n" }.joined())
      }
      FileDescriptor.output.write(text)
    }

    /// Writes the pages, each at its offset from the lowest, with holes between them.
    private func write(_ pages: TableImage, to path: String) throws {
      guard let output = SparseFile(path) else {
        throw Failure.cannotWrite(path)
      }
      for page in pages.pages {
        let bytes = page.words.flatMap { word in withUnsafeBytes(of: word.littleEndian, Array.init)
        }
        output.write(bytes, at: page.address - pages.base)
      }
    }
  }
}
