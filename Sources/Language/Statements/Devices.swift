import Engine

/// Devices: their domains and their DMA.
enum DeviceStatement: StatementFamily {
  case attach, attachOwn, shareAddresses, detach, bypass, free, pin, map, unmap, clean, read, write

  var form: StatementForm {
    switch self {
    case .attach:
      form(
        "iommu attach",
        """
        The device's DMA is translated by its domain's table. A device without a domain joins that of the VM's \
        other devices, or one is made.
        """
      ) { _ in .attach }
    case .attachOwn:
      form(
        "iommu attach own",
        """
        The same with a domain that other devices do not join. A device leaves for it the domain that it has \
        joined. Nothing happens if others have joined the device's: pagewalk numbers a domain by its first device. \
        The kernel has no such limit.
        """
      ) { _ in .attachOwn }
    case .shareAddresses:
      form(
        "iommu sva",
        """
        The device works with the VMM's own addresses, by the page table of the process: stage 1 alone, under \
        an ASID (`iommu_sva_bind_device`). Linux picks the process by a PASID; here all DMA of the device is \
        the process's. With `iommu-fault=stall` the host handles its faults.
        """
      ) { _ in .shareAddresses }
    case .detach:
      form(
        "iommu detach",
        "From now on every DMA of the device is refused. If it was the domain's last device, all that is cached "
          + "under its VMID or ASID is invalidated."
      ) { _ in .detach }
    case .bypass:
      form(
        "iommu bypass",
        "The device is the host's own, and its DMA is not translated. An RMP or a granule protection check may "
          + "still stop it. Under pKVM it gets the hypervisor's identity map."
      ) { _ in .bypass }
    case .free:
      form(
        "iommu free",
        """
        The domain of a detached device is freed, with its table and its VMID or ASID, and no device has it any more. It \
        fails with `ebusy` while another is attached to it. For a device with the VMM's addresses, the ASID is \
        freed with the last such device.
        """
      ) { _ in .free }
    case .pin:
      form(
        "iommu pin IPA SIZE",
        """
        Guest memory is made present and writable, pinned, and mapped at its IPAs, as VFIO and iommufd do it \
        for a VMM. With `iommu=shared` and `iommu-fault=pin` KVM maps it, page by page, and no notifier takes \
        it until `iommu unmap`.
        """
      ) { .pin($0.range(1)) }
    case .map:
      form(
        "iommu map IOVA SIZE PA r|rw",
        "The kernel maps a range (`iommu_map`), in as few calls of io-pgtable-arm as the sizes allow."
      ) { .map($0.range(1), to: $0[3], write: $0[4] == 1) }
    case .unmap:
      form(
        "iommu unmap IOVA SIZE",
        """
        The kernel unmaps a range (`iommu_unmap`), to its end or to the first hole. Invalidations and a sync \
        follow. The kernel's function has no error and returns the bytes that it unmapped; here `expect error einval` \
        holds if they are fewer than asked for. What was pinned is unmapped and unpinned area by area, as `iommu pin` made them, and large ones part \
        by part, whatever lies between. A part of an area ends it: with `iommu-pin=vfio` in `einval`, and nothing \
        is unmapped; with `iommufd` in `enoent`, after the areas before it.
        """
      ) { .unmap($0.range(1)) }
    case .clean:
      form(
        "iommu clean IOVA SIZE",
        "The kernel cleans the entries of a range to the point of coherency, for a walker that does not see "
          + "caches (`iommu-walk=noncoherent`)."
      ) { .clean($0.range(1)) }
    case .read:
      StatementForm(
        "dev read IOVA", "The device reads 8 bytes by DMA.",
        .event { .dma(device: $0.int(0), $0[1], write: false) })
    case .write:
      StatementForm(
        "dev write IOVA", "The device writes 8 bytes by DMA.",
        .event { .dma(device: $0.int(0), $0[1], write: true) })
    }
  }

  private func form(
    _ pattern: String, _ meaning: String,
    _ make: @escaping @Sendable (OperandValues) -> IOMMUOperation
  ) -> StatementForm {
    StatementForm(pattern, meaning, .event { .iommu(device: $0.int(0), make($0)) })
  }
}

extension IOMMUOperation {
  func statement(ofDevice device: Int) -> String {
    switch self {
    case .attach: DeviceStatement.attach.text(device)
    case .attachOwn: DeviceStatement.attachOwn.text(device)
    case .shareAddresses: DeviceStatement.shareAddresses.text(device)
    case .detach: DeviceStatement.detach.text(device)
    case .bypass: DeviceStatement.bypass.text(device)
    case .free: DeviceStatement.free.text(device)
    case .pin(let range): DeviceStatement.pin.text(device, range)
    case .map(let range, let physical, let write):
      DeviceStatement.map.text(device, range, physical, write ? 1 : 0)
    case .unmap(let range): DeviceStatement.unmap.text(device, range)
    case .clean(let range): DeviceStatement.clean.text(device, range)
    }
  }

  func sentence(ofDevice device: Int) -> String {
    let name = Phrase.device(device)
    switch self {
    case .attach: return "\(name) is attached to its domain."
    case .attachOwn: return "\(name) is attached to a domain of its own."
    case .shareAddresses: return "\(name) is bound to the VMM's address space (SVA)."
    case .detach: return "\(name) is detached: all of its DMA is refused."
    case .bypass: return "\(name) is the host's own, and its DMA not translated."
    case .free: return "The domain of \(name) is freed."
    case .pin(let range):
      return "The VMM pins \(Phrase.size(range.size)) at canonical IPA "
        + "\(Phrase.address(range.lowerBound)) and maps it for \(name)."
    case .map(let range, let physical, let write):
      return "The kernel maps \(Phrase.range(range, "IOVA")) of \(name) to PA "
        + "\(Phrase.address(physical)), \(write ? "read-write" : "read-only")."
    case .clean(let range):
      return
        "The kernel cleans the entries for \(Phrase.range(range, "IOVA")) of \(name) to memory."
    case .unmap(let range):
      return "The kernel unmaps \(Phrase.range(range, "IOVA")) of \(name)."
    }
  }
}
