#!/usr/bin/env bash
# check_bundled.sh PROGRAM FOLDER: every plugin of the folder keeps what `plugins check` asks of its kind. Checks that need
# a parameter without a default, such as a dataset's folder, are skipped.
set -euo pipefail
program=$1
folder=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME=$work/share XDG_CACHE_HOME=$work/cache NEPHRON_PLUGIN_PATH=

checked=0
failed=
for plugin in "$folder"/*.so; do
  "$program" plugins check "$plugin" > "$work/table" 2>&1 || { failed="$failed $(basename "$plugin")"; grep -v ' passed \| skipped ' "$work/table" >&2 || true; }
  checked=$((checked + 1))
done
test "$checked" -gt 0 || { echo "no plugin in $folder" >&2; exit 1; }
test -z "$failed" || { echo "these fail their own check:$failed" >&2; exit 1; }
echo "$checked plugins pass their check"
