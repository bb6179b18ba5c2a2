#!/usr/bin/env bash
# check_bundled.sh PROGRAM PLUGIN...: each plugin keeps what `plugins check` asks of its kind. Checks that need a parameter
# without a default, such as a dataset's folder, are skipped.
set -euo pipefail
program=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME=$work/share XDG_CACHE_HOME=$work/cache NEPHRON_PLUGIN_PATH=

failed=
for plugin in "$@"; do
  "$program" plugins check "$plugin" > "$work/table" 2>&1 && continue
  failed="$failed $(basename "$plugin")"
  grep -v ' passed \| skipped ' "$work/table" >&2 || true
done
test "$#" -gt 0 || { echo "no plugin was named" >&2; exit 1; }
test -z "$failed" || { echo "these fail their own check:$failed" >&2; exit 1; }
echo "$# plugins pass their check"
