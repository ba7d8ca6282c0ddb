#!/bin/bash
# Unpack Debian's kernel and busybox of one release and machine, without installing them.
#   GUESTS=FOLDER fetch.sh SUITE MACHINE
set -euo pipefail
suite=$1 machine=$2 arch=${2%%-*} corpus=$GUESTS/$1
declare -A kernels=([amd64]=amd64 [i386]=686-pae [arm64]=arm64 [arm64-16k]=arm64-16k [armhf]=armmp-lpae
                    [s390x]=s390x [ppc64el]=powerpc64le [riscv64]=riscv64)
meta=linux-image-${kernels[$machine]}
mirror=$(sed -n 's,^URIs: *\(.*/debian\)$,\1,p' /etc/apt/sources.list.d/*.sources | head -1)

# Package lists of their own: those of this machine stay as they are.
state=$corpus/apt/$arch
mkdir -p "$state"/{lists/partial,cache/archives/partial,sources.d}
: > "$state/status"
apt=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "APT::Sandbox::User=root"
     -o "Dir::State::Lists=$state/lists" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache"
     -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$state/sources.d")
source() { printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' "$1" "$2" \
    /usr/share/keyrings/debian-archive-keyring.gpg; }
if [ "$suite" = sid ]; then source "$mirror" sid
else source "$mirror" "$suite $suite-updates"; source "$mirror-security" "$suite-security"
fi > "$state/sources.d/debian.sources"
# One index may fail while a mirror is being synchronized; the others are then enough.
apt-get "${apt[@]}" update || true
image=$(apt-cache "${apt[@]}" depends "$meta" | sed -n 's/^ *Depends: \(linux-image-.*\)$/\1/p' | head -1)
[ -n "$image" ] || { echo "$meta names no image for $arch in $suite" >&2; exit 1; }

mkdir -p "$corpus/dl/$machine" && cd "$corpus/dl/$machine"
apt-get "${apt[@]}" download "$image" busybox-static
# Newer releases split the image: the kernel and its modules are packages of their own.
parts=$(dpkg -f "$image"_*.deb Depends | tr ',|' '\n\n' | sed -n 's/^ *\(linux-\(binary\|modules\)-[^ ]*\).*/\1/p')
for part in $parts; do apt-get "${apt[@]}" download "$part"; done
root=$corpus/build/$machine/root
rm -rf "$root"; mkdir -p "$root"
for package in ./*.deb; do dpkg -x "$package" "$root"; done
if [ ! -d "$root/boot" ]; then
    mkdir "$root/boot"
    for file in "$root"/usr/lib/modules/*/{vmlinuz,vmlinux}; do
        if [ -e "$file" ]; then cp "$file" "$root/boot/$(basename "$file")-$(basename "$(dirname "$file")")"; fi
    done
fi
