#!/usr/bin/env bash
# check_bundled.sh PROGRAM PLUGIN...: each plugin keeps what `plugins check` asks of its kind. Of a family of encoders
# (resnet18, resnet34, ...) the first member answers for all: the others are larger, of the same code, and take minutes.
# Checks that need a parameter without a default, such as a dataset's folder, are skipped.
set -euo pipefail
program=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME=$work/share XDG_CACHE_HOME=$work/cache NEPHRON_PLUGIN_PATH=
"$program" plugins list --json > "$work/list.json"

# components FILE: the first by natural order of each family, which is a name up to its first digit.
components() {
  python3 - "$work/list.json" "$1" <<'TEXT'
import json, os, re, sys
mine = [c["name"] for c in json.load(open(sys.argv[1]))["components"] if os.path.samefile(c["file"], sys.argv[2])]
mine.sort(key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
first = {}
for name in mine:
    first.setdefault(re.match(r"\D*", name)[0], name)
print("\n".join(first.values()))
TEXT
}

# check PLUGIN NAME: two at once, for each sleeps a second between two processes that must draw alike.
check() {
  "$program" plugins check "$1" --component "$2" > "$work/checked.$(basename "$1").$2" 2>&1 && return
  echo "$2" >> "$work/failed"
  grep -v ' passed \| skipped ' "$work/checked.$(basename "$1").$2" >&2 || true
}
export -f check
export program work

for plugin in "$@"; do
  names=$(components "$plugin")
  test -n "$names" || { echo "$plugin has no component in plugins list" >&2; exit 1; }
  for name in $names; do printf '%s\0%s\0' "$plugin" "$name"; done
done > "$work/all"
xargs -0 -n 2 -P 2 bash -c 'check "$@"' check < "$work/all"
checked=$(find "$work" -name 'checked.*' | wc -l)
test "$checked" -gt 0 || { echo "no plugin was named" >&2; exit 1; }
test ! -e "$work/failed" || { echo "these fail their own check: $(tr '\n' ' ' < "$work/failed")" >&2; exit 1; }
echo "$checked components of $# plugins pass their check"
