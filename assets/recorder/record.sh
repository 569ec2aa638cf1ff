#!/bin/sh
# Records what KVM does to the stage-2 tables of one VM, with nothing but tracefs and debugfs, and packs it for
# `pagewalk import`. Printed by `pagewalk recorder`.
set -u

usage() {
  cat <<'END'
usage: sh record.sh [-n] [-v VM] [-o OUT.tar] [-e SECONDS] [-c COUNT] [-m MS]

Records one VM until the standard input ends, COUNT moments were recorded, or it is interrupted. At each line of
the standard input, or with -e every so many seconds, the tables are read: a moment, whose title is the line. Start
it before the VM: what was mapped before is in the tables, but not in the calls.

  -v VM       its folder below /sys/kernel/debug/kvm; without it, the next that appears
  -o OUT.tar  where to write; default pagewalk-record.tar
  -e SECONDS  a moment every so many seconds
  -c COUNT    stop after so many moments
  -m MS       a table whose reading took longer is not read again; default 50. While it is read, all faults of
              the VM wait
  -n          say what would be done, and change nothing
END
}

say() { echo "record: $*" >&2; }
fail() {
  say "$*"
  exit 4
}

tracefs=${PAGEWALK_TRACEFS:-/sys/kernel/tracing}
debugfs=${PAGEWALK_KVMFS:-/sys/kernel/debug/kvm}
vm='' out=pagewalk-record.tar every='' count=0 limit=50 dry=
while getopts nv:o:e:c:m:h option; do
  case $option in
  n) dry=1 ;;
  v) vm=$OPTARG ;;
  o) out=$OPTARG ;;
  e) every=$OPTARG ;;
  c) count=$OPTARG ;;
  m) limit=$OPTARG ;;
  h) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
  esac
done
for number in "${every:-1}" "$count" "$limit"; do
  case $number in
  *[!0-9]* | '') say "expected a number, not '$number'" && usage >&2 && exit 2 ;;
  esac
done

# Probes: name, r for the function's return, the function, and arguments.
probes=$(
  cat <<'END'
s2_init p __kvm_pgtable_stage2_init pgt=$arg1:x64 mmu=$arg2:x64
s2_map p kvm_pgtable_stage2_map pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64 phys=$arg4:x64 prot=$arg5:x64
s2_relax p kvm_pgtable_stage2_relax_perms pgt=$arg1:x64 addr=$arg2:x64 prot=$arg3:x64
s2_split p kvm_pgtable_stage2_split pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64
s2_test_clear_young p kvm_pgtable_stage2_test_clear_young pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64 mkold=$arg4:u8
s2_unmap_range p kvm_stage2_unmap_range mmu=$arg1:x64 start=$arg2:x64 size=$arg3:x64 may_block=$arg4:u8
s2_wp_range p kvm_stage2_wp_range mmu=$arg1:x64 start=$arg2:x64 end=$arg3:x64
mmu_notifier_unmap_gfn p kvm_unmap_gfn_range start_gfn=+8($arg2):x64 end_gfn=+16($arg2):x64
age_gfn p kvm_age_gfn start_gfn=+8($arg2):x64 end_gfn=+16($arg2):x64
commit_memslot p kvm_arch_commit_memory_region
flush_memslot p kvm_arch_flush_shadow_memslot
walk_nested p kvm_walk_nested_s2 nipa=$arg2:x64
walk_nested_ret r kvm_walk_nested_s2 ret=$retval:s32
inject_s2_fault p kvm_inject_s2_fault esr=$arg2:x64
tlbi_ipa p s2_mmu_unmap_ipa mmu=$arg1:x64 val=+0($arg2):x64
tlbi_range p s2_mmu_unmap_range mmu=$arg1:x64 start=+0($arg2):x64 size=+8($arg2):x64
nested_unmap_all p kvm_nested_s2_unmap kvm=$arg1:x64 may_block=$arg2:u8
nested_wp_all p kvm_nested_s2_wp kvm=$arg1:x64
arm_lpae_map_pages p arm_lpae_map_pages ops=$arg1:x64 iova=$arg2:x64 paddr=$arg3:x64 pgsize=$arg4:x64 pgcount=$arg5:u64 prot=$arg6:x32
arm_lpae_unmap_pages p arm_lpae_unmap_pages ops=$arg1:x64 iova=$arg2:x64 pgsize=$arg3:x64 pgcount=$arg4:u64
END
)
events='kvm/kvm_guest_fault kvm/kvm_access_fault kvm/kvm_nested_eret kvm/kvm_inject_nested_exception
kvm/kvm_sys_access kvm/kvm_unmap_hva_range kvm/kvm_age_hva kvm/kvm_test_age_hva kvm/kvm_vm_set_mem_attributes
iommu/map iommu/unmap iommu/io_page_fault'

