#!/usr/bin/env bash
# package.sh STEP BUILD_FOLDER INSTALLED_TREE [CUDA: ON or OFF]: the installed package as somebody outside the repository meets it.
set -euo pipefail
step=$1 build=$2 tree=$3 cuda=${4:-OFF}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$build/Testing/package/$step

fail() {
  echo "package.$step: $*" >&2
  exit 1
}

# Not piped into grep -q, which would break the pipe of a command that still writes.
needs_libtorch() { grep -q libtorch <<<"$(readelf -d "$1")"; }
lists() { grep -q "$1" <<<"$list" || fail "plugins list does not name $1: $list"; }

# configure PROJECT PREFIX ARGUMENT...: that project beside this file, against the package in PREFIX alone.
configure() {
  local project=$1 prefix=$2
  shift 2
  rm -rf "$scratch/build"
  cmake -S "$here/$project" -B "$scratch/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" "$@"
}
configure_outside() { configure outside "$@"; }

# Like the tree, but as if the LibTorch of its build had been deleted. No other one can be found either: no cache, no
# Python with torch.
tree_without_libtorch() {
  rm -rf "$scratch"
  mkdir -p "$scratch/home"
  cp -r "$tree" "$scratch/tree"
  grep -q 'set(NEPHRON_TORCH_HINT "/' "$scratch/tree/lib/cmake/nephron/nephron-config.cmake" ||
    fail "the package does not record the LibTorch of its build"
  sed -i 's|set(NEPHRON_TORCH_HINT .*|set(NEPHRON_TORCH_HINT "/deleted")|' "$scratch/tree/lib/cmake/nephron/nephron-config.cmake"
  unset NEPHRON_TORCH_ROOT Torch_DIR CMAKE_PREFIX_PATH
  export HOME=$scratch/home XDG_CACHE_HOME=$scratch/home PYTHONPATH=
}
no_python=(-DNEPHRON_PYTHON=/bin/false)

