# shellcheck shell=bash disable=SC2154
# Sourced by ./nephron, which sets `root` and `assume_yes`. Each step looks whether it is done before it does anything;
# what it prints goes to build/log/STEP.log.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/nephron
logs=$root/build/log
pins=$root/third_party/README.md

say() { printf 'nephron: %s\n' "$*" >&2; }
fail() {
  say "$@"
  exit 1
}
fail_usage() {
  say "$1"
  say "see ./nephron --help"
  exit 2
}

# shellcheck source=wheels.sh
source "$root/third_party/wheels.sh"

# step NAME WHAT COMMAND...: runs it with its output in a log; shows where it stands; stops with the log's end on failure.
step() {
  local name=$1 what=$2 log=$logs/$1.log started=$SECONDS status=0
  shift 2
  mkdir -p "$logs"
  say "$what (log: ${log#"$root"/})"
  # Its own process group, so that Ctrl-C reaches everything it started and this shell tidies up after it.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  step_pid=$!
  set +m
  watch_log "$log" "$step_pid" &
  watcher_pid=$!
  wait "$step_pid" || status=$?
  step_pid=
  stop_watcher
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
  if ((status)); then
    tail -n 30 "$log" >&2
    fail "$name failed after $((SECONDS - started)) s; the whole log: $log"
  fi
  say "$name: done in $((SECONDS - started)) s"
}

# The last line of the log: in place on a terminal, once a minute elsewhere (a silent hour looks like a hang).
watch_log() {
  trap 'kill "${nap:-}" 2>/dev/null; exit 0' TERM
  local pause=60 line
  [[ ! -t 2 ]] || pause=1
  while true; do
    sleep "$pause" &
    nap=$!
    wait "$nap"
    kill -0 "$2" 2>/dev/null || return 0
    line=$(tail -c 400 "$1" | tr '\r' '\n' | sed '/^ *$/d' | tail -n 1)
    if [[ -t 2 ]]; then
      printf '\r\033[K  %.100s' "$line" >&2
    else
      printf '  ... %.150s\n' "$line" >&2
    fi
  done
}

stop_watcher() {
  [[ -n $watcher_pid ]] || return 0
  kill "$watcher_pid" 2>/dev/null || true
  wait "$watcher_pid" 2>/dev/null || true
  watcher_pid=
}

interrupted() {
  trap '' INT TERM
  if [[ -n $step_pid ]]; then
    kill -TERM -- "-$step_pid" 2>/dev/null || true
    wait "$step_pid" 2>/dev/null || true
  fi
  stop_watcher
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
  say "interrupted; what is done is kept, run the same command to go on"
  exit 130
}
step_pid=
watcher_pid=
trap interrupted INT TERM

# ---- system packages

# install_packages [GROUP...]: those of the group "apt", and of others that are named.
install_packages() {
  local wanted missing=() package group
  if ! command -v dpkg-query apt-get >/dev/null; then
    say "this is no Debian, so system packages are left to you; third_party/README.md lists them"
    return
  fi
  mapfile -t wanted < <(for group in apt "$@"; do pinned "$group" '%s'; done)
  local have
  have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p') || true
  for package in "${wanted[@]}"; do
    grep -qxF "$package" <<<"$have" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local as_root=() command_line="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if ((EUID)); then
    if ! command -v sudo >/dev/null; then
      fail "these system packages are missing, and installing them needs root. As root, run:
  $command_line"
    fi
    as_root=(sudo)
    command_line="sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    if ! $assume_yes && [[ ${CI:-} != true ]]; then
      if ! [[ -t 0 && -t 2 ]]; then
        fail "system packages are missing. Run this, or ./nephron --yes ...:
  $command_line"
      fi
      local answer
      printf 'nephron: these Debian packages are missing:\n  %s\nInstall them with sudo? [y/N] ' "${missing[*]}" >&2
      read -r answer || answer=
      [[ $answer == [yY]* ]] || fail "nothing was installed. When you are ready:
  $command_line"
    fi
    # In the foreground, where a password can be typed.
    if [[ -t 0 ]]; then sudo -v || true; fi
    sudo -n true 2>/dev/null || fail "sudo gave no rights here. Somebody with rights should run:
  $command_line"
    as_root=(sudo -n)
  fi
  step packages "installing ${#missing[@]} Debian packages, about a minute: ${missing[*]}" \
    apt_install "${missing[@]}"
}

# Another apt-get may be running (unattended upgrades on a fresh machine): wait for its lock.
apt_install() {
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"
}

# ---- wheels: LibTorch, nvcc

find_libtorch() { cmake -P "$root/sdk/cmake/nephron_libtorch.cmake"; }

fetch_libtorch() {
  local found part=cpu size='1.3 GB, about half a minute' pins_wanted
  found=$(find_libtorch)
  have_nvidia_driver && part=full size='4.6 GB, about two minutes'
  # A LibTorch of the user's own is taken as it is; ours is replaced by the full one once a GPU is there.
  if [[ -n $found && ! ($part == full && $found -ef $cache/torch-$(torch_version)-cpu/torch) ]]; then return; fi
  mapfile -t pins_wanted < <(torch_wheels "$part")
  step libtorch "fetching LibTorch $(torch_version), $size with a fast line" \
    fetch_wheels "$cache/torch-$(torch_version)-$part" "${pins_wanted[@]}"
}

