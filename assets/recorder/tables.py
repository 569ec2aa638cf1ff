#!/usr/bin/env drgn
"""Writes the stage-2 tables of VMs with all their words, for `pagewalk import`.

    drgn tables.py [PID] >tables.txt              # of the running kernel, as root
    drgn -c vmcore tables.py >tables.txt          # of a vmcore
    drgn --qemu SOCKET tables.py >tables.txt      # of a QEMU guest (drgn 0.2.0 or later)

It needs the kernel's debug information, and no CONFIG_PTDUMP_STAGE2_DEBUGFS. Tables of a running kernel change
while they are read: stop the VM before. Printed by `pagewalk recorder --drgn`.
"""
import struct
import sys

VALID_TABLE = 3
ADDRESS = 0x0000FFFFFFFFF000
PAGES_AT_MOST = 1 << 18


def crc32c(data, table=[]):
    if not table:
        for byte in range(256):
            value = byte
            for _ in range(8):
                value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
            table.append(value)
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


class Writer:
    """Writes a table page by page, each once."""

    def __init__(self, prog, out):
        self.prog = prog
        self.out = out
        self.seen = set()

    def read(self, address):
        return struct.unpack("<512Q", self.prog.read(address, 4096, True))

    def page(self, address, level, words):
        lines = ["page 0x%x %d" % (address, level)]
        index = 0
        while index < 512:
            if words[index] == 0:
                index += 1
                continue
            end = index
            while end < 512 and words[end] != 0 and end - index < 8:
                end += 1
            run = " ".join("%016x" % word for word in words[index:end])
            lines.append("+%03x %s" % (index, run))
            index = end
        text = "\n".join(lines) + "\n"
        self.out.write(text)
        self.out.write("end 0x%x %08x\n" % (address, crc32c(text.encode())))

    def walk(self, address, level):
        if address in self.seen or len(self.seen) >= PAGES_AT_MOST:
            return
        self.seen.add(address)
        try:
            words = self.read(address)
        except Exception as error:  # A page that is gone by now.
            self.out.write("# 0x%x cannot be read: %s\n" % (address, error))
            return
        self.page(address, level, words)
        if level < 3:
            for word in words:
                if word & 3 == VALID_TABLE:
                    self.walk(word & ADDRESS, level + 1)

    def table(self, name, mmu, registers=""):
        pgt = mmu.pgt
        if not int(pgt):
            return
        bits = int(pgt.ia_bits)
        start = int(pgt.start_level)
        roots = 1 << max(0, bits - (12 + 9 * (4 - start)))
        root = int(mmu.pgd_phys)
        vmid = int(mmu.vmid.id.counter) & 0xFFFF
        self.seen.clear()
        self.out.write(
            "table %s ipa=%d granule=4K start=%d roots=%d vmid=0x%x root=0x%x%s\n"
            % (name, bits, start, roots, vmid, root, registers)
        )
        for number in range(roots):
            self.walk(root + 4096 * number, start)


def vms(prog):
    from drgn.helpers.linux.list import list_for_each_entry

    return list_for_each_entry("struct kvm", prog["vm_list"].address_of_(), "vm_list")


def nested(kvm):
    """The shadow MMUs: an array of structures, or since 7.3.4 of pointers."""
    arch = kvm.arch
    if not hasattr(arch, "nested_mmus") or not int(arch.nested_mmus):
        return []
    found = []
    for number in range(int(arch.nested_mmus_size)):
        mmu = arch.nested_mmus[number]
        is_pointer = "*" in str(getattr(mmu, "type_", ""))
        if is_pointer and not int(mmu):
            continue
        found.append((number, mmu))
    return found


def registers(mmu):
    """L1's registers, which a shadow serves; older kernels keep fewer of them."""
    if not hasattr(mmu, "tlb_vtcr") or not hasattr(mmu, "nested_stage2_enabled"):
        return ""
    return " vttbr=0x%x vtcr=0x%x s2=%d" % (
        int(mmu.tlb_vttbr),
        int(mmu.tlb_vtcr),
        1 if int(mmu.nested_stage2_enabled) else 0,
    )


def main(prog, arguments, out):
    wanted = int(arguments[0]) if arguments else None
    out.write("pagewalk-table 1\n")
    for kvm in vms(prog):
        pid = int(kvm.userspace_pid)
        if wanted is not None and pid != wanted:
            continue
        out.write("# the VM of process %d\n" % pid)
        writer = Writer(prog, out)
        writer.table("canonical", kvm.arch.mmu)
        for number, mmu in nested(kvm):
            # With CnP set the context is not in use.
            if int(mmu.tlb_vttbr) & 1 == 0:
                writer.table("shadow%d" % number, mmu, registers(mmu))
        return
    sys.exit("no such VM")


if __name__ == "__main__":
    main(prog, sys.argv[1:], sys.stdout)  # noqa: F821: drgn has set it
