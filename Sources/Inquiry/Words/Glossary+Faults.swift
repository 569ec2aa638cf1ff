extension Glossary {
  /// What happens when a guest runs, and what KVM does.
  static let faults: [Entry] = [
    Entry(
      "L1", also: ["guest hypervisor"],
      "The guest of the VM. Nested, it is a hypervisor itself, with L2 as its guest.",
      shows: "events that begin with l1", see: ["L2", "VMM", "guest table"]),
    Entry(
      "L2", also: ["nested guest"], "The guest of L1. It runs on a shadow.",
      shows: "events that begin with l2", see: ["L1", "shadow"]),
    Entry(
      "VMM", also: ["user space"],
      "The process on the host that owns the VM: it gives it memory slots and runs its vCPUs.",
      shows: "events that begin with host", see: ["memory slot", "VMM address", "MMIO"]),
    Entry(
      "vCPU", "A virtual CPU. Each brings two shadows.", shows: "events: l1@1, l2@1",
      see: ["shadow", "L1"]),
    Entry(
      "KVM", "The part of Linux that runs VMs. What it does here is what Linux 7.3.4 does.",
      shows: "every step after a fault", see: ["VMM", "fault"]),
    Entry(
      "fault", also: ["stage-2 fault", "translation fault", "permission fault"],
      "The end of a walk without a leaf that permits the access. The vCPU leaves to KVM, which maps the "
        + "page, relaxes the leaf, or gives an exception to the guest.",
      shows: "steps named fault", see: ["walk", "inject", "map", "relax", "refault"]),
    Entry(
      "access",
      "A load, store or fetch of a guest. It is tried again until it completes or cannot.",
      shows: "the first step of l1 and l2 events", see: ["fault", "load", "retry"]),
    Entry(
      "load", also: ["store", "fetch", "translate"],
      "What a guest's access ends in: the leaf permits it, and the memory is read, written or executed.",
      shows: "the last steps of an access", see: ["access", "walk", "TLB"]),
    Entry(
      "refault",
      "A fault only because a leaf was removed needlessly.",
      shows: "`pagewalk compare`", see: ["fault", "full unmap", "needed"]),
    Entry(
      "inject", also: ["exception", "abort", "data abort", "instruction abort"],
      "To give a guest an exception: L1 for what its own table forbids L2, the guest itself for what no "
        + "memory is behind.",
      shows: "steps; counted in the header and in costs",
      see: ["fault", "external abort", "address size fault", "fault status"]),
    Entry(
      "fault status", also: ["FSC", "syndrome", "ESR", "HPFAR"],
      "The code in an exception that says what went wrong and at which level of the walk.",
      shows: "steps named fault and inject; expect fsc=", see: ["inject", "level"]),
    Entry(
      "external abort", also: ["SEA"],
      "The exception for an address where there is nothing: outside the VM's IPA space, a fetch from no "
        + "slot, or a guest table where L1 has no memory.",
      shows: "steps named inject; expect error external", see: ["inject", "MMIO"]),
    Entry(
      "address size fault", "The exception for an address above what KVM supports.",
      shows: "steps named inject; expect error size", see: ["inject", "canonical IPA"]),
    Entry(
      "EFAULT",
      "The error of KVM_RUN when the VMM has nothing mapped where a slot says, or forbids the access.",
      shows: "steps; expect error efault", see: ["memory slot", "VMA"]),
    Entry(
      "MMIO",
      "An access where no memory slot is: it leaves to the VMM, where a device may be.",
      shows: "steps; expect mmio", see: ["memory slot", "VMM"]),
    Entry(
      "blocked",
      "The vCPU would fault again and again, since an invalidation is under way; the scenario continues.",
      shows: "steps", see: ["retry", "notifier", "pause"]),
    Entry(
      "livelock", also: ["endless fault"],
      "The vCPU takes the same fault for ever: each time KVM changes nothing, and the guest runs again.",
      shows: "steps; bugs/endless-fault", see: ["blocked", "retry"]),
    Entry(
      "retry", also: ["sequence number", "mmu_invalidate_seq"],
      "A fault is given up and taken again, because an invalidation ran or runs: a leaf made now could "
        + "outlive its page. A counter tells.",
      shows: "steps", see: ["notifier", "blocked"]),
    Entry(
      "size", also: ["mapping size"],
      "How large a leaf may be: the host's page, the slot, and in a shadow L1's leaf all limit it.",
      shows: "steps named size", see: ["block", "derivation", "huge page"]),
    Entry(
      "mmu_lock", also: ["lock", "unlock"],
      "The lock of a VM's tables. Faults hold it for reading, side by side; whoever unmaps a range holds it "
        + "for writing, alone.",
      shows: "steps named lock, unlock, drop lock", see: ["drop lock", "LOCKED", "sweep"]),
    Entry(
      "map", also: ["mapping"],
      "To install the leaf that a fault asked for.", shows: "steps",
      see: ["fault", "break before make", "allocate", "record"]),
    Entry(
      "no change", also: ["no-op"],
      "Nothing had to be done; the text says why.", shows: "steps", see: ["retry", "event"]),
    Entry(
      "allocate", also: ["memcache"],
      "A page for a new table. It comes from a cache of the vCPU that is filled before any lock is "
        + "taken, since one must not sleep under it.",
      shows: "steps", see: ["table", "free", "GFP_NOWAIT"]),
    Entry(
      "free", "A table page is given back: no entry leads to it any more.", shows: "steps",
      see: ["table", "allocate", "unmap"]),
    Entry(
      "unmap", also: ["removed", "clear"],
      "To remove leaves, whole ones even if less was asked for.",
      shows: "steps; a minus before a row",
      see: ["sweep", "full unmap", "needed", "TLBI"]),
    Entry(
      "relax", "To give a leaf more permissions. That needs no break, and a TLBI on this CPU only.",
      shows: "steps", see: ["permission", "fault"]),
    Entry(
      "protect", also: ["write protection", "mprotect"],
      "To take the write permission from leaves, so that the next write is seen as a fault.",
      shows: "steps", see: ["dirty log", "permission", "copy on write"]),
    Entry(
      "dirty log", also: ["dirty", "dirty logging"],
      "Which pages were written since the VMM last asked, for moving a VM. While it is on, leaves are "
        + "pages and begin write-protected.",
      shows: "steps; expect dirty", see: ["protect", "split"]),
    Entry(
      "split", also: ["eager split", "host split"],
      "To replace a block by the pages in it: before dirty logging needs them, or when part of a huge "
        + "page changes.",
      shows: "steps", see: ["block", "dirty log", "break before make", "collapse"]),
    Entry(
      "age", also: ["young", "old", "ageing"],
      "To clear access flags, to learn later whether a page was used. Shadow leaves are not aged.",
      shows: "steps", see: ["access flag", "idle"]),
    Entry(
      "sweep",
      "To unmap a range of a table in pieces. Between two gigabytes mmu_lock may be dropped.",
      shows: "steps", see: ["unmap", "drop lock", "full unmap"]),
    Entry(
      "drop lock", also: ["parked"],
      "A long sweep lets others run in between: what it has looked at may then have changed.",
      shows: "steps, where an event was paused", see: ["pause", "sweep", "mmu_lock"]),
    Entry(
      "pause", also: ["resume", "paused"],
      "The next event that may drop mmu_lock stops there, so that other events can run in between; so "
        + "does a device's event, or a hypercall, between two actions. resume continues it.",
      shows: "events and steps", see: ["drop lock", "sweep"]),
    Entry(
      "full unmap", also: ["full-unmap", "whole unmap", "full shadow unmap"],
      "All of a shadow is unmapped, because nobody knows which of its leaves map the memory.",
      shows: "costs; `pagewalk compare`; filter full-unmap",
      see: ["reverse map", "unknown", "broken", "refault"]),
    Entry(
      "needed", also: ["had to go", "over-unmap", "blast radius"],
      "Leaves that had to be removed, because they mapped what was taken back; the others were removed needlessly.",
      shows: "costs; `pagewalk compare`", see: ["full unmap", "refault"]),
    Entry(
      "recycle",
      "A shadow is taken from one context of L1 for another; its leaves must be unmapped first.",
      shows: "steps", see: ["shadow", "VTTBR"]),
    Entry(
      "read L1", also: ["guest walk"],
      "KVM reads an entry of L1's table in software, as hardware would if L1 were not virtual.",
      shows: "steps", see: ["guest table", "inject"]),
    Entry(
      "VNCR", also: ["pseudo-TLB"],
      "The page in which L1 keeps registers of a guest hypervisor of its own. KVM remembers where it is: "
        + "no table entry, but it must be invalidated like one.",
      shows: "steps; the invariant vncr", see: ["L1", "notifier"]),
  ]
}
