#!/usr/bin/env bash
# bootstrap_test.sh SCRATCH: the steps of ./nephron with pip, dpkg and sudo replaced by small fakes; no network.
set -uo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
scratch=$1
failures=0
rm -rf "$scratch"
# A copy of what the steps read, so that logs and caches of the real checkout stay as they are.
mkdir -p "$scratch/root/third_party" "$scratch/fake"
cp "$repository/nephron" "$scratch/root/"
cp "$repository"/third_party/{bootstrap.sh,wheels.sh,README.md} "$scratch/root/third_party/"
export XDG_CACHE_HOME=$scratch/cache
cache=$XDG_CACHE_HOME/nephron

complain() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
expect() { [[ $2 == *"$1"* ]] || complain "expected '$1' in: $2"; }
fake() {
  printf '#!/bin/sh\n%s\n' "$2" >"$scratch/fake/$1"
  chmod +x "$scratch/fake/$1"
}
# with_steps COMMAND...: in a shell of its own that has the steps, the fakes first on PATH.
with_steps() {
  PATH=$scratch/fake:$PATH bash -c 'set -euo pipefail; root=$1 assume_yes=false; source "$root/third_party/bootstrap.sh"; shift; "$@"' \
    steps "$scratch/root" "$@" 2>&1
}
# A pip that counts its runs, writes the asked-for folder slowly, and ends as told.
fake_pip() {
  # shellcheck disable=SC2016
  fake python3 'echo run >>"'"$scratch"'/runs"
while [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; shift; done
echo half >"$target/file"; sleep '"$1"'; echo whole >"$target/file"; exit '"$2"
  rm -f "$scratch/runs"
}

# Two fetches at once: one fetches, the other waits for it and takes its folder.
fake_pip 1 0
with_steps step one fetching fetch_wheels "$cache/twice" a==1 >/dev/null &
with_steps step two fetching fetch_wheels "$cache/twice" a==1 >/dev/null || complain "the second fetch failed"
wait $! || complain "the first fetch failed"
[[ $(cat "$cache/twice/file") == whole ]] || complain "the fetched folder is not whole"
[[ $(wc -l <"$scratch/runs") == 1 ]] || complain "two fetches at once ran pip $(wc -l <"$scratch/runs") times"

# A fetch that fails leaves nothing, says where the log is, and can be repeated.
fake_pip 0 3
output=$(with_steps step failing fetching fetch_wheels "$cache/failing" a==1) && complain "a failed fetch was a success"
expect "failing failed after" "$output"
expect "build/log/failing.log" "$output"
[[ ! -e $cache/failing ]] || complain "a failed fetch left its folder"
fake_pip 0 0
with_steps step failing fetching fetch_wheels "$cache/failing" a==1 >/dev/null || complain "the repeated fetch failed"

# The unpacked CUDA compiler is made complete before anybody sees it.
# shellcheck disable=SC2016
fake python3 'while [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; shift; done
mkdir -p $target/nvidia/cu13/lib; touch $target/nvidia/cu13/lib/libcudart.so.13 $target/nvidia/cu13/lib/libcudart_static.a'
export after_unpack=complete_toolkit
with_steps fetch_wheels "$cache/cuda-test" a==1 >/dev/null || complain "the CUDA compiler failed"
unset after_unpack
[[ -e $cache/cuda-test/nvidia/cu13/lib64/libcudart.so ]] || complain "lib64/libcudart.so is missing"

# Without pip: the file that the index's page lists is taken when its sum is right, and leaves nothing when it is not.
mkdir -p "$scratch/index/a-b" "$scratch/files"
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("a_b/lib.so", "x")' "$scratch/files/wheel"
sum=$(sha256sum "$scratch/files/wheel" | cut -d' ' -f1)
# The page is asked for at .../index/a-b/, the file by a path that goes up from there.
# shellcheck disable=SC2016
fake curl 'file=/dev/stdout
while [ $# -gt 0 ]; do [ "$1" = -o ] && file=$2; url=$1; shift; done
case $url in */index/a-b/) cat "'"$scratch"'/page" >"$file" ;; */files/*) cat "'"$scratch"'/files/wheel" >"$file" ;; *) exit 22 ;; esac'
mv "$scratch/fake/python3" "$scratch/fake/pip-python3"
for claimed in "$sum" "${sum//[0-9]/0}"; do
  printf '<a href="../../files/a_b-%s-py3-none-manylinux_2_17_x86_64.whl#sha256=%s">it</a>\n' 10 "$sum" 1 "$claimed" >"$scratch/page"
  status=0
  output=$(PIP_INDEX_URL=https://nowhere.invalid/index unpack_wheels=unpack_with_curl with_steps fetch_wheels "$cache/curl-$claimed" a-b==1) || status=$?
  if [[ $claimed == "$sum" ]]; then
    ((status == 0)) && [[ $(cat "$cache/curl-$sum/a_b/lib.so") == x ]] || complain "fetching without pip failed: $output"
  else
    ((status)) && [[ ! -e $cache/curl-$claimed ]] || complain "a file with a wrong sum was taken: $output"
  fi
done
output=$(PIP_INDEX_URL=https://nowhere.invalid/index unpack_wheels=unpack_with_curl with_steps fetch_wheels "$cache/curl" a-b==2) && complain "a wheel that is not listed was fetched"
expect "lists no file a_b-2-" "$output"
mv "$scratch/fake/pip-python3" "$scratch/fake/python3"

# Ctrl-C: exit 130, no partial folder, no process left.
fake_pip 300 0
with_steps step slow fetching fetch_wheels "$cache/slow" a==1 >"$scratch/interrupted" &
shell=$!
for _ in $(seq 100); do
  [[ -e $scratch/runs ]] && break
  sleep 0.1
done
# A background job ignores SIGINT; TERM takes the same way.
kill -TERM "$(pgrep -P "$shell" | head -n 1)" 2>/dev/null || kill -TERM "$shell"
wait "$shell"
expect "interrupted; what is done is kept" "$(cat "$scratch/interrupted")"
shopt -s nullglob dotglob
left=("$cache"/.fetch-slow.* "$cache"/slow*)
((${#left[@]} == 0)) || complain "an interrupted fetch left ${left[*]}"

# Missing packages, no terminal and no rights: the exact command, exit 1.
fake dpkg-query 'echo "installed g++"'
fake apt-get 'echo "apt-get was run" >>"'"$scratch"'/apt"'
fake sudo 'exit 1'
as_user=()
((EUID)) || as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
chmod -R a+rX "$scratch"
if "${as_user[@]}" test -r "$scratch/root/third_party/bootstrap.sh" 2>/dev/null; then
  for ci in '' true; do
    # shellcheck disable=SC2016
    output=$(PATH=$scratch/fake:$PATH CI=$ci "${as_user[@]}" bash -c 'root=$1 assume_yes=false; source "$root/third_party/bootstrap.sh"; install_packages' \
      steps "$scratch/root" 2>&1 </dev/null)
    status=$?
    ((status == 1)) || complain "missing rights ended with $status"
    expect "sudo apt-get update && sudo apt-get install -y --no-install-recommends cmake" "$output"
    [[ $output != *" g++ "* ]] || complain "g++ is installed and must not be asked for"
  done
  [[ ! -e $scratch/apt ]] || complain "apt-get was run without rights"
fi

# Wrong usage: exit 2 and what was expected.
for arguments in '--yes' '--sanitize asan' 'test --sanitize msan'; do
  # shellcheck disable=SC2086
  output=$("$scratch/root/nephron" $arguments 2>&1 </dev/null)
  status=$?
  ((status == 2)) || complain "nephron $arguments ended with $status"
  expect "nephron --help" "$output"
done

((failures == 0)) && echo "all steps behave"
exit $((failures > 0))