[ -n "$dry" ] || [ "$(id -u)" -eq 0 ] || [ -n "${PAGEWALK_TRACEFS:-}" ] || fail "expected to be run as root"
[ -d "$tracefs/instances" ] ||
  fail "no tracefs at $tracefs: mount -t tracefs nodev $tracefs"
[ -d "$debugfs" ] ||
  fail "no $debugfs: mount -t debugfs nodev /sys/kernel/debug, and load kvm"

instance=$tracefs/instances/pagewalk
# Events of pKVM's hypervisor itself, since Linux 7.2.
remote=$tracefs/remotes/hypervisor
remote_events='hyp_enter host_mem_abort'

probe_line() { # name kind function arguments
  name=$1 kind=$2 function=$3
  shift 3
  echo "$kind:pagewalk/$name $function $*"
}

if [ -n "$dry" ]; then
  echo "make $instance"
  echo "$probes" | while read -r name kind function arguments; do
    # shellcheck disable=SC2086
    echo "add to $tracefs/kprobe_events: $(probe_line "$name" "$kind" "$function" $arguments)"
  done
  for event in $events; do echo "enable $instance/events/$event"; done
  if [ -e "$remote/tracing_on" ]; then
    for event in $remote_events; do echo "enable $remote/events/*/$event"; done
  fi
  echo "read stage2_page_tables, ipa_range and nested/ of ${vm:-the next VM} in $debugfs"
  echo "write $out, and take all of it back"
  exit 0
fi

# What cannot be written at the end would be lost.
(: >>"$out") 2>/dev/null || fail "$out cannot be written"
work=$(mktemp -d) || fail "no folder for the recording"

# Switches the hypervisor's events on or off, wherever they are below events/.
switch_remote() { # 0 or 1
  for event in $remote_events; do
    for switch in "$remote/events/$event/enable" "$remote"/events/*/"$event"/enable; do
      [ -e "$switch" ] && echo "$1" >"$switch"
    done
  done
}

remote_was='' kept=''
clean() {
  trap - EXIT INT TERM HUP
  [ -e "$instance/tracing_on" ] && echo 0 >"$instance/tracing_on"
  for switch in "$instance"/events/*/*/enable; do
    [ -e "$switch" ] && echo 0 >"$switch"
  done
  echo "$probes" | while read -r name _; do
    grep -q "pagewalk/$name " "$tracefs/kprobe_events" 2>/dev/null &&
      echo "-:pagewalk/$name" >>"$tracefs/kprobe_events"
  done
  rmdir "$instance" 2>/dev/null
  if [ -n "$remote_was" ]; then
    switch_remote 0
    echo "$remote_was" >"$remote/tracing_on"
  fi
  [ -n "$kept" ] || rm -rf "$work"
  [ -s "$out" ] || rm -f "$out"
}
trap clean EXIT
# Until something is recorded; then an interrupt ends the recording.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$instance" || fail "$instance cannot be made: is it a kernel with CONFIG_KPROBE_EVENTS?"
echo "$probes" >"$work/.probes"
while read -r name kind function arguments; do
  # Functions that a kernel does not have, or has inlined, are left out.
  # shellcheck disable=SC2086
  if ! probe_line "$name" "$kind" "$function" $arguments >>"$tracefs/kprobe_events" 2>/dev/null; then
    say "not on this kernel: $function"
    continue
  fi
  [ -e "$instance/events/pagewalk/$name/enable" ] && echo 1 >"$instance/events/pagewalk/$name/enable"
done <"$work/.probes"
for event in $events; do
  [ -e "$instance/events/$event/enable" ] && echo 1 >"$instance/events/$event/enable"
