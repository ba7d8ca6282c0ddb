#!/bin/bash
# Make the initramfs of a guest that is asked while it runs: what initrd.sh made, and an init that writes the entry.
#   GUESTS=FOLDER live.sh SUITE ARCH OUT
# The kernel is to be started with rdinit=/live; with `unwritten` the entry is not written.
set -euo pipefail
build=$GUESTS/$1/build/$2 tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
module=$(find "$build/root" -name 'qemu_fw_cfg.ko*' | head -1)
case $module in *.xz) xz -dc "$module" > "$tree/fw_cfg.ko" ;; ?*) cp "$module" "$tree/fw_cfg.ko" ;; esac
cat > "$tree/live" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo 1 > /proc/sys/kernel/printk
grep -q unwritten /proc/cmdline || insmod /fw_cfg.ko
entry=/sys/firmware/qemu_fw_cfg/by_name/etc/vmcoreinfo/raw
[ -e $entry ] && echo "TRUTH entry $(hexdump -v -e '1/1 "%02x"' $entry)"
echo "TRUTH vmcoreinfo $(cat /sys/kernel/vmcoreinfo)"
echo "TRUTH ready"
while :; do sleep 3600; done
INIT
chmod +x "$tree/live"
{ cat "$build/initrd.gz"; cd "$tree"; find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -9n; } > "$3"
