#!/usr/bin/env bash
# bundle.sh STEP BUILD_FOLDER SCRATCH LIBTORCH: the archive of `./nephron package`, made, unpacked into a folder with a
# space in its name, and used where nothing else is.
set -euo pipefail
step=$1 build=$2 scratch=$3 libtorch=$(realpath "$4")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../../.." && pwd)
# shellcheck source=bare_root.sh
source "$here/bare_root.sh"

fail() {
  echo "package.bundle_$step: $*" >&2
  exit 1
}
expect() { [[ $2 == *"$1"* ]] || fail "expected '$1' in: $2"; }

root=$scratch/root
folder="/opt/two words"
unpacked() { echo "$root$folder"/nephron-*; }

# inside VARIABLE=VALUE... -- ARGUMENT...: the bundle's nephron in the bare root, with these variables alone.
inside() {
  local variables=()
  while [[ $1 != -- ]]; do variables+=("$1") && shift; done
  shift
  env -i PATH=/bin HOME=/home "${variables[@]}" "$(command -v chroot)" "$root" /bin/sh -c 'cd /tmp && exec "$0" "$@"' "$program" "$@"
}
# refused STATUS VARIABLE=VALUE... -- ARGUMENT...: sets `said` to what a call that must fail with STATUS says.
refused() {
  local expected=$1 status=0
  shift
  said=$(inside "$@" 2>&1) || status=$?
  ((status == expected)) || fail "ended with $status, $expected was expected: $said"
}
enter_bare_root() {
  [[ -n ${NEPHRON_NAMESPACED:-} ]] || enter_namespaces "$here/bundle.sh" "$step" "$build" "$scratch" "$libtorch"
  rm -rf "${root:?}"/{home,cache,python,other,hostile,tmp}
  make_bare_root "$root" || fail "the bare root is not whole"
  show_libtorch "$root" "$libtorch"
  shown=/torch/$(basename "$libtorch")
  program=$(cd "$(unpacked)" && pwd)/bin/nephron
  program=${program#"$root"}
}
# torch_of_version FOLDER VERSION: looks like an installed LibTorch of that version.
torch_of_version() {
  mkdir -p "$1/lib"
  : >"$1/lib/libtorch_cpu.so"
  echo "__version__ = '$2'" >"$1/version.py"
}
fake_python() {
  mkdir -p "$root$1"
  printf '#!/bin/sh\n%s\n' "$2" >"$root$1/python3"
  chmod +x "$root$1/python3"
}

case $step in
  make)
    rm -rf "$scratch"
    mkdir -p "$root$folder" "$scratch"/{first,second}
    export ZSTD_CLEVEL=1
    "$repository/cmake/package/bundle.sh" "$build" "$scratch/first" &
    "$repository/cmake/package/bundle.sh" "$build" "$scratch/second"
    wait $! || fail "the bundle was not made"
    cmp "$scratch"/{first,second}/nephron-*.tar.zst || fail "the same build gave two different bundles"
    tar -C "$root$folder" --zstd -xf "$scratch"/first/nephron-*.tar.zst
    cd "$(unpacked)"
    ((
      $(du -sm . | cut -f1) < 150
    )) || fail "the bundle has grown: $(du -m --max-depth 2 . | sort -n | tail)"
    for file in lib/libopencv_core.so.* share/doc/nephron/licences/{libtiff6,packages.txt} share/doc/nephron/LICENSE \
      share/nephron/experiments/demo/demo.toml include/nephron/plugin.hpp lib/cmake/nephron/nephron-config.cmake; do
      [[ -e $file ]] || fail "$file is not in the bundle"
    done
    [[ -z $(find . -name 'libtorch*' -o -name 'libstdc++*') ]] || fail "LibTorch or libstdc++ is in the bundle"
    if grep -rIlF -e "$repository" -e "$libtorch" .; then fail "these files name a folder of the machine that built"; fi
    ;;
  finds_libtorch)
    enter_bare_root
    wanted=$(sed -n 's/^wanted=//p' "$(unpacked)/libexec/launch")
    torch_of_version "$root/other" 2.9.1+cu128

    # What needs no LibTorch asks for none.
    expect "nephron " "$(inside -- --version)"
    expect "train" "$(inside -- --help)"
    refused 1 -- doctor
    expect "LibTorch $wanted was not found" "$said"
    expect "$program torch fetch" "$said"
    refused 2 NEPHRON_TORCH_ROOT=/other -- doctor
    expect "refused: /other (named by NEPHRON_TORCH_ROOT) holds LibTorch 2.9.1+cu128" "$said"
    expect "LibTorch $wanted that this nephron needs" "$said"
    refused 2 NEPHRON_TORCH_ROOT=/nowhere -- doctor
    expect "/nowhere has no lib/libtorch_cpu.so" "$said"

    refused 2 -- torch get
    expect "usage: nephron torch" "$said"

    # A Python's torch is found without starting that Python.
    fake_python /python/bin 'exit 9'
    packages=/python/lib/python3.99/site-packages
    mkdir -p "$root$packages"
    ln -s "$shown" "$root$packages/torch"
    expect "in $packages/torch, the torch of /python/bin/python3" "$(inside PATH=/python/bin:/bin -- torch)"
    rm "$root$packages/torch"
    torch_of_version "$root$packages/torch" 2.10.0
    refused 1 PATH=/python/bin:/bin -- doctor
    expect "refused: $packages/torch (the torch of /python/bin/python3) holds LibTorch 2.10.0" "$said"
    # ... except where that Python alone knows, such as one behind a shim.
    fake_python /shims/bin "echo $shown"
    expect "in $shown, the torch of /shims/bin/python3" "$(inside PATH=/shims/bin:/bin -- torch)"
    fake_python /shims/bin "echo $packages/torch"
    refused 1 PATH=/shims/bin:/bin -- doctor
    expect "holds LibTorch 2.10.0" "$said"

    # Python's is of another version: the cache is next. What is named goes before both.
    mkdir -p "$root/cache/nephron"
    ln -s /torch "$root/cache/nephron/torch-$wanted-cpu"
    said=$(inside PATH=/python/bin:/bin XDG_CACHE_HOME=/cache -- torch)
    expect "in /cache/nephron/torch-$wanted-cpu/torch, fetched by nephron" "$said"
    expect "in $shown, named by" "$(inside PATH=/python/bin:/bin XDG_CACHE_HOME=/cache NEPHRON_TORCH_ROOT="$shown" -- torch)"
    ;;
  runs)
    enter_bare_root
    # Libraries that a cluster's modules put on the search path must not take the place of those that came along.
    mkdir -p "$root/hostile"
    for library in "$(unpacked)"/lib/lib*.so.*; do echo broken >"$root/hostile/$(basename "$library")"; done
    nephron() { inside NEPHRON_TORCH_ROOT="$shown" LD_LIBRARY_PATH=/hostile -- "$@"; }
    cd "$(unpacked)"
    for file in bin/nephron libexec/nephron-compute lib/libnephron_*.so lib/nephron/plugins/*.so; do
      needs=$(env -i LD_LIBRARY_PATH="$shown/lib" "$(command -v chroot)" "$root" /lib64/ld-linux-x86-64.so.2 --list \
        "${program%/bin/*}/$file" 2>&1) || fail "$file: $needs"
      [[ $needs != *"not found"* ]] || fail "$file does not find all: $(grep 'not found' <<<"$needs")"
    done
    [[ -e lib/nephron/plugins/openslide.so ]] || echo "note: built without OpenSlide"

    nephron doctor || fail "doctor is not content"
    demo=${program%/bin/*}/share/nephron/experiments/demo
    nephron synth --slides 1 --size 256x256 --out /tmp/synth
    slide=$(find "$root/tmp/synth" -name '*.tiff' | head -n 1)
    nephron slide info "${slide#"$root"}"
    small=(--set predict.tta='["identity"]' --set train.epochs=1 --set train.steps_per_epoch=2 --set train.batch=2 --set dataset.synthetic.size='[512,512]')
    nephron train "$demo/demo.toml" --fold 0 --runs /tmp/runs "${small[@]}"
    nephron data export "$demo/unseen.toml" --out /tmp/unseen --set dataset.synthetic.size='[512,512]'
    nephron predict /tmp/runs/demo --images /tmp/unseen/images --out /tmp/prediction
    [[ -n $(find "$root/tmp/prediction" -name '*.png') ]] || fail "predict wrote no picture"
    ;;
  plugin)
    # A plugin is built against the unpacked bundle and LibTorch, with no header of a package of this machine.
    program=$(unpacked)/bin/nephron
    work="$scratch/a plugin"
    rm -rf "$work"
    mkdir -p "$work"
    cd "$work"
    # LibTorch's build for another device is the same to a plugin.
    mkdir torch
    ln -s "$libtorch/lib" "$libtorch/include" torch/
    echo "__version__ = '$(sed -n 's/^wanted=//p' "$(unpacked)/libexec/launch")+other'" >torch/version.py
    export NEPHRON_TORCH_ROOT=$work/torch
    unset CMAKE_PREFIX_PATH Torch_DIR
    "$program" plugins new loss my-focal
    "$program" plugins build my-focal
    "$program" plugins check my-focal/build/my-focal.so
    [[ -e my-focal/build/build.ninja ]] || exit 0 # make keeps no list of headers
    mapfile -t headers < <(ninja -C my-focal/build -t deps | sed -n 's/^    //p' | xargs -d '\n' realpath | sort -u |
      grep -vF -e "$(realpath "$(unpacked)")/" -e "$libtorch/" -e "$work/")
    strange=$(dpkg-query -S "${headers[@]}" 2>&1 | grep -vE '^(libc6|linux-libc|libstdc\+\+-[0-9]+|libgcc-[0-9]+)-dev:' || true)
    [[ -z $strange ]] || fail "the plugin includes headers of packages: $strange"
    ;;
  *) fail "no such step" ;;
esac
