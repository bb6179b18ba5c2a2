#!/usr/bin/env bash
# bundle.sh BUILD_FOLDER OUTPUT_FOLDER: from a built tree, nephron-VERSION-linux-x86_64.tar.zst, which runs where none
# of the packages that nephron was built with is installed. `./nephron package` builds and calls this. The same build
# gives the same bytes. ZSTD_CLEVEL sets the level of compression: 19 takes two minutes more, and a tenth off the size.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd) output=$(cd "$2" && pwd)
# shellcheck disable=SC2034 # for wheels.sh
pins=$root/third_party/README.md

fail() {
  echo "package: $*" >&2
  exit 1
}
# shellcheck source=../../third_party/wheels.sh
source "$root/third_party/wheels.sh"
# shellcheck source=libraries.sh
source "$here/libraries.sh"
# shellcheck source=licences.sh
source "$here/licences.sh"

for tool in cmake readelf objdump nm cc zstd dpkg-query; do
  command -v "$tool" >/dev/null || fail "$tool is needed (on Debian: apt-get install binutils gcc cmake zstd)"
done
torch=$(sed -n 's/^set(NEPHRON_BUILT_WITH_TORCH "\(.*\)")/\1/p' "$build/lib/cmake/nephron/nephron-config.cmake")
[[ ${torch%%+*} == "$(torch_version)" ]] ||
  fail "$build was built with LibTorch ${torch:-of an unknown version}; a bundle fetches $(torch_version), so it must" \
    "be built with that"
version=$(sed -n 's/^set(PACKAGE_VERSION "\(.*\)")/\1/p' "$build/lib/cmake/nephron/nephron-config-version.cmake")
name=nephron-$version-linux-$(uname -m)

scratch=$(mktemp -d "$output/.package.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/$name
cmake --install "$build" --prefix "$tree" --strip >"$scratch/install.log" ||
  fail "cmake --install failed: $(tail "$scratch/install.log")"

sed "s|@TORCH_VERSION@|${torch%%+*}|" "$here/launcher.sh" >"$tree/libexec/launch"
install -m 644 "$root/third_party/wheels.sh" "$here/fetch_torch.sh" "$tree/share/nephron/"
chmod 755 "$tree/libexec/launch"
# LibTorch is where the launcher says, not where it was on the machine that built.
sed -i 's|^set(NEPHRON_TORCH_HINT .*|set(NEPHRON_TORCH_HINT "")|' "$tree/lib/cmake/nephron/nephron-config.cmake"

own=("$tree/bin/nephron" "$tree/libexec/nephron-compute" "$tree"/lib/*.so.*.*.* "$tree"/lib/nephron/plugins/*.so)
if [[ -e $tree/lib/libnephron_cuda.so ]]; then own+=("$tree/lib/libnephron_cuda.so")
else echo "package: no nvcc was found when this was built, so the bundle has no CUDA part" >&2; fi
make_paths_relative "$tree" "${own[@]}"
collect_libraries "$tree/lib" "$scratch" "${own[@]}"
collect_licences "$tree/share/doc/nephron/licences" "$scratch/libraries"
say_floor "$tree" >"$tree/share/doc/nephron/floor.txt"
for library in "${own[@]}" "$tree"/lib/*.so.*; do expect_relative "$library"; done

# Owners, order and times of what is packed depend on nothing but the build.
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 315532800)}
bundle=$output/$name.tar.zst
tar -C "$scratch" --sort=name --format=gnu --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
  --mode=u+rwX,go+rX,go-w -cf "$scratch/bundle.tar" "$name"
ZSTD_CLEVEL=${ZSTD_CLEVEL:-9} zstd -q -T0 "$scratch/bundle.tar" -o "$scratch/bundle.zst"
mv "$scratch/bundle.zst" "$bundle"
echo "package: $bundle, $(du -m "$bundle" | cut -f1) MB; $(tail -n 1 "$tree/share/doc/nephron/floor.txt")" >&2
