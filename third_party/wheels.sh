# shellcheck shell=bash disable=SC2154
# How pinned wheels get into the cache. Sourced by bootstrap.sh, and by the bundle's `nephron torch fetch`, which set
# `cache` (a folder) and `pins` (the table in README.md).

# pinned GROUP FORMAT: FORMAT (awk, of package and version) for each line of that group.
pinned() {
  awk -F'|' -v group="$1" -v format="$2" '{ gsub(/ /, "") } $2 == group { printf format "\n", $3, $4 }' "$pins"
}

have_nvidia_driver() { [[ -e /proc/driver/nvidia/version ]] || nvidia-smi -L >/dev/null 2>&1; }
torch_version() { pinned torch-cpu '%s %s' | sed -n 's/^torch //p'; }

# torch_wheels cpu|full: PACKAGE==VERSION, one a line.
torch_wheels() {
  pinned torch-cpu '%s==%s'
  [[ $1 == cpu ]] || pinned torch-cuda '%s==%s'
}

# fetch_wheels FOLDER PACKAGE==VERSION...: unpacks wheels into a new folder of the cache. Safe when two run at once, and
# when interrupted: the folder appears whole or not at all.
fetch_wheels() {
  local folder=$1
  shift
  mkdir -p "$cache"
  exec 9>"$cache/.$(basename "$folder").lock"
  if ! flock -n 9; then
    echo "another nephron is fetching $folder; waiting for it"
    flock 9
  fi
  [[ ! -d $folder ]] || return 0
  rm -rf "$cache/.fetch-$(basename "$folder")".* # left by a fetch that was killed; the lock is ours
  local partial
  partial=$(mktemp -d "$cache/.fetch-$(basename "$folder").XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$partial'" EXIT
  trap 'exit 143' TERM INT
  "${unpack_wheels:-unpack_with_pip}" "$partial" "$@" || return
  "${after_unpack:-true}" "$partial" || return
  chmod 755 "$partial"
  mv -T "$partial" "$folder"
}

# The wheels' Python parts are never imported, so any python3 serves to unpack them.
unpack_with_pip() {
  local folder=$1
  shift
  # pip takes platform names as they are written: it does not infer that 2_28 runs what was made for 2_25.
  local platforms=(--platform=manylinux_2_{28..17}_x86_64 --platform=manylinux2014_x86_64)
  python3 -m pip install --no-deps --no-compile --only-binary :all: --python-version 3.11 --implementation cp \
    "${platforms[@]}" --disable-pip-version-check --progress-bar off --target "$folder" "$@"
}

# For a machine without pip. The index's page of a package links its files, with the SHA-256 behind a '#'.
unpack_with_curl() {
  local folder=$1 index=${PIP_INDEX_URL:-https://pypi.org/simple} pin name file link sum tool
  for tool in curl sha256sum; do
    command -v "$tool" >/dev/null ||
      { echo "neither pip for python3 nor $tool is here; one of them is needed" && return 1; }
  done
  index=${index%/}
  shift
  for pin in "$@"; do
    name=${pin%%==*}
    file="${name//-/_}-${pin#*==}-(cp311-cp311|py3-none)-[^/\"]*manylinux[^/\"]*x86_64\.whl"
    link=$(curl -fsSL "$index/$name/" | grep -oE "href=\"[^\"]*/?$file#sha256=[0-9a-f]{64}\"" | head -n 1) || true
    [[ -n $link ]] || { echo "$index/$name/ lists no file $file with its SHA-256" && return 1; }
    link=${link#href=\"} link=${link%\"}
    sum=${link##*=} link=${link%#*}
    case $link in
      http*) ;;
      /*) link=$(grep -oE '^https?://[^/]+' <<<"$index")$link ;;
      *) link=$index/$name/$link ;;
    esac
    echo "$pin: $link"
    curl -fsSL -o "$folder/wheel.zip" "$link" && sha256sum --quiet -c <<<"$sum  $folder/wheel.zip" || return
    unzip_into "$folder" "$folder/wheel.zip" && rm "$folder/wheel.zip" || return
  done
}

unzip_into() {
  if command -v unzip >/dev/null; then unzip -q -o "$2" -d "$1"
  elif command -v bsdtar >/dev/null; then bsdtar -x -f "$2" -C "$1"
  elif command -v python3 >/dev/null; then python3 -m zipfile -e "$2" "$1"
  else echo "unzip, bsdtar or python3 is needed to unpack $2" && return 1; fi
}
