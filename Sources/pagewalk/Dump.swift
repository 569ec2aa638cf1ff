import ArgumentParser
import Engine
import FoundationEssentials
import KernelText
import Language

extension Pagewalk {
  /// `pagewalk dump`.
  struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print one table as the kernel would, at a moment of a scenario.",
      discussion: """
        With --image the table's pages are also written to a file, as they lie in memory from the lowest \
        one up, and three lines above the text say what hardware needs to walk them.
        """)

    @Argument(help: "A scenario, or - for the standard input.", completion: .scenario)
    var file: String

    @Option(help: ArgumentHelp("The moment: N events done, N.STEP, step:LABEL, N%, start, end."))
    var at = "end"

    @Option(help: Pagewalk.policyHelp, completion: .policy)
    var policy: [String] = []

    @Option(help: ArgumentHelp("canonical, shadow<N>, guest<VMID> or iommu<N>."))
    var table = "canonical"

    @Option(
      help: ArgumentHelp("Write the table's pages to this file.", valueName: "out"),
      completion: .file())
    var image: String?

    func run() throws {
      let machine = try Pagewalk.session(of: file, at: at, policies: policy).timeline.machine
      let (text, pages) = try selected(machine)
      if let image {
        try write(pages, to: image)
        FileDescriptor.output.write(
          """
          base: 0x\(hex(pages.base, 16))
          VTTBR: 0x\(hex(pages.vttbr, 16))
          VTCR: 0x\(hex(pages.vtcr, 16))

          """)
      }
      FileDescriptor.output.write(text)
    }

    private func selected(_ machine: Machine) throws -> (String, TableImage) {
      if table == "canonical", let found = machine.table(.canonical) {
        return (KernelDump.text(of: .canonical, in: machine) ?? "", machine.image(of: found))
      }
      if table.hasPrefix("shadow"), let number = Int(table.dropFirst(6)) {
        guard let found = machine.table(.shadow(number)) else {
          throw Failure.usage(
            "--table: there is no shadow \(number); the VM has \(machine.configuration.shadows)")
        }
        return (KernelDump.text(of: .shadow(number), in: machine) ?? "", machine.image(of: found))
      }
      if table.hasPrefix("guest"), let vmid = UInt16(table.dropFirst(5)) {
        guard let found = machine.guestTables.first(where: { $0.vttbr.vmid == vmid }) else {
          let others = machine.guestTables.map { "guest\($0.vttbr.vmid)" }.joined(separator: ", ")
          throw Failure.usage(
            "--table: L1 has no table with VMID \(vmid) at that moment; it has "
              + (others.isEmpty ? "none" : others))
        }
        return (KernelDump.text(of: found, in: machine), machine.image(of: found))
      }
      if let id = TableID(name: table), case .iommu(let device) = id {
        guard let found = machine.table(id) else {
          throw Failure.usage("--table: device \(device) has no domain at that moment")
        }
        return (KernelDump.text(of: id, in: machine) ?? "", machine.image(of: found))
      }
      if let id = TableID(name: table), let found = machine.table(id), id != .host {
        return (KernelDump.text(of: id, in: machine) ?? "", machine.image(of: found))
      }
      throw Failure.usage(
        "--table: expected canonical, shadow<N>, guest<VMID>, iommu<N>, pkvm-host or pkvm-guest<N>, not '\(table)'"
      )
    }

    /// Writes the pages, each at its distance from the lowest; what lies between them is a hole.
    private func write(_ pages: TableImage, to path: String) throws {
      guard let output = SparseFile(path) else {
        throw Failure.environment("\(path): cannot be written")
      }
      for page in pages.pages {
        let bytes = page.words.flatMap { word in withUnsafeBytes(of: word.littleEndian, Array.init)
        }
        output.write(bytes, at: page.address - pages.base)
      }
    }
  }

  /// A scenario, carried out and brought to a moment.
  static func session(
    of file: String?, at text: String, policies: [String]
  ) throws -> Session {
    var session = Session(try scenario(file, policies: policies))
    do {
      try session.finish()
    } catch {
      throw Failure.input(error.description)
    }
    guard let moment = session.moment(named: text) else {
      throw Failure.usage("--at: expected \(session.momentHelp), not '\(text)'")
    }
    session.seek(to: moment)
    return session
  }
}
