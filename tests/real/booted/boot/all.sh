#!/bin/bash
# Fetch, boot and dump all guests that are not there yet.
#   GUESTS=FOLDER all.sh
here=$(dirname "$0")
guests() { # SUITE PLAN...
    local suite=$1 plan machine; shift
    mkdir -p "$GUESTS/$suite"
    for plan; do
        machine=${plan%-*}
        [ -e "$GUESTS/$suite/logs/$plan.json" ] && continue
        [ -e "$GUESTS/$suite/build/$machine/initrd.gz" ] || {
            bash "$here/fetch.sh" "$suite" "$machine" && bash "$here/initrd.sh" "$suite" "$machine"
        } > "$GUESTS/$suite/$machine.log" 2>&1 || { echo "$suite $machine could not be fetched"; continue; }
        python3 "$here/boot.py" "$suite" "$plan" && echo "$suite $plan"
    done
}
guests bookworm amd64-full amd64-nokaslr amd64-pti amd64-la57 amd64-panic arm64-full arm64-nokaslr arm64-panic \
    i386-full armhf-full s390x-full ppc64el-full
guests trixie amd64-full amd64-la57 amd64-panic arm64-full arm64-lpa2 arm64-16k-full arm64-16k-lpa2 armhf-full \
    s390x-full ppc64el-full riscv64-full
guests sid amd64-full arm64-full arm64-lpa2 arm64-16k-full arm64-16k-lpa2 armhf-full s390x-full ppc64el-full riscv64-full
guests bullseye amd64-full arm64-full i386-full armhf-full s390x-full ppc64el-full
