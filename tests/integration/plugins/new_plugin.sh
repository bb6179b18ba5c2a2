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
grep -qxF "Build it:  nephron plugins build source" said
test "$(ls source | sort | tr '\n' ' ')" = "CMakeLists.txt $name.cpp "
if "$tree/bin/nephron" plugins new "$kind" "$name" source 2> again; then
  echo "a second 'plugins new' overwrote the first" >&2
  exit 1
fi
grep -q "is there already and is not overwritten" again

# As on a machine that has no make, where CMake's own choice of a generator would stop.
mkdir programs
ln -s /usr/bin/* programs/
rm -f programs/make programs/gmake
PATH=$work/programs CXXFLAGS="-Wall -Wextra -Wpedantic -Wshadow -Werror" \
  "$tree/bin/nephron" plugins build source > build.log || { cat build.log; exit 1; }
grep -qxF "Check it:  nephron plugins check source/build/$name.so" build.log

options=()
if [ "$kind" = dataset ]; then
  # Two pictures of 90 x 70 pixels; one has a mask.
  mkdir pictures
  for slide in one two; do
    { printf 'P6\n90 70\n255\n'; head -c $((90 * 70 * 3)) /dev/urandom; } > pictures/$slide.ppm
  done
  { printf 'P5\n90 70\n255\n'; head -c $((90 * 70)) /dev/zero | tr '\0' '\1'; } > pictures/one.pgm
  options=(--set "$name.root=$work/pictures" --classes tissue)
elif [ "$kind" = reader ]; then
  { printf 'P6\n90 70\n255\n'; head -c $((90 * 70 * 3)) /dev/urandom; } > one.ppm
  { printf 'P5\n70 90\n255\n'; head -c $((90 * 70)) /dev/urandom; } > two.pgm
  options=(--file one.ppm --file two.pgm)
fi
"$tree/bin/nephron" plugins check "source/build/$name.so" "${options[@]}" | tee table
# Nothing may be skipped for want of parameters; what a device or a component has not got is skipped, and rightly so.
if grep -E ' skipped ' table | grep -vE ' (cuda|output_stride|made_up|pixels|auxiliary) '; then
  echo "a check of the template was skipped" >&2
  exit 1
fi
# What is named and is not there is an error: nothing checked is nothing found.
for wrong in "--component nothing" "--set nothing.key=1"; do
  # shellcheck disable=SC2086
  code=0
  "$tree/bin/nephron" plugins check "source/build/$name.so" $wrong > said 2>&1 || code=$?
  test "$code" = 2 || { echo "plugins check $wrong ended with $code" >&2; exit 1; }
  grep -qF "the plugin has no component \"nothing\"; it has $name" said
done
"$tree/bin/nephron" plugins describe "$kind" "$name" --plugin "source/build/$name.so"
"$tree/bin/nephron" plugins list --plugin "source/build/$name.so" > listed  # grep -q would leave a pipe early
grep -q "replace this one" listed

# Whichever macro is forgotten is named; the linker alone would speak of symbols.
test "$kind" = loss || exit 0
cp -r source lacking
rm -r lacking/build
sed -i '/^NEPHRON_COMPONENT/d' "lacking/$name.cpp"
if "$tree/bin/nephron" plugins build lacking > said 2>&1; then echo "a plugin without components was built" >&2; exit 1; fi
grep -qF "no source of plugin $name says NEPHRON_COMPONENT(" said
cp "source/$name.cpp" lacking/
sed -i '/^NEPHRON_PLUGIN/d' "lacking/$name.cpp"
if "$tree/bin/nephron" plugins build lacking > said 2>&1; then echo "a plugin without its entry was built" >&2; exit 1; fi
grep -qF "$name.so has components (loss \"$name\"), but none of its sources says NEPHRON_PLUGIN" said
