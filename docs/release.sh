#!/usr/bin/env bash
# Makes what a clinician without Rust installs: a tarball and a .deb, in target/dist.
#
#   docs/release.sh                     builds the program with CUDA, and packs it
#   docs/release.sh --cpu               builds it without
#   docs/release.sh --binary FILE       packs this one
#
# With CUDA it is still one program for every machine: it uses a GPU where there is one, and starts where
# there is neither GPU nor driver. NVIDIA's compiler comes from PyPI (docs/cuda_toolkit.sh).
# Needs Python, a C++ compiler and readelf for CUDA, dpkg-deb and gzip for the .deb.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=target/release/echoif
case ${1:-} in
  --binary) binary=$2 ;;
  --cpu) cargo build --release --locked ;;
  "")
    docs/cuda_toolkit.sh target/nvcc
    (. target/nvcc/env && cargo build --release --locked --features cuda)
    ;;
  *) echo "usage: docs/release.sh [--cpu | --binary FILE]" >&2; exit 2 ;;
esac

# It would not start where one of these is not installed.
needed=$(readelf -d "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
if grep -E '^lib(cuda|cudart|cublas|cublasLt|curand|nvrtc)\.so' <<<"$needed"; then
  echo "$binary needs CUDA's libraries to start; link it with lld (docs/building.md)" >&2
  exit 1
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
machine=$(uname -m)
name=echoif-$version-$machine-linux
dist=target/dist
rm -rf "$dist" && mkdir -p "$dist"

# One file: weights, hearts and fonts are inside.
root=$dist/$name
mkdir -p "$root"
install -m 755 "$binary" "$root/echoif"
strip "$root/echoif" 2>/dev/null || true
install -m 644 README.md CHANGELOG.md LICENSE assets/licences.txt \
  assets/linux/echoif.desktop assets/linux/echoif.svg "$root/"
install -m 644 weights/README.md "$root/weights.md"
tar -C "$dist" --owner=0 --group=0 -czf "$dist/$name.tar.gz" "$name"

# The .deb.
case $machine in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) echo "no Debian architecture is known for $machine" >&2; exit 1 ;;
esac
deb=$dist/deb
install -Dm 755 "$root/echoif" "$deb/usr/bin/echoif"
install -Dm 644 assets/linux/echoif.desktop "$deb/usr/share/applications/echoif.desktop"
install -Dm 644 assets/linux/echoif.svg "$deb/usr/share/icons/hicolor/scalable/apps/echoif.svg"
install -Dm 644 README.md "$deb/usr/share/doc/echoif/README.md"
install -Dm 644 weights/README.md "$deb/usr/share/doc/echoif/weights.md"
{
  cat LICENSE
  printf '\nThe crates inside, with their licences:\n\n'
  cat assets/licences.txt
} > "$deb/usr/share/doc/echoif/copyright"
gzip -9nc CHANGELOG.md > "$deb/usr/share/doc/echoif/CHANGELOG.md.gz"
# The newest symbol version decides which C library it needs.
libc=$(grep -aoE 'GLIBC_[0-9]+\.[0-9]+(\.[0-9]+)?' "$root/echoif" | sed 's/GLIBC_//' | sort -Vu | tail -1)
# A build with CUDA has some C++ in it.
cxx=; if grep -aq 'libstdc++\.so\.6' "$root/echoif"; then cxx=', libstdc++6'; fi
mkdir -p "$deb/DEBIAN"
cat > "$deb/DEBIAN/control" <<CONTROL
Package: echoif
Version: $version
Architecture: $architecture
Maintainer: The EchoIf founders <echoif@localhost>
Installed-Size: $(du -sk "$deb/usr" | cut -f1)
Depends: libc6 (>= $libc), libgcc-s1$cxx
Recommends: libvulkan1, mesa-vulkan-drivers, libxkbcommon-x11-0, libx11-xcb1, libxcursor1, libxi6, libxrandr2, xdg-desktop-portal
Section: science
Priority: optional
Description: counterfactual echocardiograms, for research and education
 What would this heart look like if its ejection fraction were X? Opens one
 frame of an apical four-chamber view and plays it at another ejection
 fraction, by cascaded video diffusion on this machine. The pictures are
 synthetic: not for diagnosis.
CONTROL
dpkg-deb --root-owner-group --build "$deb" "$dist/echoif_${version}_$architecture.deb" >/dev/null
rm -rf "$deb"
ls -l "$dist"/*.tar.gz "$dist"/*.deb
