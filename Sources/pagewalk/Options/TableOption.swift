import ArgumentParser
import Engine
import KernelText
import Language

/// The table for a command.
struct TableOption: ParsableArguments {
  @Option(help: ArgumentHelp("\(TableKind.forms)."))
  var table = "canonical"

  /// The table as the kernel would print it, and its pages.
  func selected(in machine: Machine) throws -> (text: String, pages: TableImage) {
    guard let id = TableID(name: table) else {
      throw Failure.usage("--table: expected \(TableKind.forms), not '\(table)'")
    }
    guard let text = KernelDump.text(of: id, in: machine), let image = machine.image(of: id)
    else { throw Failure.usage("--table: " + Self.absence(of: id, in: machine)) }
    return (text, image)
  }

  /// A message that the table does not exist, and which ones do.
  private static func absence(of id: TableID, in machine: Machine) -> String {
    switch id {
    case .shadow(let number):
      return "there is no shadow \(number); the VM has \(machine.configuration.shadows)"
    case .guest(let vmid):
      let others = machine.guestTables.map { TableID.guest($0.vttbr.vmid).name }
      return "L1 has no table with VMID \(vmid) at that moment; it has "
        + (others.isEmpty ? "none" : others.joined(separator: ", "))
    case .iommu(let device): return "device \(device) has no domain at that moment"
    case .pkvmHost: return "there is no pkvm-host: the scenario does not set policy pkvm"
    case .canonical, .vmmStage1, .protectedGuest: return "there is no \(id.name) at that moment"
    }
  }
}
