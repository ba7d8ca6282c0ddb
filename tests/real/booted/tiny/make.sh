#!/bin/bash
# Build a kernel whose table of symbols is small, boot it until it panics, dump it, and cut the dump to a sample.
#   make.sh FOLDER      in the checkout; it makes FOLDER/amd64-tiny.kdump, and keeps the kernel with its vmlinux there
# Debian 12: apt install linux-source-6.1 build-essential flex bison bc libelf-dev libssl-dev qemu-system-x86 makedumpfile
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) work=$(mkdir -p "$1" && cd "$1" && pwd)
source=$work/linux-source-6.1

if [ ! -e "$work/bzImage" ]; then
    [ -d "$source" ] || tar xf /usr/src/linux-source-6.1.tar.xz -C "$work"
    make -s -C "$source" tinyconfig
    (cd "$source" && scripts/kconfig/merge_config.sh -m .config "$here/tiny.config")
    make -s -C "$source" olddefconfig
    make -s -C "$source" "-j$(nproc)" bzImage
    cp "$source/arch/x86/boot/bzImage" "$source/vmlinux" "$work"
fi

gcc -static -nostdlib -Os -fno-stack-protector -fno-builtin -o "$work/init" "$here/init.c"
cat > "$work/files" <<FILES
dir /dev 0755 0 0
nod /dev/console 0600 0 0 c 5 1
nod /dev/kmsg 0600 0 0 c 1 11
file /init $work/init 0755 0 0
FILES
"$source/usr/gen_init_cpio" "$work/files" | gzip -9n > "$work/initrd.gz"

python -m tests.real.booted.tiny.boot "$work"
rm -f "$work"/amd64-tiny.{elf,kdump}
python -m vmci_tui cut "$work/whole.elf" -o "$work/amd64-tiny.elf" --keep proof,cpus,log,types --mask --for makedumpfile
makedumpfile -c -d 0 "$work/amd64-tiny.elf" "$work/amd64-tiny.kdump"
