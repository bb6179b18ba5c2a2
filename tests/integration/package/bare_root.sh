# shellcheck shell=bash
# A root folder in which there is glibc, libstdc++, a shell and readlink, and nothing else of the machine that builds: no
# library of a package can be found there by mistake. Sourced by bundle.sh, in mount and process namespaces of its own.

# enter_namespaces SCRIPT ARGUMENT...: runs the script once more where mounts are nobody else's; 77 where that is not
# allowed.
enter_namespaces() {
  local unshare=(unshare --mount --pid --fork)
  ((EUID == 0)) || unshare+=(--map-root-user)
  if ! "${unshare[@]}" chroot / true 2>/dev/null; then
    echo "skipped: this machine does not let $(id -un) make mount namespaces (unshare --mount) and chroot"
    exit 77
  fi
  NEPHRON_NAMESPACED=1 exec "${unshare[@]}" bash "$@"
}

# make_bare_root ROOT
make_bare_root() {
  local root=$1 program library
  mkdir -p "$root"/{bin,lib,tmp,home,proc,dev,torch}
  ln -sfn lib "$root/lib64"
  for program in sh readlink; do
    cp -L "$(command -v "$program")" "$root/bin/"
  done
  cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib/"
  ldconfig -p | awk '/x86-64/ && $1 ~ /^(libc|libm|libmvec|libdl|libpthread|librt|libresolv|libutil|libgcc_s|libstdc\+\+)\.so\.[0-9]+$/ { print $NF }' |
    while read -r library; do cp -L "$library" "$root/lib/"; done
  # No shared one: a shell or a readlink that needs more than libc would hide that the bundle lacks it.
  for program in sh readlink; do
    chroot "$root" /lib64/ld-linux-x86-64.so.2 --list "/bin/$program" >/dev/null || return
  done
  mount --rbind /proc "$root/proc"
  mount --rbind /dev "$root/dev"
}

# show_libtorch ROOT LIBTORCH: it can be read there as /torch/NAME, with the wheels that lie beside it.
show_libtorch() {
  mount --bind "$(dirname "$2")" "$1/torch"
  mount -o remount,bind,ro "$1/torch" 2>/dev/null || true # not allowed to everybody; nothing writes there
}
