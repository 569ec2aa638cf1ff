/// The check under pKVM that ends a call in an error. Each is a function of its own.
package enum PKVMCheck: Hashable, Sendable {
  /// Addresses are those of pages. The kernel's calls take numbers of pages, so only pagewalk checks that.
  case alignment
  /// The pages lie in the space of physical addresses.
  case pageNumbers
  /// The range is memory, all of it in one region.
  case hostMemory
  /// The state of pages in the host's, or the hypervisor's, account.
  case hostState, hypervisorState
  /// The hypervisor does not use pages that are no longer to be lent to it.
  case hypervisorUse
  /// No pin of the proposed kind keeps pages.
  case pins
  /// The number of references to a page does not overflow, or sink below 0.
  case references
  /// The firmware's own record of what was lent to it.
  case firmware
  /// The call is for a guest of this kind, which runs.
  case guestKind
  /// Nothing is mapped yet at the guest's addresses.
  case guestState
  /// The guest's leaf, which must be of a page.
  case guestLeaf
  /// The leaf of a guest to which the host lends pages.
  case sharedLeaf
  /// Pages are shared with a guest one by one or as a block.
  case transitionSize
  /// An address is one of the table's.
  case walk
  /// The host has given the page to a guest.
  case guestInfo
  /// The call itself looks at a state: the function, in mem_protect.c.
  case call(String)
  /// The guest is dying.
  case dying
  /// A guest with this number can be made, or its teardown begin.
  case creation, teardown
  /// The snapshot is made once.
  case snapshot
  /// A guest's own access: it exits to the host.
  case guestExit
}

/// A call under pKVM that a check refuses.
struct PKVMRefusal: Error {
  let error: KernelError
  let check: PKVMCheck

  init(_ error: KernelError, _ check: PKVMCheck) {
    self.error = error
    self.check = check
  }
}

extension PKVMCheck {
  /// Why it ends the call in an error, and the function.
  func explanation(of error: KernelError) -> (why: String, Source) {
    switch self {
    case .alignment:
      (
        "pagewalk's own check: the kernel's calls take numbers of pages.",
        .project("addresses of pages")
      )
    case .pageNumbers:
      (
        "The range reaches out of the physical addresses.", .memoryProtection("pfn_range_is_valid")
      )
    case .hostMemory:
      (
        error == .einval
          ? "The range is not within one region of memory." : "There is no memory.",
        .memoryProtection("check_range_allowed_memory")
      )
    case .hostState:
      (
        "In the host's account the page is not in the state that the call needs.",
        .memoryProtection("__host_check_page_state_range")
      )
    case .hypervisorState:
      (
        "In the hypervisor's account the page is not in the state that the call needs.",
        .memoryProtection("__hyp_check_page_state_range")
      )
    case .hypervisorUse:
      ("The hypervisor uses it now.", .memoryProtection("__hyp_check_page_count_range"))
    case .pins: ("It is pinned for a device.", .sharing("requirement 2, pinning"))
    case .references:
      (
        "pagewalk's own check: the kernel does not look, and a wrong count would be a bug of EL2's own.",
        .project("references to a page")
      )
    case .firmware:
      ("Firmware does not have it.", .hypervisor("ffa.c", "do_ffa_mem_reclaim"))
    case .guestKind:
      (
        "There is no such guest, it is of the other kind, or it is dying.",
        .hypervisor("pkvm.c", "pkvm_load_hyp_vcpu, get_np_pkvm_hyp_vm")
      )
    case .guestState:
      (
        "Something is mapped there already.", .memoryProtection("__guest_check_page_state_range")
      )
    case .guestLeaf: (Self.leafReason(error), .memoryProtection("get_valid_guest_pte"))
    case .sharedLeaf: (Self.leafReason(error), .memoryProtection("__check_host_shared_guest"))
    case .transitionSize:
      (
        "A page, or a block of 2M at addresses that are aligned to it.",
        .memoryProtection("__guest_check_transition_size")
      )
    case .walk:
      ("The address is outside what the table translates.", .pgtable("_kvm_pgtable_walk"))
    case .guestInfo: (Self.ownerReason(error), .memoryProtection("host_stage2_get_guest_info"))
    case .call(let function):
      ("The page is not in a state that the call allows.", .memoryProtection(function))
    case .dying:
      (
        "Pages of a guest are reclaimed once its teardown has begun.",
        .hypervisor("pkvm.c", "__pkvm_reclaim_dying_guest_page")
      )
    case .creation:
      (
        "The host must have reserved the handle, and no guest have it yet.",
        .hypervisor("pkvm.c", "__insert_vm_table_entry")
      )
    case .teardown:
      (
        "There is no such guest, or its teardown has begun.",
        .hypervisor("pkvm.c", "__pkvm_start_teardown_vm")
      )
    case .snapshot:
      (
        "It is there already: the snapshot is made once.",
        .shadowing("kvm_iommu_snapshot_host_stage2")
      )
    case .guestExit: (Self.exitReason(error), .mmu("kvm_handle_guest_abort, pkvm_mem_abort"))
    }
  }

  private static func leafReason(_ error: KernelError) -> String {
    switch error {
    case .enoent: "The guest has nothing mapped there."
    case .e2big: "The guest's leaf there is of another size."
    case .ehwpoison: "The host took the page back by force."
    default: "The guest's leaf is not in the state that the call needs."
    }
  }

  private static func ownerReason(_ error: KernelError) -> String {
    switch error {
    case .efault: "There is no memory."
    case .eagain:
      "The host may use the page by now: its access should no longer fault, and is tried "
        + "again."
    default: "No guest has the page."
    }
  }

  private static func exitReason(_ error: KernelError) -> String {
    switch error {
    case .enoent:
      "No hypercall: the guest exits to the host, which would map a page there. Here it does so "
        + "by events of its own."
    case .efault:
      "The host took the page by force, so it cannot map one there again: KVM_RUN fails."
    case .eperm: "No hypercall: the guest exits to the host, which here relaxes nothing."
    default: "The guest's addresses end below."
    }
  }
}
