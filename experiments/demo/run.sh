#!/usr/bin/env bash
# Train on synthetic slides, predict others, write a page. `./nephron demo` builds the program and calls this.
# What is finished is not done again; --fresh starts anew. Other arguments go to `nephron train` (--set train.epochs=2).
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
program=${NEPHRON_PROGRAM:-$root/build/release/bin/nephron}
out=${NEPHRON_DEMO_OUT:-$root/build/demo}
# In an installed tree or a bundle (share/nephron/experiments/demo) the program is beside share/, and that may be read-only.
if [[ -z ${NEPHRON_PROGRAM:-} && ! -e $program && -x $root/../../bin/nephron ]]; then
  program=$(cd "$root/../../bin" && pwd)/nephron
  out=${NEPHRON_DEMO_OUT:-$PWD/nephron-demo}
fi

fail() { echo "demo: $*" >&2; exit 1; }
[[ -x $program ]] || fail "$program is not built; ./nephron demo builds it, or NEPHRON_PROGRAM names another"

fresh=false
train_arguments=() export_arguments=()
while (($#)); do
  case $1 in
    --fresh) fresh=true ;;
    --set)
      [[ $# -ge 2 ]] || fail "--set needs KEY=VALUE"
      train_arguments+=("$1" "$2")
      # What changes the slides changes the unseen ones alike.
      [[ $2 == dataset.synthetic.size=* ]] && export_arguments+=("$1" "$2")
      shift
      ;;
    *) train_arguments+=("$1") ;;
  esac
  shift
done
mkdir -p "$out"
# Only what the demo made: NEPHRON_DEMO_OUT may name a folder that holds more.
forget() { (cd "$out" && rm -rf runs unseen prediction report.html scores.txt trained validated exported predicted reported key); }
if $fresh; then forget; fi

# A demo with other arguments or another experiment is another demo.
key=$(cat "$here"/*.toml <(printf '%s\n' "${train_arguments[@]-}") | sha256sum | cut -c1-16)
if [[ -f $out/key && $(<"$out/key") != "$key" ]]; then forget; fi
echo "$key" > "$out/key"

number=0
# step WHAT MARK COMMAND...: runs the command unless MARK exists; a command that succeeds leaves MARK behind.
step() {
  local what=$1 mark=$out/$2 start=$SECONDS
  shift 2
  number=$((number + 1))
  if [[ -e $mark ]]; then
    echo "[$number/5] $what: done before"
    return
  fi
  echo "[$number/5] $what"
  "$@" || { local code=$?; echo "demo: this step failed ($code); what came before is kept in $out" >&2; exit "$code"; }
  touch "$mark"
  echo "      $((SECONDS - start)) s"
}

train() {
  local run
  run=$(newest_run)
  # A run that was interrupted goes on where it stopped.
  if [[ -n $run && -e $run/fold-0/checkpoints/last ]]; then "$program" train --resume "$run"
  else
    rm -rf "$out/runs"
    "$program" train "$here/demo.toml" --fold 0 --runs "$out/runs" "${train_arguments[@]}"
  fi
}

newest_run() { find "$out/runs/demo" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort | tail -n 1; }
export_unseen() { "$program" data export "$here/unseen.toml" --out "$out/unseen" --overwrite "${export_arguments[@]}"; }
validate() { "$program" validate "$(newest_run)" --metrics dice,calibration,detection,counts --save masks,probabilities --overwrite > /dev/null; }
predict() { "$program" predict "$(newest_run)" --images "$out/unseen/images" --masks "$out/unseen/masks" --out "$out/prediction" --overwrite > "$out/scores.txt"; }
report() { "$program" report "$(newest_run)" --predictions "$out/prediction" --out "$out/report.html" --overwrite > /dev/null; }

step "training on synthetic slides (about two minutes on 2 cores)" trained train
step "measuring the slides that it held out" validated validate
step "making slides that it has not seen" exported export_unseen
step "predicting them" predicted predict
step "writing the page" reported report

echo
cat "$out/scores.txt"
echo
echo "open $out/report.html"
echo "look around in slides and maps: $program view $(newest_run) $out/prediction"