# nvcc looks for its libraries in lib64, and linkers for names without a version; the wheels have neither.
complete_toolkit() {
  local folder library
  for folder in "$1"/nvidia/cu*; do
    ln -s lib "$folder/lib64"
    for library in "$folder"/lib/*.so.*; do
      ln -s "$(basename "$library")" "${library%%.so.*}.so" || return
    done
  done
}

fetch_nvcc() {
  have_nvidia_driver || return 0
  local place
  for place in "$(command -v nvcc)" "${CUDACXX:-}" "${CUDA_HOME:-/nowhere}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
    [[ ! -x $place ]] || return 0
  done
  local version folder wheels
  version=$(pinned nvcc '%s %s' | sed -n 's/^nvidia-cuda-nvcc //p')
  folder=$cache/cuda-$version
  [[ ! -d $folder ]] || return 0
  mapfile -t wheels < <(pinned nvcc '%s==%s')
  after_unpack=complete_toolkit step nvcc "fetching the CUDA compiler $version, 0.3 GB, since this machine has an NVIDIA driver and no toolkit" \
    fetch_wheels "$folder" "${wheels[@]}"
}

# ---- Python peers

peers_python() { printf '%s\n' "${NEPHRON_PEERS:-$cache/peers/bin/python}"; }

install_peers() {
  local requirements=$root/tests/parity/requirements.txt folder=$cache/peers stamp
  if [[ -n ${NEPHRON_PEERS:-} ]]; then
    [[ -x $NEPHRON_PEERS ]] || fail "NEPHRON_PEERS is $NEPHRON_PEERS, which is no program; the path of a python was expected"
    return
  fi
  stamp=$(sha256sum "$requirements" | cut -d' ' -f1)
  [[ $(cat "$folder/.nephron-stamp" 2>/dev/null) != "$stamp" ]] || return 0
  if [[ -x $folder/bin/python && ! -e $folder/.nephron-stamp ]]; then
    say "Python peers: $folder was not made by this script and is used as it is"
    return
  fi
  install_packages
  step peers "installing the Python peers, about 6 GB and five minutes" make_peers "$requirements" "$folder" "$stamp"
}

make_peers() {
  local requirements=$1 folder=$2 stamp=$3
  mkdir -p "$folder"
  exec 9>"$cache/.peers.lock"
  flock 9
  [[ $(cat "$folder/.nephron-stamp" 2>/dev/null) != "$stamp" ]] || return 0
  echo unfinished >"$folder/.nephron-stamp"
  python3 -m venv "$folder" &&
    "$folder/bin/python" -m pip install --disable-pip-version-check --progress-bar off -r "$requirements" &&
    echo "$stamp" >"$folder/.nephron-stamp"
}

# ---- configure, build, test

# A job of LibTorch headers takes up to 1.5 GB.
build_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)
  ((memory < cores)) && cores=$memory
  ((cores > 0)) || cores=1
  echo "$cores"
}

# What a configured tree depends on besides the CMake files, which ninja itself watches.
configure_key() {
  { cat "$pins" "$root/CMakePresets.json" "$root/sdk/cmake/nephron_libtorch.cmake" "$root/cmake/nephron_cuda.cmake"
    echo "${NEPHRON_TORCH_ROOT:-} ${Torch_DIR:-} ${CMAKE_PREFIX_PATH:-} ${CXX:-} ${CUDACXX:-} ${CUDA_HOME:-} $root"
    command -v c++ nvcc python3
    have_nvidia_driver && echo driver
    uname -m; } | sha256sum | cut -d' ' -f1
}

configure_nephron() {
  local preset=$1 folder=$root/build/$1 key
  key=$(configure_key)
  if [[ -f $folder/build.ninja && $(cat "$folder/.nephron-key" 2>/dev/null) == "$key" &&
    -e $(sed -n 's/^NEPHRON_LIBTORCH:INTERNAL=//p' "$folder/CMakeCache.txt")/lib/libtorch_cpu.so ]]; then return; fi
  install_packages
  fetch_libtorch
  fetch_nvcc
  mkdir -p "$folder"
  step "configure-$preset" "configuring build/$preset, a few seconds" \
    cmake -S "$root" -B "$folder" --preset "$preset"
  configure_key >"$folder/.nephron-key"
}

build_nephron() {
  local preset=$1 jobs
  shift
  configure_nephron "$preset"
  jobs=$(build_jobs)
  # Nothing to do is said by nobody, and costs no log.
  if nothing_to_build "$root/build/$preset" "$@"; then return; fi
  step "build-$preset" "building with $jobs jobs; the first time takes 16 to 40 core-minutes, half as much again with tests" \
    cmake --build "$root/build/$preset" -j "$jobs" --target "$@"
}

nothing_to_build() {
  local folder=$1
  shift
  [[ $(ninja -C "$folder" -n "$@" 2>/dev/null | tail -n 1) == "ninja: no work to do." ]]
}

run_ctest() {
  local preset=$1 status=0
  shift
  mkdir -p "$logs"
  local peers
  peers=$(peers_python)
  [[ ! -x $peers ]] || export NEPHRON_PEERS=$peers
  # Several tests share the cores: OpenMP's threads that wait for each other give theirs away, as in the program.
  export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}
  say "testing (log: build/log/test-$preset.log)"
  ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" "$@" 2>&1 |
    tee "$logs/test-$preset.log" || status=$?
  return "$status"
}

test_nephron() { run_ctest release "$@"; }

# ThreadSanitizer sees nothing of LibTorch's own threads, so tsan runs what is free of it.
test_sanitized() {
  local preset=$1 target=sanitize_tests label=sanitize
  shift
  [[ $preset == asan ]] || target=torch_free_tests label=torch-free
  build_nephron "$preset" "$target"
  run_ctest "$preset" -L "^$label\$" "$@"
}
