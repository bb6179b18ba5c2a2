# shellcheck shell=bash
# The licences of what goes into a bundle, as Debian packages carry them. Sourced by bundle.sh.

# Headers whose code is compiled into ours, and scripts of the page of `nephron view`.
compiled_in=(libtomlplusplus-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libboost-dev libjs-leaflet)

# collect_licences FOLDER LIST: one file for each package that owns a library of LIST, named in packages.txt.
collect_licences() {
  local folder=$1 package packages
  mkdir -p "$folder"
  packages=$(owners "$2" | sort -u)
  for package in $packages; do
    [[ -e /usr/share/doc/$package/copyright ]] ||
      fail "the licence of $package is not in /usr/share/doc/$package/copyright"
    install -m 644 "/usr/share/doc/$package/copyright" "$folder/$package"
  done
  # Debian's files refer to these by name.
  cp -rL /usr/share/common-licenses "$folder/common-licenses"
  {
    echo "Libraries in lib/ and headers that are compiled in come unchanged from these packages of the distribution,"
    echo "whose source packages hold their sources (package, version, source package):"
    # shellcheck disable=SC2086
    dpkg-query -W -f '${binary:Package} ${Version} ${source:Package}\n' $packages
    echo
    echo "lib/libgdal.so.* is no GDAL but an empty stand-in, made with the bundle: OpenCV is linked with GDAL, and"
    echo "nephron uses nothing of it. libnephron_cuda.so has the CUDA runtime of NVIDIA in it (CUDA EULA)."
  } >"$folder/packages.txt"
}

# The packages that own the files of LIST. dpkg may know a file of /usr/lib as one of /lib.
owners() {
  printf '%s\n' "${compiled_in[@]}"
  local found
  # shellcheck disable=SC2046
  found=$(dpkg-query -S $(cat "$1") $(sed 's|^/usr||' "$1") 2>/dev/null) || true
  local path
  while read -r path; do
    grep -qE ": (/usr)?${path#/usr}\$" <<<"$found" || fail "no package owns $path, so its licence is not known"
  done <"$1"
  cut -d: -f1 <<<"$found"
}
