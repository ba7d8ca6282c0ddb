#!/bin/bash
# Build a kernel whose table of symbols is small, boot it until it panics, dump it, and cut the dump to a sample.
#   make.sh FOLDER      in the checkout; it makes FOLDER/amd64-tiny.kdump, and keeps the kernel with its vmlinux there
# Debian 12: apt install linux-source-6.1 build-essential flex bison bc libelf-dev libssl-dev qemu-system-x86 makedumpfile
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) work=$(mkdir -p "$1" && cd "$1" && pwd)
source=$work/linux-source-6.1

# Let the linker leave out what nothing refers to, and let nothing refer to system calls that init.c does not make.
lessen() {
    sed -i 's/^\tselect HAVE_PERF_EVENTS$/&\n\tselect HAVE_LD_DEAD_CODE_DATA_ELIMINATION/' arch/x86/Kconfig
    sed -i -E 's/^(\t+)\*\((\.(x86_cpu_dev\.init|altinstructions|apicdrivers))\)/\1KEEP(*(\2))/
        s/^\t\tHEAD_TEXT$/\t\tKEEP(*(.head.text))/' arch/x86/kernel/vmlinux.lds.S
    # The banner stays at the start of .rodata, where other kernels have it: it is found there.
    sed -i 's/^\t\t\*(\.rodata) /\t\t*(.rodata.linux_banner) *(.rodata) /' include/asm-generic/vmlinux.lds.h
    sed -i -E '/\bsys_(write|open|close|pause|nanosleep|clone|exit|prctl)$/! s/^([0-9]+\s+\w+\s+\w+)\s+sys_.*/\1/' \
        arch/x86/entry/syscalls/syscall_64.tbl
}

if [ ! -e "$work/bzImage" ]; then
    if [ ! -d "$source" ]; then
        tar xf /usr/src/linux-source-6.1.tar.xz -C "$work"
        (cd "$source" && lessen)
    fi
    make -s -C "$source" tinyconfig
    (cd "$source" && scripts/kconfig/merge_config.sh -m .config "$here/tiny.config")
    make -s -C "$source" olddefconfig
    make -s -C "$source" "-j$(nproc)" NM="$here/nm.sh" bzImage
    cp "$source/arch/x86/boot/bzImage" "$source/vmlinux" "$work"
fi

gcc -static -nostdlib -Os -fno-stack-protector -fno-builtin -o "$work/init" "$here/init.c"
cat > "$work/files" <<FILES
dir /dev 0755 0 0
nod /dev/console 0600 0 0 c 5 1
nod /dev/kmsg 0600 0 0 c 1 11
file /init $work/init 0755 0 0
FILES
"$source/usr/gen_init_cpio" "$work/files" > "$work/initrd"

python -m tests.real.booted.tiny.boot "$work"
rm -f "$work"/noted.elf "$work"/amd64-tiny.{elf,kdump}
python -m vmci_tui append "$work/whole.elf" --from-memory -o "$work/noted.elf"
python -m vmci_tui cut "$work/noted.elf" -o "$work/amd64-tiny.elf" --keep proof,cpus,log,types --mask --for makedumpfile
makedumpfile -c -d 0 "$work/amd64-tiny.elf" "$work/amd64-tiny.kdump"
