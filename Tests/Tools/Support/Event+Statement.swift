import Engine

extension Event {
  /// The event as a statement of the event language.
  public var statement: String {
    switch self {
    case .addMemslot(let id, let range, let backing):
      let name =
        switch backing {
        case .pages: "4K"
        case .transparentHuge: "thp"
        case .hugetlb1G: "hugetlb-1G"
        }
      return "memslot \(id) \(range.operands) backing=\(name)"
    case .host(let operation): return "host \(operation.statement)"
    case .access(let guest, let vcpu, let kind, let address, let value):
      let place = "\(guest == .l1 ? "l1" : "l2")@\(vcpu)"
      return "\(place) \(kind.verb) \(address.hex)" + (value.map { " value=\($0.hex)" } ?? "")
    case .context(let vcpu, let vttbr, let vtcr, let hcr):
      return "l1@\(vcpu) context vttbr=\(vttbr.hex) vtcr=\(vtcr.hex) hcr=\(hcr.hex)"
    case .invalidate(let vcpu, let operation): return "l1@\(vcpu) tlbi \(operation.operands)"
    case .l2Invalidate(let vcpu): return "l2@\(vcpu) tlbi vmalle1is"
    case .vncr(let vcpu, let ipa): return "l1@\(vcpu) vncr \(ipa.hex)"
    case .run(let vcpu): return "l1@\(vcpu) run"
    case .wait(let vcpu): return "l1@\(vcpu) wait"
    case .otherVM(let number, let operation): return "other-vm \(number) \(operation.statement)"
    case .otherProcess(let number, let operation):
      return "other-process \(number) \(operation.statement)"
    case .iommu(let device, let operation): return "iommu@\(device) \(operation.statement)"
    case .pkvm(let operation): return "pkvm \(operation.statement)"
    case .dma(let device, let address, let write):
      return "dev@\(device) \(write ? "write" : "read") \(address.hex)"
    case .realm(let operation): return "realm \(operation.statement)"
    case .rmp(let operation): return "rmp \(operation.statement)"
    case .pause(let address): return "pause at=\(address.hex)"
    case .resume(let next): return next ? "resume next" : "resume"
    case .failReverseMap(let insertions, let erasures):
      return insertions > 0 ? "revmap fail \(insertions)" : "revmap fail-erase \(erasures)"
    }
  }
}

extension HostOperation {
  fileprivate var statement: String {
    switch self {
    case .touch(let range, let write): "\(write ? "write" : "read") \(range.operands)"
    case .discard(let range): "discard \(range.operands)"
    case .unmap(let range): "unmap \(range.operands)"
    case .protect(let range, let write): "protect \(range.operands) \(write ? "rw" : "r")"
    case .hugePages(let range, let on): "hugepages \(range.operands) \(on ? "on" : "off")"
    case .collapse(let range): "collapse \(range.operands)"
    case .merge(let range): "merge \(range.operands)"
    case .fork: "fork"
    case .idle(let ipa): "idle \(ipa.hex)"
    case .testIdle(let ipa): "test-idle \(ipa.hex)"
    case .dirtyLog(let ipa, let on): "dirty-log \(on ? "on" : "off") \(ipa.hex)"
    case .getDirtyLog(let ipa): "dirty-log get \(ipa.hex)"
    case .eagerSplit(let size): "eager-split \(size.hex)"
    case .deleteMemslot(let ipa): "delete-memslot \(ipa.hex)"
    case .noHugePages(let range): "no-thp \(range.operands)"
    }
  }
}

extension OtherVMOperation {
  fileprivate var statement: String {
    switch self {
    case .run(let cpu): "run cpu=\(cpu)"
    case .wait: "wait"
    case .unmap(let range): "unmap \(range.operands)"
    case .attach: "attach"
    case .detach: "detach"
    }
  }
}

extension OtherProcessOperation {
  fileprivate var statement: String {
    switch self {
    case .run: "run"
    case .unmap(let range): "unmap \(range.operands)"
    }
  }
}

extension RealmOperation {
  fileprivate var statement: String {
    switch self {
    case .delegate(let range): "delegate \(range.operands)"
    case .undelegate(let range): "undelegate \(range.operands)"
    case .createTable(let ipa, let level): "rtt-create \(ipa.hex) \(level)"
    case .fold(let ipa, let level): "rtt-fold \(ipa.hex) \(level)"
    case .destroyTable(let ipa, let level): "rtt-destroy \(ipa.hex) \(level)"
    case .createData(let ipa): "data-create \(ipa.hex)"
    case .destroyData(let ipa): "data-destroy \(ipa.hex)"
    case .setState(let range, let state):
      "ripas \(range.operands) \(state == .ram ? "ram" : "empty")"
    }
  }
}

extension RMPOperation {
  fileprivate var statement: String {
    switch self {
    case .assign(let range, let large): "assign \(range.operands) \(large ? "2M" : "4K")"
    case .convert(let range, let shared):
      "convert \(range.operands) \(shared ? "shared" : "private")"
    case .smash(let ipa): "smash \(ipa.hex)"
    case .hold(let ipa, let holds): "\(holds ? "hold" : "release") \(ipa.hex)"
    }
  }
}

