# shellcheck shell=bash
# The shared libraries that go into a bundle. Sourced by bundle.sh.

# Part of every system that has a C++ program: bundling an older one than the machine's would break a plugin that is
# built there. LibTorch's own are found by the launcher.
of_the_system='^(ld-linux-x86-64|libc|libm|libmvec|libdl|libpthread|librt|libresolv|libutil|libgcc_s|libstdc\+\+)\.so'
of_libtorch='^lib(torch|c10)'
# OpenCV's reader of maps needs GDAL, and that a hundred libraries (some of them GPL, 90 MB); nephron reads no maps.
replaced='^libgdal\.so'

needs() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# make_paths_relative TREE FILE...: what the build recorded about the machine that built goes. cmake --install itself
# changes them by this command.
make_paths_relative() {
  local tree=$1 file path
  shift
  for file in "$@"; do
    case $file in
      */bin/* | */libexec/*) path="\$ORIGIN/../lib" ;;
      */plugins/*) path="\$ORIGIN/../.." ;;
      *) path="\$ORIGIN" ;;
    esac
    printf 'file(RPATH_SET FILE [[%s]] NEW_RPATH [[%s]])\n' "$file" "$path"
  done >"${tree%/*}/paths.cmake"
  cmake -P "${tree%/*}/paths.cmake" >/dev/null
}

# A search path that starts elsewhere than beside the file leads to a folder of the machine that built.
expect_relative() {
  local entry
  for entry in $(readelf -dW "$1" | sed -n 's/.*(\(RPATH\|RUNPATH\)).*\[\(.*\)\]/\2/p' | tr ':' ' '); do
    [[ $entry == "\$ORIGIN"* ]] || fail "$1 looks for libraries in $entry"
  done
}

# collect_libraries FOLDER SCRATCH FILE...: copies what the files need, and what that needs, into FOLDER, each under
# the name by which it is asked for. SCRATCH/libraries lists where they came from.
collect_libraries() {
  local folder=$1 scratch=$2 file soname path queue
  shift 2
  queue=("$@")
  local -A place=() seen=()
  # ldd finds them as this machine does; a library that another one needs is in its list too.
  while read -r soname path; do place[$soname]=$path; done < <(
    ldd "$@" | awk '$2 == "=>" && $3 ~ "^/" { print $1, $3 }'
  )
  : >"$scratch/libraries"
  while ((${#queue[@]})); do
    file=${queue[0]} queue=("${queue[@]:1}")
    for soname in $(needs "$file"); do
      [[ -z ${seen[$soname]:-} ]] || continue
      seen[$soname]=1
      if [[ $soname =~ $of_the_system || $soname =~ $of_libtorch || -e $folder/$soname ]]; then continue; fi
      path=${place[$soname]:-}
      [[ -n $path ]] || fail "$file needs $soname, which is not on this machine"
      if [[ $soname =~ $replaced ]]; then
        make_stand_in "$path" "$file" "$folder/$soname"
        continue
      fi
      install -m 644 "$path" "$folder/$soname"
      readlink -f "$path" >>"$scratch/libraries"
      queue+=("$folder/$soname")
    done
  done
}

# make_stand_in LIBRARY USER FILE: a library under LIBRARY's name with all that USER takes from it; every function of it
# returns 0, by which OpenCV sees that its GDAL opens nothing.
make_stand_in() {
  local soname=${3##*/}
  comm -12 <(nm -D --undefined-only "$2" | awk '{ print $2 }' | sort -u) \
    <(nm -D --defined-only "$1" | awk '$2 ~ /[TWi]/ { print $3 }' | sort -u) |
    awk '{ printf "long stand_in_%d(void) __asm__(\"%s\");\nlong stand_in_%d(void) { return 0; }\n", NR, $1, NR }' |
    cc -shared -fPIC -nostdlib -O1 -x c - -Wl,-soname,"$soname" -Wl,--build-id=none -s -o "$3"
}

# say_floor TREE: the oldest glibc and libstdc++ with which everything runs, and that of each file that asks for more
# than the program.
say_floor() {
  local file
  echo "The newest symbols of the system's libraries that each file asks for:"
  for file in "$1"/bin/* "$1"/libexec/nephron-compute "$1"/lib/*.so* "$1"/lib/nephron/plugins/*.so; do
    [[ -L $file ]] || echo "${file#"$1"/} $(newest_symbols "$file")"
  done
  echo "glibc and libstdc++ at least: $(newest_symbols "$1"/bin/* "$1"/libexec/nephron-compute "$1"/lib/*.so.* "$1"/lib/nephron/plugins/*.so)"
}

newest_symbols() {
  objdump -T "$@" 2>/dev/null | grep -oE '\((GLIBC|GLIBCXX)_[0-9.]+' | tr -d '(' | sort -Vu |
    awk -F_ '{ newest[$1] = $0 } END { print newest["GLIBC"], newest["GLIBCXX"] }'
}
