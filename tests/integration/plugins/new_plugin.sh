#!/usr/bin/env bash
# new_plugin.sh KIND TREE: `plugins new`, built out of tree against TREE (installed, or a build folder), passes its check.
set -euo pipefail
kind=$1
tree=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME=$work/share XDG_CACHE_HOME=$work/cache NEPHRON_PLUGIN_PATH=
cd "$work"

name=my-$kind
"$tree/bin/nephron" plugins new "$kind" "$name" source | tee said
grep -qF "cmake -S source -B source/build -DCMAKE_PREFIX_PATH=$(realpath "$tree") " said
test "$(ls source | sort | tr '\n' ' ')" = "CMakeLists.txt $name.cpp "
if "$tree/bin/nephron" plugins new "$kind" "$name" source 2> again; then
  echo "a second 'plugins new' overwrote the first" >&2
  exit 1
fi
grep -q "is there already and is not overwritten" again

cmake -S source -B build -DCMAKE_PREFIX_PATH="$tree" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Wshadow -Werror" > configure.log || { cat configure.log; exit 1; }
cmake --build build > build.log || { cat build.log; exit 1; }

options=()
if [ "$kind" = dataset ]; then
  # Two pictures of 90 x 70 pixels; one has a mask.
  mkdir pictures
  for slide in one two; do
    { printf 'P6\n90 70\n255\n'; head -c $((90 * 70 * 3)) /dev/urandom; } > pictures/$slide.ppm
  done
  { printf 'P5\n90 70\n255\n'; head -c $((90 * 70)) /dev/zero | tr '\0' '\1'; } > pictures/one.pgm
  options=(--set "root=$work/pictures")
elif [ "$kind" = reader ]; then
  { printf 'P6\n90 70\n255\n'; head -c $((90 * 70 * 3)) /dev/urandom; } > one.ppm
  { printf 'P5\n70 90\n255\n'; head -c $((90 * 70)) /dev/urandom; } > two.pgm
  options=(--file one.ppm --file two.pgm)
fi
"$tree/bin/nephron" plugins check "build/$name.so" "${options[@]}" | tee table
# Nothing may be skipped for want of parameters; what a device or a component has not got is skipped, and rightly so.
if grep -E ' skipped ' table | grep -vE ' (cuda|output_stride|made_up) '; then
  echo "a check of the template was skipped" >&2
  exit 1
fi
"$tree/bin/nephron" plugins describe "$kind" "$name" --plugin "build/$name.so"
