#!/bin/sh
# Finds LibTorch, which is no part of the bundle, and starts the computing program with it: bin/nephron comes here for
# each command that needs it. Each such start takes this way, so nothing is imported and nearly nothing is run: a version
# is read from a file of the folder that was found.
wanted=@TORCH_VERSION@
self=$(readlink -f "$0")
bundle=${self%/libexec/*}
cache=${XDG_CACHE_HOME:-${HOME:-}/.cache}/nephron
refused=

say() { printf 'nephron: %s\n' "$1" >&2; }

# version_of ROOT: sets `version`; a Python package says it in version.py, the archive for C++ in build-version.
version_of() {
  version=
  if [ -r "$1/version.py" ]; then
    while IFS= read -r line; do
      case $line in
        __version__*[\'\"]*)
          line=${line#*[\'\"]}
          version=${line%%[\'\"]*}
          break
          ;;
      esac
    done <"$1/version.py"
  elif [ -r "$1/build-version" ]; then
    IFS= read -r version <"$1/build-version"
  fi
}

# take ROOT WHOSE: sets `root`, `version` and `whose` where ROOT holds the LibTorch that is wanted. One for another
# device (2.11.0+cpu, 2.11.0+cu130) has the same interface; one of another version is remembered in `refused`.
take() {
  [ -e "$1/lib/libtorch_cpu.so" ] || return 1
  version_of "$1"
  case $version in
    "$wanted" | "$wanted"+*)
      root=$1 whose=$2
      return 0
      ;;
  esac
  refused="$refused
  refused: $1 ($2) holds LibTorch ${version:-of a version that is not told}"
  return 1
}

# The torch of the python3 on PATH, seen without starting it: the folders that Python's own search goes through. Which
# Python it is for makes no difference to its libraries.
take_pythons() {
  python=$(command -v python3) || return 1
  resolved=$(readlink -f "$python")
  rest=${PYTHONPATH:-}:
  while [ -n "$rest" ]; do
    entry=${rest%%:*}
    rest=${rest#*:}
    if [ -n "$entry" ] && take "$entry/torch" PYTHONPATH; then return 0; fi
  done
  of_user=${PYTHONUSERBASE:-${HOME:-}/.local}
  for prefix in "$of_user" "${python%/bin/*}" "${python%/bin/*}/local" "${resolved%/bin/*}"; do
    for folder in "$prefix"/lib/python3*/*-packages/torch "$prefix"/lib64/python3*/site-packages/torch; do
      if take "$folder" "the torch of $python"; then return 0; fi
    done
  done
  return 1
}

take_cached() {
  for part in full cpu; do
    if take "$cache/torch-$wanted-$part/torch" "fetched by nephron"; then return 0; fi
  done
  return 1
}

# Where a python3 keeps its packages elsewhere (shims, modules, import hooks), it alone knows. It takes its time, so it
# is asked last.
ask_python() {
  command -v python3 >/dev/null || return 1
  folder=$(python3 -c 'import importlib.util, os
print(os.path.dirname(importlib.util.find_spec("torch").origin))' 2>/dev/null) || return 1
  case $refused in *" $folder ("*) return 1 ;; esac
  take "$folder" "the torch of $(command -v python3)"
}

case "${1:-} ${2:-}" in
  "torch fetch")
    shift 2
    exec bash "$bundle/share/nephron/fetch_torch.sh" "$@"
    ;;
  "torch ") ;;
  "torch "*)
    say "usage: nephron torch (which LibTorch is taken, and where it is), or nephron torch fetch [--cpu|--full]"
    exit 2
    ;;
esac

if [ -n "${NEPHRON_TORCH_ROOT:-}" ]; then
  named=$(CDPATH='' cd "$NEPHRON_TORCH_ROOT" 2>/dev/null && pwd) || named=$NEPHRON_TORCH_ROOT
  if ! take "$named" "named by NEPHRON_TORCH_ROOT"; then
    say "NEPHRON_TORCH_ROOT does not name the LibTorch $wanted that this nephron needs${refused:-
  $named has no lib/libtorch_cpu.so}
  Name the folder that holds lib/ and include/ of $wanted, or unset the variable."
    exit 2
  fi
elif ! take_pythons && ! take_cached && ! ask_python; then
  say "LibTorch $wanted was not found, and the bundle does not hold it${refused}
  Looked for in: NEPHRON_TORCH_ROOT (not set); the torch of $(command -v python3 || echo 'python3 (not on PATH)');
  $cache/torch-$wanted-full and -cpu
  This fetches it: $bundle/bin/nephron torch fetch"
  exit 1
fi

if [ "${1:-}" = torch ]; then
  echo "LibTorch $version in $root, $whose"
  exit 0
fi
# Exported too, so that `nephron plugins build` compiles with the LibTorch that the program runs with.
export NEPHRON_TORCH_ROOT="$root"
export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$bundle/libexec/nephron-compute" "$@"