extension IOMMUOperation {
  fileprivate var statement: String {
    switch self {
    case .attach: "attach"
    case .shareAddresses: "sva"
    case .detach: "detach"
    case .bypass: "bypass"
    case .free: "free"
    case .pin(let range): "pin \(range.operands)"
    case .map(let range, let physical, let write):
      "map \(range.operands) \(physical.hex) \(write ? "rw" : "r")"
    case .clean(let range): "clean \(range.operands)"
    case .unmap(let range): "unmap \(range.operands)"
    }
  }
}

extension PKVMOperation {
  fileprivate var statement: String {
    switch self {
    case .memory(let range): "memory \(range.operands)"
    case .hostAccess(let kind, let address, let value):
      "host \(kind.verb) \(address.hex)" + (value.map { " value=\($0.hex)" } ?? "")
    case .guestAccess(let guest, let kind, let address, let value):
      "guest@\(guest) \(kind.verb) \(address.hex)" + (value.map { " value=\($0.hex)" } ?? "")
    case .createGuest(let guest, let isProtected):
      "create guest@\(guest) \(isProtected ? "protected" : "plain")"
    case .tearDownGuest(let guest): "teardown guest@\(guest)"
    case .snapshot: "snapshot"
    case .call(let call): call.statement
    }
  }
}

extension PKVMCall {
  fileprivate var statement: String {
    switch self {
    case .hostShareHyp(let page): "share host hyp \(page.hex)"
    case .hostUnshareHyp(let page): "unshare host hyp \(page.hex)"
    case .hostDonateHyp(let range): "donate host hyp \(range.operands)"
    case .hypDonateHost(let range): "donate hyp host \(range.operands)"
    case .hypPin(let page): "pin hyp \(page.hex)"
    case .hypUnpin(let page): "unpin hyp \(page.hex)"
    case .hostPin(let range): "pin host \(range.operands)"
    case .hostUnpin(let range): "unpin host \(range.operands)"
    case .hostShareFFA(let range): "share host ffa \(range.operands)"
    case .hostUnshareFFA(let range): "unshare host ffa \(range.operands)"
    case .hostDonateGuest(let guest, let page, let address):
      "donate host guest@\(guest) \(page.hex) \(address.hex)"
    case .hostShareGuest(let guest, let range, let address, let write):
      "share host guest@\(guest) \(range.operands) \(address.hex) \(write ? "rw" : "r")"
    case .hostUnshareGuest(let guest, let range): "unshare host guest@\(guest) \(range.operands)"
    case .guestShareHost(let guest, let address): "share guest@\(guest) host \(address.hex)"
    case .guestUnshareHost(let guest, let address): "unshare guest@\(guest) host \(address.hex)"
    case .reclaimGuest(let guest, let address): "reclaim guest@\(guest) \(address.hex)"
    case .forceReclaim(let page): "force-reclaim \(page.hex)"
    }
  }
}

extension AccessKind {
  fileprivate var verb: String {
    switch self {
    case .read: "read"
    case .write: "write"
    case .execute: "exec"
    }
  }
}

extension GuestInvalidation {
  fileprivate var operands: String {
    switch self {
    case .address(let nested, let ttl):
      let granule = ["none", "4K", "16K", "64K"][Int(ttl >> 2)]
      return "ipas2e1is \(nested.hex)" + (ttl == 0 ? "" : " ttl=\(granule):\(ttl & 3)")
    case .range(let nested, let pages, let granuleShift):
      let granule = [12: "4K", 14: "16K", 16: "64K"][granuleShift] ?? ""
      return "ripas2e1is \(nested.hex) pages=\(pages) granule=\(granule)"
    case .currentVMID: return "vmalls12e1is"
    case .all: return "alle1is"
    case .stage1: return "vmalle1is"
    }
  }
}

extension Range<UInt64> {
  fileprivate var operands: String { "\(lowerBound.hex) \((upperBound - lowerBound).hex)" }
}

extension UInt64 {
  fileprivate var hex: String { "0x" + String(self, radix: 16) }
}

extension Configuration {
  /// Statements that make a world with it.
  var statements: [String] {
    guard let version = isolation.pkvm else {
      return [
        "vm ipa=\(ipaBits) vcpus=\(vcpus) nested=\(nested ? "on" : "off")",
        "policy revmap=\(reverseMap.rawValue)",
      ]
    }
    return [
      "vm ipa=\(ipaBits)", "policy pkvm=\(version.rawValue)",
      "policy iommu=\(iommu.table.rawValue)",
      "policy iommu-tlbi=\(iommu.forwarding.rawValue)",
      "policy iommu-fault=\(iommu.faults.rawValue)",
      "policy iommu-walk=\(iommu.isCoherent ? "coherent" : "noncoherent")",
      "policy iommu-sync=\(iommu.syncs ? "on" : "off")", "policy bbm-cpu=\(iommu.cpuBreakLevel)",
      "policy bbm-smmu=\(iommu.smmuBreakLevel)", "policy mmio-reserve=\(mmioReserve)",
    ]
  }
}
