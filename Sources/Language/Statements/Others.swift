import Engine

/// What other VMs and processes of the host do.
enum OtherStatement: StatementFamily {
  case vmRun, vmWait, vmUnmap, vmAttach, vmDetach, processRun, processUnmap

  var form: StatementForm {
    switch self {
    case .vmRun:
      vm(
        "other-vm N run [cpu=C]",
        "Another VM of the host, number N, runs on CPU C (default 0), and stays there until another runs "
          + "there. Nothing of it is modelled but its VMID."
      ) { .run(cpu: $0.int(1)) }
    case .vmWait: vm("other-vm N wait", "VM N leaves every CPU.") { _ in .wait }
    case .vmUnmap:
      vm(
        "other-vm N unmap IPA SIZE",
        "The notifier takes a range of IPAs from VM N: TLBI IPAS2E1IS with its VMID."
      ) { .unmap($0.range(1)) }
    case .vmAttach:
      vm(
        "other-vm N attach",
        "A device of VM N is attached to the SMMU. Its domain takes a VMID of the SMMU."
      ) { _ in .attach }
    case .vmDetach:
      vm(
        "other-vm N detach",
        "The device of VM N is detached from the SMMU. Its domain gives the VMID back."
      ) { _ in .detach }
    case .processRun:
      process(
        "other-process N run",
        "Another process of the host, number N, runs, and has an ASID from then on: the next number. The VMM "
          + "takes one the same way with its first `iommu sva`."
      ) { _ in .run }
    case .processUnmap:
      process(
        "other-process N unmap ADDRESS SIZE",
        "Process N unmaps memory at its own addresses: TLBI VAE1IS with its ASID."
      ) { .unmap($0.range(1)) }
    }
  }

  private func vm(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> OtherVMOperation
  ) -> StatementForm {
    StatementForm(
      pattern, meaning, operands: ["N": .number("N", role: .other)],
      .event { .otherVM($0[0], make($0)) })
  }

  private func process(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> OtherProcessOperation
  ) -> StatementForm {
    StatementForm(
      pattern, meaning, operands: ["N": .number("N", role: .other)],
      .event { .otherProcess($0[0], make($0)) })
  }
}

extension OtherVMOperation {
  func statement(ofVM number: UInt64) -> String {
    switch self {
    case .run(let cpu): OtherStatement.vmRun.text(number, cpu)
    case .wait: OtherStatement.vmWait.text(number)
    case .unmap(let range): OtherStatement.vmUnmap.text(number, range)
    case .attach: OtherStatement.vmAttach.text(number)
    case .detach: OtherStatement.vmDetach.text(number)
    }
  }

  func sentence(ofVM number: UInt64) -> String {
    switch self {
    case .run(let cpu): "VM \(number) runs, and stays on CPU \(cpu)."
    case .wait: "VM \(number) waits: its vCPUs leave their CPUs."
    case .unmap(let range):
      "The host takes \(Phrase.range(range)) from VM \(number)."
    case .attach: "A device of VM \(number) is attached to the SMMU."
    case .detach: "The device of VM \(number) is detached from the SMMU."
    }
  }
}

extension OtherProcessOperation {
  func statement(ofProcess number: UInt64) -> String {
    switch self {
    case .run: OtherStatement.processRun.text(number)
    case .unmap(let range): OtherStatement.processUnmap.text(number, range)
    }
  }

  func sentence(ofProcess number: UInt64) -> String {
    switch self {
    case .run: "Process \(number) of the host runs."
    case .unmap(let range): "Process \(number) of the host unmaps \(Phrase.range(range))."
    }
  }
}
