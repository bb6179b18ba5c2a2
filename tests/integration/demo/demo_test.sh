#!/usr/bin/env bash
# demo_test.sh PROGRAM
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
demo=$here/../../../experiments/demo/run.sh
NEPHRON_PROGRAM=$1
NEPHRON_DEMO_OUT=$(mktemp -d)
export NEPHRON_PROGRAM NEPHRON_DEMO_OUT
trap 'rm -rf "$NEPHRON_DEMO_OUT"' EXIT
log=$NEPHRON_DEMO_OUT/test.log

fail() { echo "FAILED: $*"; cat "$log"; exit 1; }
small=(--set train.epochs=1 --set train.steps_per_epoch=2 --set train.batch=2 --set 'dataset.synthetic.size=[640, 512]' --device cpu)
run() { "$demo" "${small[@]}" "$@" > "$log" 2>&1 || fail "the demo ended with $?"; }

run
for file in report.html scores.txt prediction/scores.json unseen/images runs/demo; do
  [[ -e $NEPHRON_DEMO_OUT/$file ]] || fail "$file is missing"
done
grep -q "^mean" "$log" || fail "no mean Dice was printed"
! grep -q "were trained on" "$log" || fail "unseen slides are taken for the training's"
grep -q "report.html" "$log" || fail "the page's path was not printed"
! grep -q "done before" "$log" || fail "a fresh demo claims that something was done before"
[[ $(find "$NEPHRON_DEMO_OUT/prediction/masks" -name '*.png' | wc -l) -eq 3 ]] || fail "not three slides were predicted"
! sed 's/placeholder="[^"]*"//' "$NEPHRON_DEMO_OUT/report.html" | grep -q '="https\?://' || fail "the page refers to the outside"
grep -q "The worst and the best" "$NEPHRON_DEMO_OUT/report.html" || fail "the page shows no objects"

run
[[ $(grep -c "done before" "$log") -eq 5 ]] || fail "a second run did something again"
grep -q "^mean" "$log" || fail "a second run does not show the Dice"

# Other settings are another demo; what else the folder holds stays.
touch "$NEPHRON_DEMO_OUT/mine"
run --set seed=7
! grep -q "done before" "$log" || fail "other settings took over the results of the first"
[[ -e $NEPHRON_DEMO_OUT/mine ]] || fail "the demo removed a file that it did not make"
[[ $(find "$NEPHRON_DEMO_OUT/runs/demo" -mindepth 1 -maxdepth 1 | wc -l) -eq 1 ]] || fail "an old run was left over"
echo passed