case $step in
  product)
    # What ./nephron build and ./nephron demo make is all that `cmake --install` takes. Nothing is built here: ninja
    # tells what the target stands on.
    parts=$(ninja -C "$build" -t query nephron_product | sed 's|.*/||')
    rm -rf "$scratch"
    DESTDIR=$scratch cmake --install "$build" --prefix /tree >/dev/null
    cd "$scratch/tree"
    for file in bin/* libexec/nephron-compute lib/*.so lib/nephron/plugins/*.so; do
      grep -qxF "$(basename "$file")" <<<"$parts" || fail "$file is installed, but the target nephron_product does not make it"
    done
    [[ -e lib/libnephron_cuda.so || $cuda == OFF ]] || fail "the CUDA part was not installed"
    ;;
  install)
    rm -rf "$tree" "$tree.first"
    cmake --install "$build" --prefix "$tree.first"
    mv "$tree.first" "$tree"
    for file in bin/nephron libexec/nephron-compute{,.commands} lib/libnephron_sdk.so lib/libnephron_torch.so include/nephron/plugin.hpp \
      lib/cmake/nephron/nephron-config.cmake share/doc/nephron/LICENSE \
      share/doc/nephron/docs/plugins.md share/doc/nephron/README.md share/nephron/experiments/demo/demo.toml; do
      [[ -e $tree/$file ]] || fail "$file was not installed"
    done
    ! grep -n '\./nephron' "$tree/share/doc/nephron/README.md" || fail "the installed README names a checkout's commands"
    grep -q 'nephron train TREE' "$tree/share/doc/nephron/README.md" || fail "the installed README has no first run"
    # A message that sends a person to a page names the one that was installed.
    : >"$tree.empty.toml"
    said=$("$tree/bin/nephron" config check "$tree.empty.toml" 2>&1) && fail "an empty experiment is good"
    rm "$tree.empty.toml"
    grep -qF "$(realpath "$tree")/share/doc/nephron/docs/experiment.md" <<<"$said" || fail "no installed page is named: $said"
    # A preset is the installed one.
    demo=$tree/share/nephron/experiments/demo/demo.toml
    said=$("$tree/bin/nephron" config show "$demo" --set augmentation.preset=light) || fail "a preset is not found: $said"
    grep -qF "# $(realpath "$tree")/share/nephron/experiments/base/augment-light.toml:" <<<"$said" ||
      fail "the preset is another file's: $said"
    # Pages link to files that were installed too.
    python3 - "$tree/share/doc/nephron" <<'TEXT' || fail "installed pages link to files that are not there"
import pathlib, re, sys
lost = [f"{page}: {link}" for page in pathlib.Path(sys.argv[1]).rglob("*.md")
        for link in re.findall(r"\]\(([^)#\s]+)", re.sub(r"(?m)^    .*", "", page.read_text()))  # not in code
        if "://" not in link and not (page.parent / link).exists()]
sys.exit("\n".join(lost) or 0)
TEXT
    # A path of the build in a binary would work here and nowhere else.
    for file in "$tree"/bin/nephron "$tree"/libexec/nephron-compute "$tree"/lib/*.so "$tree"/lib/nephron/plugins/*.so; do
      if readelf -d "$file" | grep -E 'RUNPATH|RPATH' | grep -F "$build"; then fail "$file looks into the build folder"; fi
      if ldd "$file" | grep 'libnephron.*not found'; then fail "$file does not find the SDK in the moved tree"; fi
    done
    ;;
  out_of_tree)
    configure_outside "$tree"
    cmake --build "$scratch/build"
    if needs_libtorch "$scratch/build/outside_sampler.so"; then fail "a torch-free plugin was linked with LibTorch"; fi
    needs_libtorch "$scratch/build/outside_loss.so" || fail "the loss is not linked with LibTorch"
    list=$("$tree/bin/nephron" plugins list --plugin "$scratch/build/outside_sampler.so" --plugin "$scratch/build/outside_loss.so")
    lists outside_centre
    lists outside_absolute
    "$tree/bin/nephron" plugins check "$scratch/build/outside_loss.so"
    "$tree/bin/nephron" plugins check "$scratch/build/outside_sampler.so"
    ;;
  stranger)
    # Six plugins of somebody who has the installed tree alone, and one experiment that is made of them.
    rm -rf "$scratch"
    mkdir -p "$scratch"
    cp "$here/stranger/experiment.toml" "$scratch/"
    python3 "$here/stranger/make_pictures.py" "$scratch/pictures"
    configure stranger "$tree"
    SECONDS=0
    cmake --build "$scratch/build"
    echo "the six plugins were built in $SECONDS s"
    export NEPHRON_PLUGIN_PATH=$scratch/build
    check() { "$tree/bin/nephron" plugins check "$scratch/build/outside_$1.so" "${@:2}"; }
    for plugin in convnext balanced hed cutmix boundary; do check $plugin; done
    check coco --set root="$scratch/pictures" --classes disc,square
    "$tree/bin/nephron" data check "$scratch/experiment.toml"
    "$tree/bin/nephron" train "$scratch/experiment.toml" --fold 0 --runs "$scratch/runs"
    losses=$(grep -ho '"loss": *[0-9.e+-]*' "$scratch"/runs/*/*/fold-0/metrics.jsonl | wc -l)
    ((losses > 0)) || fail "no loss was recorded: $(find "$scratch/runs" -name metrics.jsonl -exec head -c 2000 {} +)"
    ;;
  plugins_in_place)
    # bin/nephron finds the plugins of its own tree, and not those of the build.
    unset NEPHRON_PLUGIN_PATH
    list=$(cd / && "$tree/bin/nephron" plugins list --json)
    lists "$(realpath "$tree")/lib/nephron/plugins/focal.so"
    if grep -qF "$build/plugins" <<<"$list"; then fail "plugins of the build folder are listed"; fi
    ;;
  without_libtorch)
    tree_without_libtorch
    configure_outside "$scratch/tree" "${no_python[@]}" | tee "$scratch/configure.log"
    grep -q 'only plugins that include no torch header' "$scratch/configure.log" || fail "configuring does not say that LibTorch is missing"
    cmake --build "$scratch/build"
    [[ -e $scratch/build/outside_sampler.so && ! -e $scratch/build/outside_loss.so ]] || fail "not just the torch-free plugin was built"
    list=$("$tree/bin/nephron" plugins list --plugin "$scratch/build/outside_sampler.so")
    lists outside_centre
    ;;
  named_libtorch)
    tree_without_libtorch
    configure_outside "$scratch/tree" "${no_python[@]}" -DTorch_DIR="$LIBTORCH/share/cmake/Torch" | tee "$scratch/configure.log"
    grep -qF "in $LIBTORCH" "$scratch/configure.log" || fail "the LibTorch that Torch_DIR names was not taken"
    cmake --build "$scratch/build" --target outside_loss
    ;;
  *) fail "no such step" ;;
esac
