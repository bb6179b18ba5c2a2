#!/usr/bin/env bash
# abi_test.sh notices BUILD COMPILER: abi.sh accepts an addition and refuses what would break a plugin.
# abi_test.sh compare BUILD STORED LIBRARY: the library keeps the stored ABI.
set -euo pipefail
abi=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../sdk/abi" && pwd)/abi.sh
if ! command -v abidiff >/dev/null; then
  echo "skipped: abidiff is missing (apt-get install abigail-tools)"
  exit 77
fi

if [[ $1 == compare ]]; then
  if ! grep -q '\.debug_info' <<<"$(readelf -SW "$4")"; then
    echo "skipped: $4 was built without debug information; the preset dev has it"
    exit 77
  fi
  exec "$abi" compare "$3" "$4"
fi

work=$2/Testing/abi
compiler=$3
rm -rf "$work"
mkdir -p "$work"

# library NAME MEMBERS FUNCTIONS: a small library with a class of that content.
library() {
  mkdir -p "$work/$1"
  cat >"$work/$1/boundary.hpp" <<EOF
struct Boundary {
  virtual ~Boundary();
  virtual int first();
  $2
};
EOF
  cat >"$work/$1/boundary.cpp" <<EOF
#include "boundary.hpp"
Boundary::~Boundary() = default;
int Boundary::first() { return 1; }
Boundary* make() { return new Boundary; }
$3
EOF
  "$compiler" -g -shared -fPIC -Wl,-soname,libtoy.so -o "$work/$1.so" "$work/$1/boundary.cpp"
}
library old 'int width = 0;' 'int area() { return 2; }'
library same 'int width = 0;' 'int area() { return 3; }'
library added_function 'int width = 0;' 'int area() { return 2; } int depth() { return 3; }'
library added_virtual 'virtual int second() { return 2; } int width = 0;' 'int area() { return 2; }'
library changed_member 'long width = 0;' 'int area() { return 2; }'
library removed_function 'int width = 0;' ''

export NEPHRON_ABI_HEADERS=$work/old
"$abi" store "$work/old.so" "$work/old.abi"
failed=0
expect() {
  local wanted=$1 status=0
  "$abi" compare "$work/old.abi" "$work/$2.so" >"$work/$2.log" 2>&1 || status=$?
  ((status == wanted)) && return
  echo "$2: abi.sh ended with $status, $wanted was expected:"
  cat "$work/$2.log"
  failed=1
}
expect 0 same
expect 0 added_function
expect 1 added_virtual
expect 1 changed_member
expect 1 removed_function
strip "$work/same.so"
expect 2 same # blind without debug information, and says so
exit "$failed"
