/// Where a rule comes from: a function of the kernel, a part of the architecture, or a mail thread.
package struct Source: Hashable, Sendable {
  /// File, register or thread.
  package let place: String
  /// Function, section or message.
  package let detail: String

  init(_ place: String, _ detail: String) {
    self.place = place
    self.detail = detail
  }

  /// Both in one line.
  package var description: String { "\(place): \(detail)" }

  static func mmu(_ function: String) -> Source { Source("arch/arm64/kvm/mmu.c", function) }
  static func nested(_ function: String) -> Source { Source("arch/arm64/kvm/nested.c", function) }
  static func pgtable(_ function: String) -> Source {
    Source("arch/arm64/kvm/hyp/pgtable.c", function)
  }
  static func sysRegs(_ function: String) -> Source {
    Source("arch/arm64/kvm/sys_regs.c", function)
  }
  /// AMD's SEV-SNP in the host.
  static func amd(_ function: String) -> Source { Source("arch/x86/virt/svm/sev.c", function) }
  static func sev(_ function: String) -> Source { Source("arch/x86/kvm/svm/sev.c", function) }
  static func x86MMU(_ function: String) -> Source { Source("arch/x86/kvm/mmu/mmu.c", function) }
  static func tdp(_ function: String) -> Source { Source("arch/x86/kvm/mmu/tdp_mmu.c", function) }
  static func amdArchitecture(_ section: String) -> Source {
    Source("AMD64 architecture, volume 2", section)
  }
  static func amdIOMMU(_ function: String) -> Source {
    Source("drivers/iommu/amd/iommu.c", function)
  }
  static func amdIOMMUArchitecture(_ section: String) -> Source {
    Source("AMD IOMMU architecture", section)
  }
  static func errors(_ name: String) -> Source {
    Source("include/uapi/asm-generic/errno-base.h", name)
  }
  /// The thread about sharing the CPUs' table with the SMMU.
  static func sharing(_ detail: String) -> Source {
    Source(
      "[PATCH v6 08/25] KVM: arm64: iommu: Shadow host stage-2 page table, 2026-05-11", detail)
  }
  /// The reference implementation of Arm's RMM: its handlers of RMI calls, and a realm's exits.
  static func realmManager(_ function: String) -> Source {
    Source("TF-RMM, runtime/rmi/rtt.c", function)
  }
  static func realmExit(_ function: String) -> Source {
    Source("TF-RMM, runtime/core/exit.c", function)
  }
  /// KVM as the host of realms, which Linux 7.3.4 does not have.
  static func realmHost(_ function: String) -> Source {
    Source("arm64: Support for Arm CCA in KVM, as posted", function)
  }
  /// The specification of Arm's RMM.
  static func rmm(_ section: String) -> Source { Source("RMM specification 1.0", section) }
  /// The generic page table that AMD's IOMMU driver uses.
  static func iommuGeneric(_ function: String) -> Source {
    Source("drivers/iommu/generic_pt/iommu_pt.h", function)
  }
  /// The thread about the RMP and the IOMMU.
  static let rmpAndIOMMU = Source(
    "[PATCH v8 07/15] iommupt: Add map_pages op, 2026-01-22", "Kardashevskiy, Gunthorpe")
  static func vmid(_ function: String) -> Source { Source("arch/arm64/kvm/vmid.c", function) }
  /// Pinned VMIDs, which Linux 7.3.4 does not have.
  static func pinning(_ function: String) -> Source {
    Source("[RFC PATCH v3 0/5] iommu/arm-smmu-v3: Use pinned KVM VMID, 2025-03-19", function)
  }
  /// The hypervisor at EL2, in its own folder.
  static func hypervisor(_ file: String, _ function: String) -> Source {
    Source("arch/arm64/kvm/hyp/nvhe/\(file)", function)
  }
  static func memoryProtection(_ function: String) -> Source {
    hypervisor("mem_protect.c", function)
  }
  /// pKVM's driver of SMMUs, which Linux 7.3.4 does not have.
  static func shadowing(_ function: String) -> Source {
    Source(
      "[PATCH v4 10/28] KVM: arm64: iommu: Shadow host stage-2 page table, 2025-08-19", function)
  }
  static func kvm(_ function: String) -> Source { Source("virt/kvm/kvm_main.c", function) }
  static func memory(_ file: String, _ function: String) -> Source {
    Source("mm/\(file)", function)
  }
  static func iommufd(_ function: String) -> Source {
    Source("drivers/iommu/iommufd/io_pagetable.c", function)
  }
  static func vfio(_ function: String) -> Source {
    Source("drivers/vfio/vfio_iommu_type1.c", function)
  }
  static func iommu(_ function: String) -> Source { Source("drivers/iommu/iommu.c", function) }
  static func ioTable(_ function: String) -> Source {
    Source("drivers/iommu/io-pgtable-arm.c", function)
  }
  static func smmu(_ function: String) -> Source {
    Source("drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c", function)
  }
  static func sva(_ function: String) -> Source {
    Source("drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-sva.c", function)
  }
  static func asid(_ function: String) -> Source { Source("arch/arm64/mm/context.c", function) }
  static func memoryFault(_ function: String) -> Source {
    Source("arch/arm64/mm/fault.c", function)
  }
  static func tlbFlush(_ function: String) -> Source {
    Source("arch/arm64/include/asm/tlbflush.h", function)
  }
  static func smmuArchitecture(_ section: String) -> Source {
    Source("SMMUv3 architecture", section)
  }
  /// Version 2 of the reverse-map patch, whose text is public.
  static func reverseMap(_ detail: String) -> Source {
    Source("[PATCH v2 1/1] KVM: arm64: nv: Avoid full shadow s2 unmap, 2026-04-11", detail)
  }
  /// A rule of pagewalk's own policies.
  static func project(_ detail: String) -> Source { Source("pagewalk", detail) }
  static func architecture(_ section: String) -> Source { Source("Arm ARM", section) }
}
