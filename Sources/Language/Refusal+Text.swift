import Engine

extension Refusal.Operand {
  /// The operand in words, for an event without source text.
  var phrase: String {
    switch self {
    case .address: "the address"
    case .size: "the size"
    case .slot: "the slot's number"
    case .vcpu: "the vCPU"
    case .cpu: "the CPU"
    case .device: "the device"
    case .other: "the number"
    }
  }
}

extension Refusal.Reason {
  /// What was expected instead.
  public var description: String {
    switch self {
    case .unaligned(let value, let alignment):
      "expected a multiple of \(Phrase.size(alignment)), not \(Phrase.address(value))"
    case .beyondIPASpace(let bits):
      "expected a slot below 2^\(bits), the end of the VM's IPA space (vm ipa=\(bits))"
    case .slotExists(let id): "expected a free slot number: slot \(id) exists"
    case .slotsOverlap(let id): "expected addresses of no other slot: slot \(id) is there"
    case .tooManySlots(let count): "expected at most \(count) memory slots"
    case .addressSpaceFull: "expected a smaller slot: the VMM's address space is full"
    case .outsideSlots(let address):
      "expected addresses of one memory slot: \(Phrase.address(address)) is outside"
    case .tooLarge(let limit):
      "expected at most \(Phrase.size(limit)): the range is handled page by page"
    case .noSuchVCPU(let count):
      "expected vCPU 0\(count > 1 ? " to \(count - 1)" : ""): the VM has vcpus=\(count)"
    case .noSuchCPU(let count):
      "expected CPU 0\(count > 1 ? " to \(count - 1)" : ""): there is one for each vCPU"
    case .notRunning: "expected 'run' first: it stays on no CPU"
    case .noSuchVM(let limit): "expected the number of another VM, 0 to \(limit)"
    case .noSuchProcess(let limit): "expected the number of another process, 0 to \(limit)"
    case .noSharedAddresses:
      "a device can work with the VMM's addresses where it is the host's, and its walks are coherent: "
        + "without policies rmp-, cca, pkvm and iommu-walk=noncoherent"
    case .notNested: "expected a VM with nested=on: without it there is no L2"
    case .nothingPaused: "expected a paused event: nothing is paused, and no pause is asked for"
    case .alreadyPaused: "expected 'resume' first: an event is paused"
    case .vcpuPaused(let number):
      "expected another vCPU: vCPU \(number) is in the paused event, until 'resume'"
    case .lockHeld:
      "expected 'resume' first: the paused event holds a lock that this needs"
    case .invalidationActive:
      "expected 'resume' first: KVM changes no slot while an invalidation is under way (mn_active_invalidate_count)"
    case .noReverseMap:
      "expected a policy with a reverse map: under revmap=none there is nothing that can fail"
    case .noRealm: "expected 'policy cca=on' before: the VM is no realm"
    case .realmMemory:
      "expected what a host can do with a realm's memory: read, write, hugepages, no-thp, or 'realm'"
    case .noRMP: "expected 'policy rmp-order=ORDER' before: there is no RMP without it"
    case .beyondRegion: "expected pages of one region of 2M"
    case .oneTableOfVMID:
      "expected the device that has the domain: with the CPUs' VMID one table is all that the SMMU can tell apart"
    case .sharedTable:
      "expected iommu=own: under iommu=shared the device's table is the CPUs' and changes with it "
        + "(a VM's memory can be pinned there with iommu-fault=pin)"
    case .notProtected: "expected 'policy pkvm=v4' or 'v5' first: without it there is no hypervisor"
    case .onlyProtected:
      "expected a statement of pKVM or of devices: under pkvm= there is no VM but 'pkvm create guest'"
    case .outsidePhysicalMemory(let range):
      "expected memory from \(Phrase.address(range.lowerBound)) to \(Phrase.address(range.upperBound)), the end of the "
        + "physical addresses (vm ipa=)"
    case .memoryOverlaps(let address):
      "expected addresses without memory: there is some from \(Phrase.address(address)) on already"
    case .tooManyRegions(let count): "expected at most \(count) regions of memory"
    case .memoryTooLate:
      "expected memory before anything is mapped there, and before the snapshot"
    case .beyondPhysicalSpace(let bits):
      "expected an address below 2^\(bits), the end of the physical addresses (vm ipa=\(bits))"
    case .hypervisorTable:
      "expected no map or unmap: under pkvm= the device's table is the hypervisor's"
    case .noSuchDevice: "expected device 0 to \(SMMU.devices - 1)"
    case .notRecorded: "expected 'vm recorded=on': only such a VM is made of a kernel's calls"
    case .onlyRecorded:
      "expected 'kernel', devices or a pause: with recorded=on what memory holds is not known"
    case .notSeen: "expected 'vm seen=words|marks|names': only such a VM is made of dumps"
    case .onlySeen:
      "expected 'kernel seen', 'seen-empty', 'unseen', 'unused' or 'context': only tables were seen here, so "
        + "what else would do to them cannot be known"
    case .noSuchLevel(let first): "expected level \(first) to 3, which the table has"
    case .recordedIsolation: "expected no policy rmp-, cca or pkvm with recorded=on"
    case .noSuchShadow(let count): "expected shadow 0 to \(count - 1): there are two for each vCPU"
    case .otherTable: "expected canonical or shadow<N>"
    case .notShadow: "expected shadow<N>"
    case .beyondInput(let bits):
      "expected an address below 2^\(bits), the end of the table's input addresses"
    case .leafSize(let size): "expected a leaf's size, 4K, 2M or 1G, not \(Phrase.size(size))"
    case .notLogging: "expected dirty logging to be on for the slot (host dirty-log on)"
    case .splitAfterSlots: "expected eager-split before the first memslot (EINVAL)"
    case .splitSize(let size): "expected 0, 4K, 2M or 1G, not \(Phrase.size(size))"
    }
  }
}
