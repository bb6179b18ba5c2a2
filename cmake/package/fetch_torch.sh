#!/usr/bin/env bash
# `nephron torch fetch` of the bundle: the pinned LibTorch into the cache, as ./nephron build fetches it.
set -euo pipefail
bundle=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/nephron
# shellcheck disable=SC2034 # for wheels.sh
pins=$bundle/share/doc/nephron/third_party/README.md
# shellcheck source=../../third_party/wheels.sh
source "$bundle/share/nephron/wheels.sh"

part=cpu
have_nvidia_driver && part=full
case ${1:-} in
  '') ;;
  --cpu | --full) part=${1#--} ;;
  *)
    echo "usage: nephron torch fetch [--cpu|--full]
  --cpu   1.3 GB: what the CPU needs, the default on a machine without an NVIDIA driver
  --full  4.6 GB: with CUDA, the default where an NVIDIA driver is; for GPU nodes, name it on a login node
Kept in $cache. Downloads go through pip where python3 has it, else through curl." >&2
    [[ $1 == --help ]] || exit 2
    exit
    ;;
esac
folder=$cache/torch-$(torch_version)-$part
if [[ -d $folder ]]; then
  echo "LibTorch $(torch_version) is already in $folder"
  exit
fi
# shellcheck disable=SC2034
python3 -m pip --version >/dev/null 2>&1 || unpack_wheels=unpack_with_curl
echo "fetching LibTorch $(torch_version) into $folder"
# shellcheck disable=SC2046
fetch_wheels "$folder" $(torch_wheels "$part")
echo "LibTorch $(torch_version) is in $folder"