done
if [ -e "$remote/tracing_on" ]; then
  remote_was=$(cat "$remote/tracing_on")
  : >"$remote/trace"
  switch_remote 1
  # Its clock is the boot clock, so that both traces have one order.
  [ -e "$instance/trace_clock" ] && echo boot >"$instance/trace_clock"
  echo 1 >"$remote/tracing_on"
fi
# KiB for each CPU: what does not fit is overwritten.
[ -e "$instance/buffer_size_kb" ] && echo 16384 >"$instance/buffer_size_kb"
echo 1 >"$instance/tracing_on"

if [ -z "$vm" ]; then
  say "waiting for the next VM in $debugfs"
  before=$(ls "$debugfs")
  while [ -z "$vm" ]; do
    for folder in "$debugfs"/*/; do
      folder=$(basename "$folder")
      case "
$before
" in
      *"
$folder
"*) ;;
      *) [ -d "$debugfs/$folder" ] && vm=$folder ;;
      esac
    done
    [ -n "$vm" ] || sleep 1
  done
fi
tables=$debugfs/$vm
[ -d "$tables" ] || fail "$tables: no such VM"
[ -e "$tables/stage2_page_tables" ] ||
  fail "$tables has no stage2_page_tables: the kernel is without CONFIG_PTDUMP_STAGE2_DEBUGFS. The script of
  \`pagewalk recorder --drgn\` reads the tables without it"
say "recording $vm; a line of input is a moment, its end ends the recording"

# Milliseconds of a clock that never goes back.
now() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }

slow=
read_table() { # file target
  case " $slow " in *" $1 "*) return ;; esac
  start=$(now)
  if ! cat "$tables/$1" >"$2" 2>"$2.err"; then
    say "$1 cannot be read: $(cat "$2.err")"
  else
    rm -f "$2.err"
  fi
  if [ $(($(now) - start)) -gt "$limit" ]; then
    slow="$slow $1"
    say "$1 took more than $limit ms and is not read again: all faults of the VM wait meanwhile"
  fi
}

# The SMMU's lines of the kernel log. Those of former moments, and from before the recording, are left out.
smmu_lines() { dmesg 2>/dev/null | grep arm-smmu-v3; }
told=$(smmu_lines | wc -l)

moment=0
record() { # title
  folder=$work/$(printf '%04d' "$moment")
  mkdir -p "$folder/nested"
  for file in stage2_page_tables ipa_range stage2_levels; do
    [ -e "$tables/$file" ] && read_table "$file" "$folder/$file"
  done
  for file in "$tables"/revmap* "$tables"/nested/*; do
    [ -e "$file" ] && read_table "${file#"$tables/"}" "$folder/${file#"$tables/"}"
  done
  rmdir "$folder/nested" 2>/dev/null
  # What happens from here on belongs to the next moment.
  cat "$instance/trace" >"$folder/trace.txt"
  : >"$instance/trace"
  if [ -n "$remote_was" ]; then
    cat "$remote/trace" >"$folder/hyp_trace.txt"
    : >"$remote/trace"
  fi
  smmu_lines >"$work/.smmu"
  tail -n +$((told + 1)) "$work/.smmu" >"$folder/dmesg.txt"
  told=$(wc -l <"$work/.smmu")
  [ -s "$folder/dmesg.txt" ] || rm -f "$folder/dmesg.txt"
  printf '%s\n' "$1" >"$folder/step.txt"
  moment=$((moment + 1))
}

ended=''
trap 'ended="interrupted"' INT TERM HUP
while [ -z "$ended" ] && { [ "$count" -eq 0 ] || [ "$moment" -lt "$count" ]; }; do
  if [ -n "$every" ]; then
    # A signal that comes while the shell waits for it is handled at once.
    sleep "$every" &
    wait $!
    title="after $every s"
  else
    read -r title || break
  fi
  [ -z "$ended" ] || break
  [ -d "$tables" ] || { say "the VM has ended" && break; }
  record "$title"
done
[ -z "$ended" ] || [ ! -d "$tables" ] || record "$ended"
[ "$moment" -gt 0 ] || record "the end"
rm -f "$work/.probes" "$work/.smmu"
if ! tar -cf "$out" -C "$work" .; then
  kept=1
  fail "$out cannot be written; what was recorded is in $work"
fi
say "$moment moments in $out: pagewalk import $out"
