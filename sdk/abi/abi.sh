#!/usr/bin/env bash
# The ABI of the SDK libraries, stored at a release and compared with ever after (SDK rule 8). Needs abigail-tools.
#   abi.sh store LIBRARY FILE     describe the ABI of LIBRARY in FILE
#   abi.sh compare FILE LIBRARY   exit 1 when a plugin built against FILE's ABI might not work with LIBRARY
set -euo pipefail

fail() {
  echo "abi.sh: $*" >&2
  exit 2
}
command -v abidw abidiff >/dev/null || fail "abidw and abidiff are missing: apt-get install abigail-tools"
(($# == 3)) || fail "expected: store LIBRARY FILE, or compare FILE LIBRARY"
# Types that are not in these headers are nobody's business outside.
headers=${NEPHRON_ABI_HEADERS:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../include" && pwd)}

# Without debug information the tool compares names alone, and a changed class goes unseen.
has_debug_info() {
  grep -q '\.debug_info' <<<"$(readelf -SW "$1")" || fail "$1 has no debug information; build it with the preset dev"
}

case $1 in
  store)
    has_debug_info "$2"
    abidw --headers-dir "$headers" --drop-private-types --no-corpus-path --no-comp-dir-path --out-file "$3" "$2"
    ;;
  compare)
    has_debug_info "$3"
    # Bit 4: the ABI changed; bit 8: incompatibly. New functions are allowed, a changed or removed one is not.
    status=0
    abidiff --headers-dir2 "$headers" --drop-private-types --no-added-syms "$2" "$3" || status=$?
    ((status & 3)) && fail "abidiff could not compare $2 with $3"
    if ((status)); then
      echo "abi.sh: the ABI is not what $2 states; interfaces are never changed after a release: add a new one instead" >&2
      exit 1
    fi
    echo "abi.sh: the ABI of $3 is compatible with $2"
    ;;
  *) fail "unknown command $1" ;;
esac
