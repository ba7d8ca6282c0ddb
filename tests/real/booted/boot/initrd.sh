#!/bin/bash
# Make the initramfs of a guest: busybox, and an init that prints what the guest knows of itself.
#   GUESTS=FOLDER initrd.sh SUITE MACHINE
set -euo pipefail
build=$GUESTS/$1/build/$2 tree=$GUESTS/$1/build/$2/tree
rm -rf "$tree"; mkdir -p "$tree"/{bin,proc,sys,dev}
cp "$(ls "$build"/root/bin/busybox "$build"/root/usr/bin/busybox 2>/dev/null | head -1)" "$tree/bin/busybox"
cat > "$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo 1 > /proc/sys/kernel/printk
echo 0 > /proc/sys/kernel/kptr_restrict
packed() { echo "TRUTH $1-begin"; gzip -9 | base64; echo "TRUTH $1-end"; }
echo "TRUTH uname $(uname -a)"
echo "TRUTH vmcoreinfo $(cat /sys/kernel/vmcoreinfo)"
dmesg | packed dmesg
packed kallsyms < /proc/kallsyms
[ -e /sys/kernel/btf/vmlinux ] &&
    echo "TRUTH btf $(wc -c < /sys/kernel/btf/vmlinux) $(sha256sum < /sys/kernel/btf/vmlinux)"
# The kernel's own note, read by the guest itself. It leaves copies of the note in memory: `nokcore` leaves that out.
grep -q nokcore /proc/cmdline || [ ! -e /proc/kcore ] || dd if=/proc/kcore bs=4096 count=16 2>/dev/null | packed kcore
# Private texts wherever a guest has such; whole they are nowhere else, not in this file either (test_secrets.py).
secret() { printf '%s-in-%s-%s\n' private "$1" 7f3a9c; }
if grep -q secrets /proc/cmdline; then
    secret log > /dev/kmsg
    secret page-cache > /file
    > "/$(secret name-of-file)"
    hostname "$(secret host-name)"
    mkfifo /pipe; (secret pipe; exec sleep 86400) > /pipe & exec 9< /pipe
    ENVIRONMENT=$(secret environment) sleep 86400 &
    sh -c 'sleep 86400; :' "$(secret argument)" &
    VARIABLE=$(secret variable)
    unshare -u sh -c 'while :; do echo "$0" > /proc/sys/kernel/domainname; done' "$(secret kernel-stack)" &
    yes "$(secret copied-all-the-time)" | grep -c x > /dev/null &
    sleep 5
    echo "TRUTH secrets"
fi
sync
echo "TRUTH ready"
grep -q panicnow /proc/cmdline && echo c > /proc/sysrq-trigger
while :; do sleep 3600; done
INIT
chmod +x "$tree/init"
(cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -9n) > "$build/initrd.gz"
