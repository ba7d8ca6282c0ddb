#!/bin/bash
# Build an arm64 kernel for a size of pages and a width of addresses, boot it until it panics, and print its note.
#   make.sh SOURCE 4K|16K|64K 36|39|42|47|48|52 FOLDER      in the checkout; SOURCE is an unpacked linux-source-*
# It needs gcc-aarch64-linux-gnu flex bison bc libssl-dev qemu-system-arm, and takes five minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) source=$1 pages=$2 bits=$3 out=$(mkdir -p "$4" && cd "$4" && pwd)
export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-

make -s -C "$source" "O=$out" tinyconfig
{
    cat "$here/kernel.config"
    echo "CONFIG_LOCALVERSION=\"-tiny-$pages-$bits\""
    for size in 4K 16K 64K; do [ $size = "$pages" ] || echo "# CONFIG_ARM64_${size}_PAGES is not set"; done
    for width in 36 39 42 47 48 52; do [ $width = "$bits" ] || echo "# CONFIG_ARM64_VA_BITS_$width is not set"; done
    echo "CONFIG_ARM64_${pages}_PAGES=y"
    echo "CONFIG_ARM64_VA_BITS_$bits=y"
} > "$out/chosen.config"
(cd "$source" && scripts/kconfig/merge_config.sh -O "$out" -m "$out/.config" "$out/chosen.config" > "$out/merged.log")
make -s -C "$source" "O=$out" olddefconfig
make -s -C "$source" "O=$out" "-j$(nproc)" Image
python -m tests.real.booted.arm64_widths.boot "$out" max
