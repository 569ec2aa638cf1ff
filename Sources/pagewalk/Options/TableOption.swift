import ArgumentParser
import Engine
import KernelText
import Language

/// Which table a command is about.
struct TableOption: ParsableArguments {
  private static let names =
    "canonical, shadow<N>, guest<VMID>, iommu<N>, pkvm-host or pkvm-guest<N>"

  @Option(help: ArgumentHelp("\(names)."))
  var table = "canonical"

  /// The table as the kernel would print it, and its pages.
  func selected(in machine: Machine) throws -> (text: String, pages: TableImage) {
    // The kernel prints no table of user space.
    guard let id = TableID(name: table), id != .host else {
      throw Failure.usage("--table: expected \(Self.names), not '\(table)'")
    }
    if case .guest(let vmid) = id {
      guard let found = machine.guestTables.first(where: { $0.vttbr.vmid == vmid }) else {
        throw absent(id, in: machine)
      }
      return (KernelDump.text(of: found, in: machine), machine.image(of: found))
    }
    guard let found = machine.table(id), let text = KernelDump.text(of: id, in: machine) else {
      throw absent(id, in: machine)
    }
    return (text, machine.image(of: found))
  }

  /// Says that the table is not there, and what is.
  private func absent(_ id: TableID, in machine: Machine) -> Failure {
    switch id {
    case .shadow(let number):
      return .usage(
        "--table: there is no shadow \(number); the VM has \(machine.configuration.shadows)")
    case .guest(let vmid):
      let others = machine.guestTables.map { "guest\($0.vttbr.vmid)" }.joined(separator: ", ")
      return .usage(
        "--table: L1 has no table with VMID \(vmid) at that moment; it has "
          + (others.isEmpty ? "none" : others))
    case .iommu(let device):
      return .usage("--table: device \(device) has no domain at that moment")
    case .protectedHost:
      return .usage("--table: there is no pkvm-host: the scenario does not set policy pkvm")
    case .protectedGuest(let number):
      return .usage("--table: there is no pKVM guest \(number) at that moment")
    case .canonical, .host:
      return .usage("--table: there is no table '\(table)' at that moment")
    }
  }
}
